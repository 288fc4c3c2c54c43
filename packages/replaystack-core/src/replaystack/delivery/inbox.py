"""Where captured events land: one append, and at most one release of a lock.

Both are single steps of the interpreter, so that a capture is safe from any thread, from
`__del__`, from a garbage collection, from a signal handler and from a log handler, even
while the same thread is inside another capture.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pending import Pending

__all__ = ["FULL_BYTES", "NEVER", "Inbox"]

NEVER = sys.maxsize
"""A `wake_at` that no inbox reaches."""

FULL_BYTES = 1024 * 1024
"""Wakes the sender whatever the count: fifty large events would fill the queue while a batch gathers."""


class Inbox:
    """An unbounded queue of `Pending`; the pump's owner bounds it by `size_bytes`."""

    __slots__ = ("_items", "_monotonic", "_semaphore", "size_bytes", "wake_at")

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, *, beside: Inbox | None = None
    ) -> None:
        """Make one. What arrives here wakes whoever waits at `beside`, and the other way round."""
        self._items: deque[tuple[float, Pending]] = deque()
        self._monotonic = monotonic
        # A raw lock as a binary semaphore: held while nobody is to be woken.
        self._semaphore: threading.Lock = threading.Lock() if beside is None else beside._semaphore  # noqa: SLF001 - its own kind
        if beside is None:
            self._semaphore.acquire()
        self.size_bytes: int = 0
        """Memory of what waits. Without a lock, so it may drift by an event or two under
        contention; it is set right whenever the inbox is empty. It bounds memory, it counts nothing."""
        self.wake_at: int = 1
        """How many events must wait before an append wakes the sender; `NEVER`: nothing wakes it."""

    def __len__(self) -> int:
        return len(self._items)

    def append(self, pending: Pending) -> None:
        """Add `pending`. Never blocks, never raises."""
        self._items.append((self._monotonic(), pending))
        self.size_bytes += pending.size_bytes
        if len(self._items) >= self.wake_at or (self.size_bytes >= FULL_BYTES and self.wake_at != NEVER):
            self.wake()

    def popleft(self) -> tuple[float, Pending] | None:
        """Take the oldest with the moment of its capture, or None. For the holder of the state lock."""
        try:
            item = self._items.popleft()
        except IndexError:
            self.size_bytes = 0
            return None
        self.size_bytes = max(0, self.size_bytes - item[1].size_bytes) if self._items else 0
        return item

    @property
    def since(self) -> float | None:
        """When the oldest came in, on the monotonic clock; None where nothing waits."""
        try:
            return self._items[0][0]
        except IndexError:
            return None

    def wake(self) -> None:
        """Let `wait` return, now or when it is next called."""
        # Free means: the sender has been told, and is at work. Asked first, because under load that is
        # the case for nearly every capture, and an exception costs more than all the rest of it.
        if self._semaphore.locked():
            try:
                self._semaphore.release()
            except RuntimeError:  # somebody else was faster
                pass

    def wait(self, timeout_seconds: float | None) -> None:
        """Block until `wake` or until the time is over; None waits without end."""
        if timeout_seconds is None:
            self._semaphore.acquire()
        elif timeout_seconds > 0:
            self._semaphore.acquire(timeout=min(timeout_seconds, threading.TIMEOUT_MAX))
