"""Where captured events land: one append, and at most one release of a lock.

Both are single steps of the interpreter, so that a capture is safe from any thread, from
`__del__`, from a garbage collection, from a signal handler and from a log handler, even
while the same thread is inside another capture.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pending import Pending

__all__ = ["NEVER", "Inbox"]

NEVER = sys.maxsize
"""A `wake_at` that no inbox reaches."""


class Inbox:
    """An unbounded queue of `Pending`; the pump's owner bounds it by `size_bytes`."""

    __slots__ = ("_items", "_semaphore", "size_bytes", "wake_at")

    def __init__(self) -> None:
        self._items: deque[Pending] = deque()
        # A raw lock as a binary semaphore: held while nobody is to be woken.
        self._semaphore = threading.Lock()
        self._semaphore.acquire()
        self.size_bytes: int = 0
        """Memory of what waits. Without a lock, so it may drift by an event or two under
        contention; it is set right whenever the inbox is empty. It bounds memory, it counts nothing."""
        self.wake_at: int = 1
        """How many events must wait before an append wakes the sender."""

    def __len__(self) -> int:
        return len(self._items)

    def append(self, pending: Pending) -> None:
        """Add `pending`. Never blocks, never raises."""
        self._items.append(pending)
        self.size_bytes += pending.size_bytes
        if len(self._items) >= self.wake_at:
            self.wake()

    def popleft(self) -> Pending | None:
        """Take the oldest, or None. For the holder of the pump's state lock."""
        try:
            pending = self._items.popleft()
        except IndexError:
            self.size_bytes = 0
            return None
        self.size_bytes = max(0, self.size_bytes - pending.size_bytes) if self._items else 0
        return pending

    def wake(self) -> None:
        """Let `wait` return, now or when it is next called."""
        try:
            self._semaphore.release()
        except RuntimeError:  # it is free already: the sender has been told
            pass

    def wait(self, timeout_seconds: float | None) -> None:
        """Block until `wake` or until the time is over; None waits without end."""
        if timeout_seconds is None:
            self._semaphore.acquire()
        elif timeout_seconds > 0:
            self._semaphore.acquire(timeout=min(timeout_seconds, threading.TIMEOUT_MAX))
