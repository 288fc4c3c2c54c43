"""The command `replaystack`: `--version`, and `doctor`, which looks for what would go wrong."""

from .command import main

__all__ = ["main"]
