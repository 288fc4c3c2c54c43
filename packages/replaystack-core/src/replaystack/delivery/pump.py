"""The whole sender: `Pump.step` does one unit of work and says when it wants to be called next.

Whoever calls `step` holds `ownership`: the client's thread in a ten-line loop, a flush in
sync mode, the end of the process, or a test with a clock of its own.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM_CLOCK, Clock
from .backlog import Backlog
from .depot import Depot
from .drop_notices import DropNotices
from .encoding import SLICE_EVENTS, Encoder
from .inbox import FULL_BYTES, NEVER
from .memory import MemorySource
from .meter import Meter
from .schedule import Schedule
from .settlement import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..diagnostics import Guard
    from ..option_checks import Durability
    from .courier import Carrier, Outcome
    from .memory import Source
    from .pending import Parcel
    from .spool import Spool

__all__ = ["Pump", "PumpSettings"]

_log = logging.getLogger(__name__)

_BLIND_SECONDS = 1.0
"""The wait where the disk holds events and does not give them."""


@dataclass(frozen=True, slots=True)
class PumpSettings:
    """Bounds and delays of one pump. Seconds and bytes."""

    timeout_seconds: float = 2.5
    max_retries: int = 1
    queue_max_bytes: int = 16 * 1024 * 1024
    offline_queue_max: int | None = None
    batch_interval_seconds: float = 0.2
    flush_interval_seconds: float = 0.0
    durability: Durability = "on_failure"
    sync: bool = False
    """Events are sent by their callers; steps only send what is held."""
    retry_base_seconds: float = 0.15
    """The first quick attempt waits up to this, each next one up to twice as long."""
    retry_max_seconds: float = 60.0


class Pump:
    """Moves events from the backlog, or the spool, to the receiver, in order."""

    def __init__(
        self,
        courier: Carrier,
        settings: PumpSettings,
        *,
        guard: Guard,
        clock: Clock = SYSTEM_CLOCK,
        on_queue_drop: Callable[[dict[str, Any]], None] | None = None,
        metrics: Any = None,
        spool: Callable[[Callable[[BaseException, str], None]], Spool] | None = None,
        beside: Pump | None = None,
    ) -> None:
        """Make a pump. `spool` makes the spool, given the function that takes its complaints.

        `beside`: a pump that the same thread steps.
        """
        self.backlog: Backlog = Backlog(
            max_bytes=settings.queue_max_bytes,
            offline_max=settings.offline_queue_max,
            monotonic=clock.monotonic,
            beside=None if beside is None else beside.backlog,
        )
        self.ownership: threading.Lock = threading.Lock()
        """Held by whoever calls `step`: one batch at a time, in order."""
        self.settings: PumpSettings = settings
        self.courier: Carrier = courier
        self.clock: Clock = clock
        self.meter: Meter = Meter(metrics, guard)
        self.notices: DropNotices = DropNotices(
            self.backlog, guard=guard, meter=self.meter, on_queue_drop=on_queue_drop
        )
        self.encoder: Encoder = Encoder(self.backlog, report=self.report, meter=self.meter, clock=clock)
        self.schedule: Schedule = Schedule(
            max_retries=settings.max_retries,
            tick_seconds=settings.flush_interval_seconds,
            chance=clock.chance,
            by_tick_only=settings.sync,
            retry_base_seconds=settings.retry_base_seconds,
            retry_max_seconds=settings.retry_max_seconds,
        )
        self.depot: Depot | None = None
        if spool is not None:
            notes: list[tuple[BaseException, str]] = []
            make = spool
            self.depot = Depot(
                lambda: make(lambda error, what: notes.append((error, what))),
                self.backlog,
                self.encoder,
                durability=settings.durability,
                report=self.report,
                notes=notes,
                clock=clock,
            )
            courier.while_waiting(self.depot.work_while_waiting)
        self._guard = guard
        self._memory = MemorySource(self.backlog, self.encoder)
        self._batch_since: float | None = None
        self._hurry_depot = False  # a flush, for what is on disk
        self._blind_until = 0.0  # the disk holds events and did not give them
        self._settlement = Settlement(
            self.backlog,
            self.schedule,
            self.depot,
            may_hold=settings.offline_queue_max != 0,
            report=self.report,
            clock=clock,
        )
        self._retry_reason = ""
        self._last_error: BaseException | None = None
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
            self.notices.tell()
            due = self._step(now, deadline)
            self.notices.tell()
            return due

    def _step(self, now: float, deadline: float | None) -> float | None:
        stored_at = self._store(now)
        if stored_at is not None and stored_at <= now:
            return now
        source = self._source(now)
        if source is None:
            return self._rest(now) if stored_at is None else stored_at
        self.backlog.inbox.wake_at = NEVER
        wait_until = self._not_before(now, deadline, source)
        if wait_until is None:
            return self._attempt(deadline, source)
        if stored_at is not None:
            return self._listen(now, SLICE_EVENTS, min(wait_until, stored_at))
        return self._listen(now, 1, wait_until) if self._stores else wait_until

    def _attempt(self, deadline: float | None, source: Source) -> float | None:
        """Send one batch of `source`."""
        if self.meter.is_on:
            size = self.backlog.size_bytes
            self.meter.tell("record_queue_depth", depth=self.backlog.unsettled, bytes=size)
        try:
            batch = source.load(self.courier.batch_limit)
            refusal = self.courier.refusal
            if batch and refusal is not None:
                source.drop(batch, refusal)
            elif batch:
                if self.schedule.is_retry:
                    self.count_retry(self.schedule.attempts, self._retry_reason)
                seconds = self.seconds_for_attempt(self.clock.monotonic(), deadline)
                self._settlement.settle(source, batch, self.send(batch, seconds))
        except BaseException:
            # Ctrl-C in a flush, or whatever else tears this off: nothing may stay in flight for ever.
            source.rescue()
            raise
        now = self.clock.monotonic()
        if not batch and source is self.depot:
            self._blind_until = now + _BLIND_SECONDS
        if self.is_idle:
            return self._rest(now)
        # In an outage with a spool the next step arranges to be woken by what is captured.
        return now if self._stores and batch else max(now, self.schedule.due)

    def send(self, batch: list[Parcel], seconds: float) -> Outcome:
        """Make one attempt and tell the meter. Blocks for `seconds` at most; never raises."""
        started = self.clock.monotonic()
        outcome = self.courier.send(batch, seconds)
        is_logged = _log.isEnabledFor(logging.DEBUG)
        if is_logged or self.meter.is_on:
            elapsed_ms = (self.clock.monotonic() - started) * 1000
            size = sum(len(parcel.masked) for parcel in batch)
            if is_logged:
                self._say(outcome, len(batch), size, elapsed_ms)
            self.meter.tell(
                "record_delivery",
                elapsed_ms=elapsed_ms,
                success=outcome.verdict == "delivered",
                events=len(batch),
                bytes=size,
            )
        self._retry_reason = str(outcome.status or type(outcome.error).__name__)
        return outcome

    def _say(self, outcome: Outcome, count: int, size: int, elapsed_ms: float) -> None:
        """Tell who debugs that something left, and what came of it. Each attempt: it was asked for."""
        with self._guard.protect("a log line"):  # a logging filter is the user's, and may raise
            _log.debug(
                "attempt with a batch of %d: %s, status %s, %.0f ms",
                count,
                outcome.verdict,
                outcome.status,
                elapsed_ms,
                extra={"event_count": count, "byte_count": size, "http_status": outcome.status},
            )

    def seconds_for_attempt(self, now: float, deadline: float | None) -> float:
        """Return how long an attempt may take that begins now."""
        seconds = self.settings.timeout_seconds
        # Not zero: that would mean "do not wait" to a socket.
        return seconds if deadline is None else max(0.01, min(seconds, deadline - now))

    def count_retry(self, attempt: int, reason: str) -> None:
        """Count an attempt beyond the first, and tell the meter."""
        self.backlog.book_retry()
        self.meter.tell("record_retry", attempt=max(1, attempt), reason=reason)

    # -- what there is to do --------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, neither in memory nor on disk."""
        return self.backlog.is_empty and not (self.depot is not None and self.depot.has_events)

    @property
    def _stores(self) -> bool:
        return self.depot is not None and self.depot.takes_everything

    def _store(self, now: float) -> float | None:
        """Write a slice to disk if that is due; return when the next one is, None: nothing waits for it."""
        depot = self.depot
        if depot is None:
            return None
        depot.adopt_if_due(now)
        self.backlog.on_disk = depot.is_usable
        if not depot.takes_everything:
            return None
        due = depot.store_at()
        hurried = self.backlog.taken < self._settlement.hurry_to
        if due is not None and (due <= now or hurried) and depot.store():
            due = depot.store_at()
        if not depot.takes_everything:  # the disk refused: on in memory
            return None
        if due is not None and due > now:
            return self._listen(now, SLICE_EVENTS, due)
        return due

    def _source(self, now: float) -> Source | None:
        depot = self.depot
        if depot is not None and depot.has_events and depot.is_usable and now >= self._blind_until:
            return depot
        if self.backlog.is_empty or self._stores:
            return None
        return self._memory

    def _not_before(self, now: float, deadline: float | None, source: Source) -> float | None:
        """Return when the next attempt may be made, None: now."""
        if self.schedule.due > now:
            return self.schedule.due
        unknown = self.courier.ask_capabilities(self.seconds_for_attempt(now, deadline))
        if unknown is not None:
            self._settlement.settle_unreachable(unknown)
            return self.schedule.due
        return self._wait_for_batch(now, self.courier.batch_limit, source)

    def _rest(self, now: float) -> float | None:
        """Sleep until something arrives, or until a disk that refused may be asked again."""
        self._batch_since = None
        self._hurry_depot = False
        waits_for_disk = self.depot is not None and self.depot.has_events
        return self._listen(now, 1, now + _BLIND_SECONDS if waits_for_disk else None)

    def _listen(self, now: float, count: int, until: float | None) -> float | None:
        """Ask to be woken; look again after asking, so that nothing is missed."""
        inbox = self.backlog.inbox
        inbox.wake_at = count
        return now if len(inbox) >= count else until

    def _wait_for_batch(self, now: float, limit: int, source: Source) -> float | None:
        """Return when to send what is there, or None: now. Bulk pays only if batches fill."""
        backlog = self.backlog
        inbox = backlog.inbox
        if source is self.depot:
            is_full = backlog.spooled_count >= limit or self._hurry_depot
        else:
            is_full = backlog.has_held or len(inbox) >= limit or inbox.size_bytes >= FULL_BYTES
        if limit == 1 or is_full or backlog.taken < self._settlement.hurry_to:
            self._batch_since = None
            return None
        if self._batch_since is None:
            self._batch_since = now
        full_at = self._batch_since + self.settings.batch_interval_seconds
        if full_at <= now:
            self._batch_since = None
            return None
        return full_at if source is self.depot else self._listen(now, limit, full_at)

    # -- trouble ----------------------------------------------------------------------------------

    def report(self, error: BaseException | None, what: str, *, quiet: bool = False) -> None:
        """Count, log (unless `quiet`) and hand an error to `on_error`. Never raises."""
        if error is None:
            return
        self.errors += 1
        self._last_error = error
        self._guard.report(error, "" if quiet else "replaystack: %s failed", what)

    def take_last_error(self) -> BaseException | None:
        """Return the last error since the last call, for `raise_on_error`."""
        error, self._last_error = self._last_error, None
        return error

    # -- flushing -------------------------------------------------------------------------------

    def hurry(self) -> int:
        """Ask for everything captured so far to go out at once; return the ordinal after it."""
        target = self.backlog.captured
        settlement = self._settlement
        settlement.hurry_to = max(settlement.hurry_to, target)
        self._hurry_depot = True
        self.schedule.hurry()
        self.backlog.inbox.wake()
        return target

    def wait_drained(self, seconds: float) -> None:
        """Block until the disk is empty, or the receiver does not take it; at most `seconds`."""
        self.backlog.wait_for(lambda: not (self.backlog.lifted or self.may_drain), seconds)

    @property
    def may_drain(self) -> bool:
        """Whether something on disk could be sent right now."""
        depot = self.depot
        return (
            depot is not None
            and depot.has_events
            and depot.is_usable
            and max(self.schedule.due, self._blind_until) <= self.clock.monotonic()
        )

    def drive(self, target: int, deadline: float) -> bool:
        """Step in the caller until everything before ordinal `target` is settled, or `deadline`.

        What is on disk is sent too, as long as the receiver takes it.
        """
        backlog, monotonic = self.backlog, self.clock.monotonic
        while not backlog.is_settled(target) or self.may_drain:
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
                self.clock.sleep(due - now)
        return True

    def close(self) -> None:
        """Let go of connections."""
        self.courier.close()
