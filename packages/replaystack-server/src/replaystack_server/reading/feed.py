"""Wakes the open event streams when something new can be read."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Feed", "FeedFullError", "Subscription"]


class FeedFullError(RuntimeError):
    """As many streams are open as may be."""


class Subscription:
    """One stream's bell. Belongs to the event loop that it was made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Wake the stream; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._bell.set)
        except RuntimeError:
            pass  # its loop is closed, so nobody listens any more

    async def wait(self, timeout_seconds: float) -> bool:
        """Return True as soon as the bell rang since the last call, False after the timeout."""
        try:
            await asyncio.wait_for(self._bell.wait(), timeout_seconds)
        except asyncio.TimeoutError:
            return False
        self._bell.clear()
        return True


class Feed:
    """Carries no events: a woken stream asks the store for what is new to it.

    So a slow reader costs no memory, nothing is missed or doubled however many commits one
    bell stands for, and the filter of each stream is the store's own.
    """

    def __init__(self, most_subscriptions: int) -> None:
        self._most = most_subscriptions
        self._lock = threading.Lock()  # guards the set
        self._subscriptions: set[Subscription] = set()
        self._closed = threading.Event()

    @property
    def is_closed(self) -> bool:
        """True once streams should end."""
        return self._closed.is_set()

    @property
    def is_full(self) -> bool:
        """True while no further stream may open."""
        with self._lock:
            return len(self._subscriptions) >= self._most

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """Lend a bell for the length of one stream.

        Raises:
            FeedFullError: as many streams are open as may be.

        """
        subscription = Subscription()
        with self._lock:
            if len(self._subscriptions) >= self._most:
                raise FeedFullError
            self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            with self._lock:
                self._subscriptions.discard(subscription)

    def wake(self) -> None:
        """Ring all bells; from any thread."""
        with self._lock:
            subscriptions = tuple(self._subscriptions)
        for subscription in subscriptions:
            subscription.ring()

    def close(self) -> None:
        """Let every stream end by itself, now; from any thread."""
        self._closed.set()
        self.wake()
