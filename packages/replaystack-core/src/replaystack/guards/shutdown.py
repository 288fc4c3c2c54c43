"""Signals that would end the process at once: what is queued goes out first, within a bound.

Only a signal whose action is the default one is taken over. A handler in Python (the
application's, a server's, the one that makes Ctrl-C a KeyboardInterrupt) leads to an orderly
end, where the interpreter's exit flushes; and what is ignored stays ignored.
"""

from __future__ import annotations

import _thread
import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..recorder import flush_at_exit, is_exiting, open_recorders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

__all__ = ["SHUTDOWN", "Shutdown", "checked_signals"]

_log = logging.getLogger(__name__)

_ENTRY_SECONDS = 0.25
"""How long the flush may take to get its locks before the main thread is taken to hold one of them."""
_UNCOUNTED = "replaystack: ended by a signal before the undelivered events could be counted\n"
_AGAIN_SECONDS = 0.05
_GRACE_SECONDS = 0.5
"""Beyond the flush's own bound: for the one line on stderr and what goes to the spool."""


def checked_signals(numbers: Iterable[int] | None) -> tuple[signal.Signals, ...]:
    """Return `numbers` as signals; None stands for SIGINT and SIGTERM.

    Raises:
        ConfigError: one of them is no signal of this platform, or cannot be caught.

    """
    if numbers is None:
        return (signal.SIGINT, signal.SIGTERM)
    uncatchable = {getattr(signal, name, None) for name in ("SIGKILL", "SIGSTOP")}
    try:
        found = tuple(signal.Signals(number) for number in numbers)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"shutdown_signals must be signals of this platform: {error}") from None
    for number in found:
        if number in uncatchable:
            raise ConfigError(f"shutdown_signals must be signals that can be caught: got {number.name}")
    return found


