"""The whole sender: `Pump.step` does one unit of work and says when it wants to be called next.

Whoever calls `step` holds `ownership`: the client's thread in a ten-line loop, a flush in
sync mode, or a test with a clock of its own.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM_CLOCK, Clock
from ..diagnostics import Guard, RateLimitedLogger
from ..errors import ReceiverRejected
from ..sanitize import without_bodies
from .backlog import Backlog
from .courier import BULK_MAX_BYTES, Courier, Outcome
from .inbox import NEVER
from .pending import Dropped, Parcel, Pending
from .retry import quick_delay
from .schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..event import CaptureResponse
    from ..sanitize import Masked

__all__ = ["Pump", "PumpSettings"]

_log = RateLimitedLogger(__name__)

_PAYLOAD_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class PumpSettings:
    """Bounds and delays of one pump. Seconds and bytes."""

    timeout_seconds: float = 2.5
    max_retries: int = 1
    queue_max_bytes: int = 16 * 1024 * 1024
    offline_queue_max: int | None = None
    batch_interval_seconds: float = 0.2
    flush_interval_seconds: float = 0.0
    sync: bool = False
    """Events are sent by their callers; steps only send what is held."""


class Pump:
    """Moves events from the backlog to the receiver, in order."""

    def __init__(
        self,
        courier: Courier,
        settings: PumpSettings,
        *,
        guard: Guard,
        clock: Clock = SYSTEM_CLOCK,
        on_queue_drop: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.backlog: Backlog = Backlog(
            max_bytes=settings.queue_max_bytes, offline_max=settings.offline_queue_max
        )
        self.ownership: threading.Lock = threading.Lock()
        """Held by whoever calls `step`: one batch at a time, in order."""
        self._courier = courier
        self._settings = settings
        self._guard = guard
        self._clock = clock
        self._on_queue_drop = on_queue_drop
        self._schedule = Schedule(
            max_retries=settings.max_retries,
            tick_seconds=settings.flush_interval_seconds,
            chance=clock.chance,
            by_tick_only=settings.sync,
        )
        self._batch_since: float | None = None
        self._alone_before = 0  # a rejected batch: events below this ordinal go out one by one
        self._hurry_to = 0  # a flush: no waiting for fuller batches below this ordinal
        self._hurried_to = 0  # flushes below this ordinal have had their immediate attempt
        self._last_error: BaseException | None = None
        self._delivering = threading.local()
        self.errors: int = 0
        """How many errors of delivery and encoding were reported."""

    # -- one step -------------------------------------------------------------------------------

    def step(self, now: float, *, deadline: float | None = None) -> float | None:
        """Do one unit of work: at most one attempt. The caller holds `ownership`.

        Blocks for at most `timeout_seconds` (for the first send once more, to ask for
        capabilities), and never beyond `deadline`.

        Args:
            now: the monotonic clock, seconds.
            deadline: bounds the attempt further, on the same clock.

        Returns:
            When to call again, on the same clock; None: when the inbox wakes.

        """
        with self._guard.busy():
            return self._step(now, deadline)

    def _step(self, now: float, deadline: float | None) -> float | None:
        self._tell_drops()
        backlog = self.backlog
        if backlog.is_empty:
            return self._rest(now)
        backlog.inbox.wake_at = NEVER
        if self._schedule.due > now:
            return self._schedule.due
        self._courier.ask_capabilities(self._seconds_for_attempt(now, deadline))
        limit = self._courier.batch_limit
        full_at = self._wait_for_batch(now, limit)
        if full_at is not None:
            return full_at
        taken = backlog.take(limit, self._alone_before)
        batch: list[Parcel] = []
        try:
            self._encode_batch(taken, batch)
            if batch:
                if self._schedule.is_retry:
                    backlog.book_retry()
                seconds = self._seconds_for_attempt(self._clock.monotonic(), deadline)
                self._settle(batch, self._courier.send(batch, seconds))
        except BaseException:
            # Ctrl-C in a flush, or whatever else tears this off: nothing may stay in flight for ever.
            backlog.rescue([ordinal for ordinal, _ in taken], batch)
            raise
        self._tell_drops()
        now = self._clock.monotonic()
        return self._rest(now) if backlog.is_empty else max(now, self._schedule.due)

    def _seconds_for_attempt(self, now: float, deadline: float | None) -> float:
        seconds = self._settings.timeout_seconds
        # Not zero: that would mean "do not wait" to a socket.
        return seconds if deadline is None else max(0.01, min(seconds, deadline - now))

    def _rest(self, now: float) -> float | None:
        """Sleep until something arrives; looks again after asking to be woken, so nothing is missed."""
        inbox = self.backlog.inbox
        self._batch_since = None
        inbox.wake_at = 1
        return now if len(inbox) else None

    def _wait_for_batch(self, now: float, limit: int) -> float | None:
        """Return when to send what is there, or None: now. Bulk pays only if batches fill."""
        backlog = self.backlog
        if limit == 1 or backlog.has_held or backlog.taken < self._hurry_to or len(backlog.inbox) >= limit:
            self._batch_since = None
            return None
        if self._batch_since is None:
            self._batch_since = now
        full_at = self._batch_since + self._settings.batch_interval_seconds
        if full_at <= now:
            self._batch_since = None
            return None
        backlog.inbox.wake_at = limit
        return now if len(backlog.inbox) >= limit else full_at

    def _encode_batch(self, taken: list[tuple[int, Pending | Parcel]], batch: list[Parcel]) -> None:
        """Fill `batch` with what was taken, encoded; give back what one request cannot carry."""
        for ordinal, item in taken:
            parcel = item if isinstance(item, Parcel) else self._encode(ordinal, item)
            if parcel is not None:
                batch.append(parcel)
        size = 0
        for index, parcel in enumerate(batch):
            size += len(parcel.masked)
            if index and size > BULK_MAX_BYTES:
                self.backlog.hold(batch[index:])
                del batch[index:]
                return

    def _encode(self, ordinal: int, pending: Pending) -> Parcel | None:
        """Encode an event in flight, outside of all locks; drop and count what cannot be encoded."""
        masked: Masked | Dropped
        try:
            masked = pending.encode()
        except Exception as error:  # noqa: BLE001 - fail closed: what cannot be masked never leaves
            self._report(error, "encoding an event")
            masked = Dropped("encode_error")
        if isinstance(masked, Dropped):
            self.backlog.drop([ordinal], masked.reason)
            return None
        self.backlog.encoded(ordinal, masked)
        return Parcel(ordinal, masked, pending.event_type)

    # -- what an attempt came to ----------------------------------------------------------------

    def _settle(self, batch: list[Parcel], outcome: Outcome) -> None:
        """Book the outcome for a batch that is in flight."""
        if outcome.verdict == "delivered":
            self._settle_delivered(batch, outcome)
        elif outcome.verdict == "rejected":
            self._settle_rejected(batch, outcome)
        elif self._schedule.failed(outcome, self._clock.monotonic()):
            self._settle_exhausted(batch)
            self._report(outcome.error, "delivering events")
            if self._hurry_to > self._hurried_to:
                # A flush asked while this attempt was under way: its own comes at once, and once.
                self._hurried_to = self._hurry_to
                self._schedule.hurry()
        else:
            self.backlog.hold(batch)
            _log.log(
                logging.WARNING,
                "an attempt failed (%s), trying again",
                outcome.status or type(outcome.error).__name__,
                extra={"retry_count": self._schedule.attempts, "http_status": outcome.status},
            )

    def _settle_delivered(self, batch: list[Parcel], outcome: Outcome) -> None:
        refused = {index for index in outcome.refused if index < len(batch)} if len(batch) > 1 else set()
        self.backlog.offline = False
        self._schedule.succeeded()
        self.backlog.deliver([parcel.ordinal for index, parcel in enumerate(batch) if index not in refused])
        if refused:
            self.backlog.drop([batch[index].ordinal for index in refused], "rejected")
            error = ReceiverRejected(
                f"the receiver refused {len(refused)} events of a batch", outcome.status or 200
            )
            self._report(error, "delivering events")

    def _settle_rejected(self, batch: list[Parcel], outcome: Outcome) -> None:
        """Nothing of this batch was taken: find the bad event, or drop it if it stands alone."""
        self._schedule.restart()
        if len(batch) > 1:
            if not outcome.bulk_unknown:
                self._alone_before = max(parcel.ordinal for parcel in batch) + 1
            self.backlog.hold(batch)
            return
        slim = self._slimmed(batch[0], outcome)
        if slim is not None:
            self.backlog.hold([slim])
            return
        self.backlog.drop([batch[0].ordinal], "rejected")
        self._report(outcome.error, "delivering an event")

    def _settle_exhausted(self, batch: list[Parcel]) -> None:
        """Hold a batch whose quick attempts failed, within the bounds of an outage."""
        if self._settings.offline_queue_max == 0:
            # Nothing may be held: this batch ends here, and the next one gets its own attempts.
            self.backlog.overflow(batch)
            self._schedule.restart()
            return
        self.backlog.offline = True
        self.backlog.hold(batch)
        self.backlog.trim()

    @staticmethod
    def _slimmed(parcel: Parcel, outcome: Outcome) -> Parcel | None:
        """Return `parcel` without bodies for the one more try that WIRE.md grants after a 413."""
        if outcome.status != _PAYLOAD_TOO_LARGE or parcel.stripped:
            return None
        return Parcel(parcel.ordinal, without_bodies(parcel.masked), parcel.event_type, stripped=True)

    def _report(self, error: BaseException | None, what: str) -> None:
        if error is None:
            return
        self.errors += 1
        self._last_error = error
        self._guard.report(error, "replaystack: %s failed", what)

    def take_last_error(self) -> BaseException | None:
        """Return the last error since the last call, for `raise_on_error`."""
        error, self._last_error = self._last_error, None
        return error

    def _tell_drops(self) -> None:
        """Say once a minute that the queue overflowed, and call the user's hook for each drop."""
        notices = self.backlog.take_drop_notices()
        if not notices:
            return
        _log.log(
            logging.WARNING,
            "the queue is full: %d events dropped",
            notices.total(),
            extra={"event_count": notices.total(), "reason": "max_queue_size"},
        )
        if self._on_queue_drop is None:
            return
        for event_type in notices.elements():
            try:
                self._on_queue_drop({"reason": "max_queue_size", "eventType": event_type})
            except Exception as error:  # noqa: BLE001 - the user's hook; sending goes on
                self._guard.report(error, "replaystack: %s raised", "on_queue_drop")

    # -- sync mode ------------------------------------------------------------------------------

    @property
    def is_delivering_here(self) -> bool:
        """Whether the calling thread is inside of `deliver`: a signal handler or destructor asks."""
        return getattr(self._delivering, "active", False)

    def deliver(self, pending: Pending) -> tuple[CaptureResponse | None, BaseException | None]:
        """Send one event in the caller, past the queue; hold it if that fails.

        Blocks for at most (max_retries + 1) x timeout_seconds. Several threads may deliver at
        once, each once. Returns what the receiver said to a 2xx, and the error of this event.
        """
        backlog = self.backlog
        ordinal = backlog.enter(pending.size_bytes)
        parcel: Parcel | None = None
        self._delivering.active = True
        try:
            parcel = self._encode(ordinal, pending)
            return (None, None) if parcel is None else self._deliver_encoded(parcel)
        except BaseException:  # Ctrl-C: the event is held, not in flight for ever
            backlog.rescue([ordinal], [parcel] if parcel is not None else [])
            raise
        finally:
            self._delivering.active = False

    def _deliver_encoded(self, parcel: Parcel) -> tuple[CaptureResponse | None, BaseException | None]:
        backlog, ordinal = self.backlog, parcel.ordinal
        parcel, outcome = self._attempt_quickly(parcel)
        if outcome.verdict == "delivered":
            backlog.offline = False
            backlog.deliver([ordinal])
        elif outcome.verdict == "rejected":
            backlog.drop([ordinal], "rejected")
        elif self._settings.offline_queue_max == 0:
            backlog.overflow([parcel])
        else:
            self._schedule.exhausted(outcome, self._clock.monotonic())
            backlog.offline = True
            backlog.hold_last(parcel)
            backlog.trim()
            backlog.inbox.wake()  # the tick, where there is one, learns that something is held
        if outcome.error is not None:  # raised to this caller, if at all: not to a later flush
            self.errors += 1
            self._guard.report(outcome.error, "replaystack: %s failed", "delivering an event")
        with self._guard.busy():
            self._tell_drops()
        return outcome.response, outcome.error

    def _attempt_quickly(self, parcel: Parcel) -> tuple[Parcel, Outcome]:
        """Make the quick attempts of WIRE.md; a longer Retry-After ends them early."""
        monotonic = self._clock.monotonic
        give_up_at = monotonic() + (self._settings.max_retries + 1) * self._settings.timeout_seconds
        attempt = 0
        while True:
            # The first attempt has its full time, to the digit: a user's transport may look at it.
            seconds = self._seconds_for_attempt(monotonic(), give_up_at if attempt else None)
            outcome = self._courier.send([parcel], seconds)
            slim = self._slimmed(parcel, outcome)
            if slim is not None:
                parcel = slim
                continue
            attempt += 1
            if outcome.verdict != "retry" or attempt > self._settings.max_retries:
                return parcel, outcome
            delay = max(quick_delay(attempt, self._clock.chance), outcome.retry_after_seconds or 0.0)
            if monotonic() + delay >= give_up_at:
                return parcel, outcome
            self.backlog.book_retry()
            self._clock.sleep(delay)

    # -- flushing -------------------------------------------------------------------------------

    def hurry(self) -> int:
        """Ask for everything captured so far to go out at once; return the ordinal after it."""
        target = self.backlog.captured
        self._hurry_to = max(self._hurry_to, target)
        self._schedule.hurry()
        self.backlog.inbox.wake()
        return target

    def drive(self, target: int, deadline: float) -> bool:
        """Step in the caller until everything before ordinal `target` is settled, or `deadline`."""
        backlog, monotonic = self.backlog, self._clock.monotonic
        while not backlog.is_settled(target):
            now = monotonic()
            if now >= deadline or not self.ownership.acquire(timeout=deadline - now):
                return backlog.is_settled(target)
            try:
                due = self.step(monotonic(), deadline=deadline)
            finally:
                self.ownership.release()
            now = monotonic()
            if due is None:  # nothing to step, yet not settled: another thread sends its own event
                return backlog.wait_settled(target, deadline - now)
            if due >= deadline:
                return backlog.is_settled(target)
            if due > now:
                self._clock.sleep(due - now)
        return True

    def close(self) -> None:
        """Let go of connections."""
        self._courier.close()
