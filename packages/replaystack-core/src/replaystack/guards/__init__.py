"""Process guards: what nobody caught becomes an event, and a deadly signal waits for what is queued."""

from .installation import install_replaystack_process_guards

__all__ = ["install_replaystack_process_guards"]