class Shutdown:
    """The handler of the signals that were taken over. One per process.

    `take` and `give_back` happen under `changing`.
    """

    def __init__(self) -> None:
        self._taken: dict[signal.Signals, int] = {}
        self._handler = self._on_signal  # one object, to be recognised by identity
        self._has_warned = False
        self._pid = 0  # where the first signal has come: not in a child that is forked meanwhile
        self._deadline = 0.0  # for all that follows
        self._is_flushing = False
        self._is_reminded = False  # a thread sends the signal again
        self._is_overdue = False  # the flush has ended, or its time has
        self._entered: Any = None  # a lock, released once the flush has its locks
        self._done: Any = None  # a lock, released once the flush has ended

    def take(self, numbers: Iterable[signal.Signals]) -> None:
        """Take over those of `numbers` whose action is the default one.

        Off the main thread, where Python allows no handler to be set, it says so once and
        takes none. Process 1 of a container takes none either: the kernel spares it the
        default action, so there is no end to wait for.
        """
        for number in numbers:
            self._taken[number] = self._taken.get(number, 0) + 1
            if signal.getsignal(number) is not signal.SIG_DFL or os.getpid() == 1:
                continue
            try:
                signal.signal(number, self._handler)
            except ValueError:  # not the main thread, or not the main interpreter
                if not self._has_warned:
                    self._has_warned = True
                    _log.warning(
                        "process guards were installed off the main thread: signals are left alone there"
                    )

    def give_back(self, numbers: Iterable[signal.Signals]) -> None:
        """Take back one `take`; the last one restores the default action."""
        for number in numbers:
            self._taken[number] -= 1
            if self._taken[number] == 0 and signal.getsignal(number) is self._handler:
                try:
                    signal.signal(number, signal.SIG_DFL)
                except ValueError:  # off the main thread: `_on_signal` acts like the default then
                    pass

    # -- on the main thread, between any two instructions of it ----------------------------------

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Let a thread flush, wait for it, then end the process as the signal would have.

        Takes no lock of ours and logs nothing: the code that it interrupts may hold any lock.
        """
        goes_on = False
        try:
            goes_on = self._goes_on(number)
        finally:  # also if Ctrl-C raises in the wait
            if not goes_on:
                _die(number)

    def _goes_on(self, number: int) -> bool:
        """Tell whether the process is to live on for now."""
        if not self._taken.get(signal.Signals(number)):
            return False
        if self._pid != os.getpid():
            if is_exiting():
                # The interpreter's own exit is flushing, bounded as well. A second signal ends it.
                signal.signal(number, signal.SIG_DFL)
                return True
            if not self._begin():
                return False
        elif self._is_flushing:
            # The same again: a supervisor that signals the whole group besides the process, or our
            # own reminder. The flush is bounded, so nobody waits for long.
            return not self._is_overdue
        if _is_busy_here() and time.monotonic() < self._deadline - _GRACE_SECONDS:
            return self._comes_again(number)  # the event under way first
        self._is_flushing = True
        if not _started(self._flush):
            _say(_UNCOUNTED)
        elif self._has_entered() or not self._comes_again(number):
            self._wait()
        else:
            # The code below us on this thread's stack holds a lock of ours (or is gevent's hub,
            # which must not block): it has to go on for the flush to succeed.
            return True
        return False

    def _begin(self) -> bool:
        """Set the time that there is from the first signal on; False where nobody needs any."""
        recorders = [recorder for recorder in open_recorders() if recorder.config.enabled]
        if not recorders:
            return False
        bound = max(recorder.config.shutdown_timeout_seconds for recorder in recorders) + _GRACE_SECONDS
        self._deadline = time.monotonic() + bound
        # Made here and not before: gevent may have put its own kind in place since the import.
        self._entered, self._done = _thread.allocate_lock(), _thread.allocate_lock()
        self._entered.acquire()
        self._done.acquire()
        self._is_flushing = self._is_reminded = self._is_overdue = False
        self._pid = os.getpid()
        return True

    def _has_entered(self) -> bool:
        try:
            return bool(self._entered.acquire(timeout=_ENTRY_SECONDS))
        except Exception:  # noqa: BLE001 - gevent's hub refuses to block, with an error of its own
            return False

    def _comes_again(self, number: int) -> bool:
        """Let the signal be sent again; False where that cannot be."""
        self._is_reminded = self._is_reminded or _started(self._remind, number)
        return self._is_reminded

    def _wait(self) -> None:
        """Wait for the flush, within the bound. Two threads may."""
        if self._done.acquire(timeout=max(0.0, self._deadline - time.monotonic())):
            self._done.release()
        else:
            _say(_UNCOUNTED)

    # -- on threads of their own -----------------------------------------------------------------

    def _flush(self) -> None:
        try:
            for recorder in open_recorders():
                _ = recorder.undelivered  # passes the lock that the flush needs
            self._entered.release()
            flush_at_exit()
        finally:
            self._done.release()

    def _remind(self, number: int) -> None:
        """Send the signal until it has ended the process.

        Again and again, because Python forgets a signal that arrives just before a blocking call,
        and the main thread lets this one run when it is about to make one.
        """
        while True:
            time.sleep(_AGAIN_SECONDS)
            if self._is_flushing:
                self._wait()
                self._is_overdue = True
            os.kill(os.getpid(), number)


def _is_busy_here() -> bool:
    """Whether the interrupted code is ours: a hook, a step, a delivery on this very thread."""
    return any(recorder.is_busy_here for recorder in open_recorders())


def _started(target: Callable[..., None], *args: int) -> bool:
    """Run `target` on a thread; False where there can be none. Unlike `threading.Thread`, takes no lock."""
    try:
        _thread.start_new_thread(target, args)
    except RuntimeError:
        return False
    return True


def _die(number: int) -> None:
    """End as the signal would have ended the process: its parent sees the same exit status."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _say(text: str) -> None:
    """Write past the buffers of stderr, which the interrupted code may hold."""
    try:
        if sys.stderr is not None:
            os.write(sys.stderr.fileno(), text.encode())
    except (OSError, ValueError):
        pass


SHUTDOWN: Shutdown = Shutdown()
