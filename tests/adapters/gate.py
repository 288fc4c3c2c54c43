"""Lets a test decide when a streamed answer goes on."""

from __future__ import annotations

import threading

__all__ = ["Gate"]


class Gate:
    """For an answer that is made in a thread of its own; safe across threads."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def wait(self) -> None:
        """Hold the answer until the test opens the gate."""
        assert self._opened.wait(30)

    def open(self) -> None:
        """Let the answer go on."""
        self._opened.set()
