"""The three hooks of the interpreter for exceptions that nobody caught, each chained to the one before."""

from __future__ import annotations

import sys
import threading
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from .subscribers import Chain, Subscribers, capture, is_ending

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from ..recorder import Recorder

__all__ = ["THREAD", "UNCAUGHT", "UNRAISABLE", "Hook"]


class _Report(NamedTuple):
    """What the interpreter hands to a hook, whatever the hook."""

    kind: type[BaseException] | None
    error: BaseException | None
    metadata: dict[str, Any] | None = None


class Hook:
    """One hook, `owner.name`: subscribers are told, then whatever stood there before is called.

    Subscribing and unsubscribing happen under `changing`; the hook itself runs on any thread.
    """

    def __init__(self, owner: ModuleType, name: str, endpoint: str, read: Callable[..., _Report]) -> None:
        self._owner = owner
        self._name = name
        self._endpoint = endpoint
        self._read = read
        self._subscribers = Subscribers()
        self._ours: Callable[..., Any] | None = None  # the newest link that we put into the chain
        self._before: Callable[..., Any] | None = None
        self._chain = Chain()

    def subscribe(self, recorder: Recorder) -> None:
        """Tell `recorder` from now on. Puts a link into the chain, unless the newest is on top."""
        self._subscribers.add(recorder)
        before = getattr(self._owner, self._name)
        if before is self._ours:
            return

        def link(*args: Any) -> None:
            try:
                self._tell(args)
            finally:
                with self._chain.entered():
                    before(*args)

        link.__name__ = f"replaystack_{self._name}"
        self._ours, self._before = link, before
        setattr(self._owner, self._name, link)

    def unsubscribe(self, recorder: Recorder) -> None:
        """Take back one `subscribe`; the last one restores the hook as it was.

        A hook that somebody else put on top since then stays; our link below only passes on.
        """
        self._subscribers.remove(recorder)
        if not self._subscribers and getattr(self._owner, self._name) is self._ours:
            setattr(self._owner, self._name, self._before)
            self._ours = self._before = None

    def _tell(self, args: tuple[Any, ...]) -> None:
        if self._chain.is_entered:
            return
        report = self._read(*args)
        if is_ending(report.kind, report.error):
            return
        for recorder in self._subscribers:
            capture(recorder, self._endpoint, report.kind, report.error, report.metadata)


def _read_uncaught(kind: type[BaseException], error: BaseException | None, _traceback: object) -> _Report:
    return _Report(kind, error)


def _read_thread(args: threading.ExceptHookArgs) -> _Report:
    thread = args.thread
    return _Report(args.exc_type, args.exc_value, None if thread is None else {"thread": thread.name})


def _read_unraisable(args: Any) -> _Report:
    """Read `sys.UnraisableHookArgs`. The object is not kept, and only a function of it is asked its name."""
    metadata: dict[str, Any] = {}
    if args.err_msg:
        metadata["message"] = args.err_msg
    if type(args.object) is FunctionType:
        metadata["object"] = args.object.__qualname__
    return _Report(args.exc_type, args.exc_value, metadata)


UNCAUGHT: Hook = Hook(sys, "excepthook", "/runtime/uncaughtException", _read_uncaught)
THREAD: Hook = Hook(threading, "excepthook", "/runtime/thread", _read_thread)
UNRAISABLE: Hook = Hook(sys, "unraisablehook", "/runtime/unraisable", _read_unraisable)
