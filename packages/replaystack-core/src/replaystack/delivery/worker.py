"""The client's one thread: a loop around `Pump.step`, started by the first capture or log entry."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ..clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from ..diagnostics import Guard
    from .pump import Pump

__all__ = ["Worker"]

_BREATH_SECONDS = 1.0
"""After a defect in a step: long enough not to spin, short enough to go on."""


class Worker:
    """Runs pumps on one daemon thread. `start`, `stop` and `add` may be called from any thread."""

    def __init__(self, pump: Pump, guard: Guard, clock: Clock = SYSTEM_CLOCK) -> None:
        self._inbox = pump.backlog.inbox
        self._pumps: tuple[Pump, ...] = (pump,)
        self._guard = guard
        self._clock = clock
        self._thread: threading.Thread | None = None
        self.refused: bool = False
        """The interpreter gives no new thread: it is on its way out, or at a limit."""
        self._starting = threading.Lock()  # two first captures at once must start one thread
        self._stopping = False

    def add(self, pump: Pump) -> None:
        """Step `pump` too. Its inbox must wake the first one's thread (`Inbox.beside`)."""
        self._pumps = (*self._pumps, pump)

    def start(self) -> bool:
        """Make sure that the thread runs; False where the interpreter refuses new threads.

        Never blocks: if another thread is starting it right now, that is as good.
        """
        thread = self._thread
        if thread is not None and thread.is_alive():
            return True
        if self._stopping or not self._starting.acquire(blocking=False):
            return not self._stopping
        try:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="replaystack-sender", daemon=True)
                thread.start()
                self._thread = thread
            self.refused = False
            return True
        except RuntimeError:  # at interpreter shutdown: the flush at exit sends in its own thread
            self.refused = True
            return False
        finally:
            self._starting.release()

    @property
    def has_run(self) -> bool:
        """Whether a thread was ever started."""
        return self._thread is not None

    @property
    def is_running(self) -> bool:
        """Whether a thread is there to send, and will be for the next step too."""
        thread = self._thread
        return thread is not None and thread.is_alive() and not self._stopping

    @property
    def is_current(self) -> bool:
        """Whether the caller is this thread: it cannot wait for itself."""
        return threading.current_thread() is self._thread

    def stop(self, timeout_seconds: float) -> None:
        """Let the thread end after its current step; wait for that at most `timeout_seconds`."""
        self._stopping = True
        self._inbox.wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(max(0.0, timeout_seconds))

    def _run(self) -> None:
        inbox, monotonic = self._inbox, self._clock.monotonic
        while not self._stopping:
            due: float | None = None
            for pump in self._pumps:
                next_due = self._step(pump)
                if next_due is not None and (due is None or next_due < due):
                    due = next_due
            inbox.wait(None if due is None else due - monotonic())

    def _step(self, pump: Pump) -> float | None:
        try:
            with pump.ownership:
                return pump.step(self._clock.monotonic())
        except BaseException as error:  # noqa: BLE001 - no hook or transport may end all sending
            self._guard.report(error, "replaystack: the sender failed in %s", "a step")
            return self._clock.monotonic() + _BREATH_SECONDS
