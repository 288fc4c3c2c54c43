"""Sync mode: each capture attempts its own event, in its caller."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .retry import quick_delay
from .settlement import slimmed

if TYPE_CHECKING:
    from ..diagnostics import Guard
    from ..event import CaptureResponse
    from .courier import Outcome
    from .pending import Parcel, Pending
    from .pump import Pump

__all__ = ["Direct"]


class Direct:
    """Attempts past the queue; what fails is held by the pump's backlog, or on disk."""

    def __init__(self, pump: Pump, guard: Guard) -> None:
        self._pump = pump
        self._guard = guard
        self._here = threading.local()

    @property
    def is_delivering_here(self) -> bool:
        """Whether the calling thread is inside of `deliver`: a signal handler or destructor asks."""
        return getattr(self._here, "active", False)

    def take_own_error(self) -> BaseException | None:
        """Return what the calling thread's last event met, once."""
        error: BaseException | None = getattr(self._here, "error", None)
        self._here.error = None
        return error

    def deliver(self, pending: Pending) -> CaptureResponse | None:
        """Send one event in the caller; hold it if that fails.

        Blocks for at most (max_retries + 1) x timeout_seconds. Several threads may deliver at
        once, each once. Returns what the receiver said to a 2xx; see `take_own_error`.
        """
        backlog = self._pump.backlog
        taken = backlog.enter(pending)
        parcels: list[Parcel] = []
        here = self._here
        here.error = None
        here.active = True
        try:
            self._pump.encoder.encode([taken], parcels)
            return self._deliver_encoded(parcels[0]) if parcels else None
        except BaseException:  # Ctrl-C: the event is held, not in flight for ever
            backlog.rescue([taken], parcels)
            raise
        finally:
            here.active = False

    def _deliver_encoded(self, parcel: Parcel) -> CaptureResponse | None:
        pump, backlog = self._pump, self._pump.backlog
        parcel, outcome = self._attempt_quickly(parcel)
        if outcome.verdict == "delivered":
            backlog.offline = False
            backlog.deliver([parcel.ordinal])
        elif outcome.verdict == "rejected":
            backlog.drop([parcel.ordinal], "rejected")
        else:
            self._hold(parcel, outcome)
        # Raised to this caller, if at all: not to a later flush.
        self._here.error = outcome.error
        if outcome.error is not None:
            pump.errors += 1
            self._guard.report(outcome.error, "replaystack: %s failed", "delivering an event")
        pump.notices.tell()
        return outcome.response

    def _hold(self, parcel: Parcel, outcome: Outcome) -> None:
        pump, backlog = self._pump, self._pump.backlog
        pump.schedule.exhausted(outcome, pump.clock.monotonic())
        if pump.settings.offline_queue_max != 0 or pump.depot is not None:
            backlog.offline = True
        if pump.depot is None or not pump.depot.keep(parcel):
            if pump.settings.offline_queue_max == 0:
                backlog.drop([parcel.ordinal], "max_queue_size")
                return
            backlog.hold_last(parcel)
            backlog.trim()
        backlog.inbox.wake()  # the tick, where there is one, learns that something is held

    def _attempt_quickly(self, parcel: Parcel) -> tuple[Parcel, Outcome]:
        """Make the quick attempts of WIRE.md; a longer Retry-After ends them early."""
        pump, clock = self._pump, self._pump.clock
        settings = pump.settings
        give_up_at = clock.monotonic() + (settings.max_retries + 1) * settings.timeout_seconds
        attempt = 0
        while True:
            # The first attempt has its full time, to the digit: a user's transport may look at it.
            seconds = pump.seconds_for_attempt(clock.monotonic(), give_up_at if attempt else None)
            outcome = pump.send([parcel], seconds)
            if outcome.otherwise:
                continue
            slim = slimmed(parcel, outcome)
            if slim is not None:
                parcel = slim
                pump.backlog.encoded(slim)
                continue
            attempt += 1
            if outcome.verdict != "retry" or attempt > settings.max_retries:
                return parcel, outcome
            delay = max(quick_delay(attempt, clock.chance), outcome.retry_after_seconds or 0.0)
            if clock.monotonic() + delay >= give_up_at:
                return parcel, outcome
            pump.count_retry(attempt, str(outcome.status or type(outcome.error).__name__))
            clock.sleep(delay)
