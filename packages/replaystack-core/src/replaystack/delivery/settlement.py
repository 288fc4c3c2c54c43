"""What an attempt came to: booked for its batch, and said where somebody should know."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from ..diagnostics import RateLimitedLogger
from ..errors import ReceiverRejected
from ..sanitize import without_bodies
from .pending import Parcel

if TYPE_CHECKING:
    from ..clock import Clock
    from .backlog import Backlog
    from .courier import Outcome
    from .depot import Depot
    from .memory import Source
    from .schedule import Schedule

__all__ = ["Settlement", "slimmed"]

_log = RateLimitedLogger(__name__)

_PAYLOAD_TOO_LARGE = 413


class _Report(Protocol):
    def __call__(self, error: BaseException | None, what: str, *, quiet: bool = False) -> None: ...


def slimmed(parcel: Parcel, outcome: Outcome) -> Parcel | None:
    """Return `parcel` without bodies for the one more try that WIRE.md grants after a 413."""
    if outcome.status != _PAYLOAD_TOO_LARGE or parcel.stripped:
        return None
    masked = without_bodies(parcel.masked)
    return Parcel(parcel.ordinal, masked, parcel.event_type, parcel.since, stripped=True)


class Settlement:
    """Books outcomes. For the holder of the pump's ownership."""

    def __init__(
        self,
        backlog: Backlog,
        schedule: Schedule,
        depot: Depot | None,
        *,
        may_hold: bool,
        report: _Report,
        clock: Clock,
    ) -> None:
        self.hurry_to: int = 0
        """A flush: everything below this ordinal is to go at once."""
        self._hurried_to = 0  # flushes below this ordinal have had their immediate attempt
        self._backlog = backlog
        self._schedule = schedule
        self._depot = depot
        self._may_hold = may_hold
        self._report = report
        self._clock = clock
        self._said_refused = False

    def settle(self, source: Source, batch: list[Parcel], outcome: Outcome) -> None:
        """Book the outcome for a batch that is in flight."""
        if outcome.verdict == "delivered":
            self._settle_delivered(source, batch, outcome)
        elif outcome.verdict == "rejected":
            self._settle_rejected(source, batch, outcome)
        elif self._schedule.failed(outcome, self._clock.monotonic()):
            self._settle_exhausted(source, batch)
            self._complain(outcome)
            if self.hurry_to > self._hurried_to:
                # A flush asked while this attempt was under way: its own comes at once, and once.
                self._hurried_to = self.hurry_to
                self._schedule.hurry()
        else:
            source.hold(batch)
            _log.log(
                logging.WARNING,
                "an attempt failed (%s), trying again",
                outcome.status or type(outcome.error).__name__,
                extra={"retry_count": self._schedule.attempts, "http_status": outcome.status},
            )

    def settle_unreachable(self, outcome: Outcome) -> None:
        """Book an attempt that came before any batch: the receiver did not even say what it takes."""
        if self._schedule.failed(outcome, self._clock.monotonic()):
            self._backlog.offline = True
            self._backlog.on_disk = self._depot is not None and self._depot.is_usable
            self._backlog.trim()
            self._complain(outcome)

    def _settle_delivered(self, source: Source, batch: list[Parcel], outcome: Outcome) -> None:
        refused = {index for index in outcome.refused if index < len(batch)} if len(batch) > 1 else set()
        self._backlog.offline = self._said_refused = False
        self._schedule.succeeded()
        source.deliver(
            [parcel for index, parcel in enumerate(batch) if index not in refused],
            [batch[index] for index in sorted(refused)],
        )
        if refused:
            error = ReceiverRejected(
                f"the receiver refused {len(refused)} events of a batch", outcome.status or 200
            )
            self._report(error, "delivering events")

    def _settle_rejected(self, source: Source, batch: list[Parcel], outcome: Outcome) -> None:
        """Nothing of this batch was taken: find the bad event, or drop it if it stands alone."""
        self._schedule.restart()
        if outcome.otherwise:
            source.hold(batch)
            return
        if len(batch) > 1:
            source.halving.refused([parcel.ordinal for parcel in batch])
            source.hold(batch)
            return
        slim = slimmed(batch[0], outcome)
        if slim is not None:
            source.hold([slim])
            return
        source.drop(batch, "rejected")
        self._report(outcome.error, "delivering an event")

    def _settle_exhausted(self, source: Source, batch: list[Parcel]) -> None:
        """Hold a batch whose quick attempts failed, within the bounds of an outage."""
        depot = self._depot
        self._backlog.on_disk = depot is not None and depot.is_usable
        if not self._may_hold and source is not depot and not self._backlog.on_disk:
            # Nothing may be held: this batch ends here, and the next one gets its own attempts.
            source.drop(batch, "max_queue_size")
            self._schedule.restart()
            return
        self._backlog.offline = True
        source.hold(batch)
        self._backlog.trim()

    def _complain(self, outcome: Outcome) -> None:
        """Report an outage. A wrong key or a redirect is said once: nobody mends it within a minute."""
        if outcome.verdict == "held":
            said, self._said_refused = self._said_refused, True
            if not said:
                _log.log(
                    logging.ERROR,
                    "the receiver refuses us with status %s: events are held, the next attempt is in 60 s",
                    outcome.status,
                    extra={"http_status": outcome.status},
                )
            self._report(outcome.error, "delivering events", quiet=True)
            return
        self._report(outcome.error, "delivering events")
