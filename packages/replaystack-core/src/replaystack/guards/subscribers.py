"""Who is told of the exceptions that nobody caught, and how one of them becomes an event."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..recorder import Recorder

__all__ = ["Chain", "Subscribers", "capture", "changing", "is_ending"]


class _Renewable:
    """A re-entrant lock that a forked child finds open, whoever held it in the parent."""

    def __init__(self) -> None:
        self._is_registered = False
        self._renew()

    def _renew(self) -> None:
        # Re-entrant: a signal handler may install or take away guards on the thread that holds it.
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        if not self._is_registered and hasattr(os, "register_at_fork"):
            self._is_registered = True
            os.register_at_fork(after_in_child=self._renew)
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


changing: _Renewable = _Renewable()
"""Held while guards are installed or taken away: reading a hook and replacing it is one step."""


class Subscribers:
    """The recorders that are told of one kind of event. One that was added twice is told once.

    Changed under `changing`; read from any thread.
    """

    def __init__(self) -> None:
        self._counts: dict[Recorder, int] = {}

    def add(self, recorder: Recorder) -> None:
        """Add `recorder`, once more if it is there already."""
        self._counts[recorder] = self._counts.get(recorder, 0) + 1

    def remove(self, recorder: Recorder) -> None:
        """Take back one `add`."""
        left = self._counts.get(recorder, 0) - 1
        if left > 0:
            self._counts[recorder] = left
        else:
            self._counts.pop(recorder, None)

    def __contains__(self, recorder: Recorder) -> bool:
        return recorder in self._counts

    def __iter__(self) -> Iterator[Recorder]:
        return iter(tuple(self._counts))  # a copy: guards may be taken away meanwhile

    def __bool__(self) -> bool:
        return bool(self._counts)


class Chain:
    """Whether the calling thread is inside of a hook of ours already, further up in the same chain.

    Whoever put a hook of theirs over ours may get another one of ours on top: both are called
    for one exception, and the lower one has nothing to tell.
    """

    def __init__(self) -> None:
        self._here = threading.local()

    @property
    def is_entered(self) -> bool:
        """Whether a link of ours is passing on right now, on this thread."""
        return getattr(self._here, "depth", 0) > 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Mark the block, in which what was there before is called."""
        self._here.depth = getattr(self._here, "depth", 0) + 1
        try:
            yield
        finally:
            self._here.depth -= 1


def is_ending(kind: type[BaseException] | None, error: BaseException | None) -> bool:
    """Tell whether this is a wish to end and no failure: KeyboardInterrupt, SystemExit, a group of them."""
    if isinstance(kind, type) and issubclass(kind, (KeyboardInterrupt, SystemExit)):
        return True
    members = getattr(error, "exceptions", None)
    if not isinstance(members, tuple):
        return False
    # By its name: Python 3.10 has no such builtin.
    if all(base.__name__ != "BaseExceptionGroup" for base in type(error).__mro__):
        return False
    return bool(members) and all(is_ending(type(member), member) for member in members)


def capture(
    recorder: Recorder,
    endpoint: str,
    kind: type[BaseException] | None,
    error: BaseException | None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Capture what nobody caught; `kind` alone where the interpreter has no object. Never raises.

    In sync mode it sends, and may block for (max_retries + 1) x timeout_seconds.
    """
    if sys.is_finalizing():
        return  # modules are being taken apart, and nothing would be delivered any more
    with recorder.guard.protect("a process guard"):
        fields: dict[str, Any] = {"endpoint": endpoint, "metadata": dict(metadata) if metadata else None}
        if error is not None:
            recorder.exception(error, fields)
        elif kind is not None:
            recorder.event({**fields, "status": "failed", "status_code": 500, "error_name": kind.__name__})
