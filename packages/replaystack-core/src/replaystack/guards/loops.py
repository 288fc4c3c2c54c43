"""asyncio's loops: each is given a handler once, chained to its own; nothing is patched globally."""

from __future__ import annotations

import asyncio
import contextvars
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from .subscribers import Chain, Subscribers, capture, changing, is_ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..recorder import Recorder

__all__ = ["LOOPS", "Loops"]

_ENDPOINT = "/runtime/asyncio"


class _Handler:
    """What a loop calls for an exception that nobody awaited: subscribers, then what was there before."""

    __slots__ = ("_chain", "_subscribers", "before")

    def __init__(
        self,
        subscribers: Subscribers,
        chain: Chain,
        before: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None,
    ) -> None:
        self._subscribers = subscribers
        self._chain = chain
        self.before = before

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        try:
            self._tell(loop, context)
        finally:
            with self._chain.entered():
                if self.before is None:
                    loop.default_exception_handler(context)
                else:
                    self.before(loop, context)

    def _tell(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if self._chain.is_entered:
            return
        error = context.get("exception")
        if not isinstance(error, BaseException) or is_ending(type(error), error):
            return  # a warning such as "Task was destroyed but it is pending!" is no failure
        message = context.get("message")
        metadata = {"message": message} if type(message) is str else None
        for recorder in self._subscribers:
            tell = partial(capture, recorder, _ENDPOINT, type(error), error, metadata)
            if recorder.config.async_send or not _runs_here(loop):
                tell()
            else:  # in sync mode it sends: not on the loop, which would stand still
                loop.run_in_executor(None, contextvars.copy_context().run, tell)


class Loops:
    """The loops that were seen. Subscribing and unsubscribing happen under `changing`."""

    def __init__(self) -> None:
        self._subscribers = Subscribers()
        # Weak: a loop that its program has let go of goes. Its handler hangs on the loop alone.
        self._seen: WeakSet[asyncio.AbstractEventLoop] = WeakSet()
        self._chain = Chain()

    def subscribe(self, recorder: Recorder) -> None:
        """Tell `recorder`: of the loop that runs here now, and of each at its next exchange or job."""
        self._subscribers.add(recorder)
        watch = recorder.on_begin = partial(self.watch, recorder)
        watch()

    def unsubscribe(self, recorder: Recorder) -> None:
        """Take back one `subscribe`; the last one restores the loops' handlers.

        A handler that the application set since then stays.
        """
        self._subscribers.remove(recorder)
        if recorder not in self._subscribers:
            recorder.on_begin = None
        if self._subscribers:
            return
        for loop in list(self._seen):
            handler = loop.get_exception_handler()
            if isinstance(handler, _Handler):
                loop.set_exception_handler(handler.before)
        self._seen.clear()

    def watch(self, recorder: Recorder) -> None:
        """Give the loop that runs on this thread, if any, our handler. A microsecond; never raises."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # a WSGI request, a script, or the loop of another library
        with recorder.guard.protect("watching an event loop"):
            if loop in self._seen:
                return
            with changing:
                self._seen.add(loop)
                before = loop.get_exception_handler()
                if self._subscribers and not isinstance(before, _Handler):
                    loop.set_exception_handler(_Handler(self._subscribers, self._chain, before))


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


LOOPS: Loops = Loops()
