"""Process guards under their import path of 1.x."""

from replaystack import install_replaystack_process_guards

__all__ = ["install_replaystack_process_guards"]
