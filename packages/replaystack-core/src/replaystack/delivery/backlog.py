"""Where each event is between its capture and its end, within bounds, and the account of it.

An event waits in the inbox, is held (encoded; before or between attempts), is in flight, or
is on disk. It leaves by being delivered or dropped. Every move is one step under one lock, so
that a reader never sees an event in two places or in none.

A little over 400 lines: all that the one lock guards is here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING

from .courier import BULK_MAX_BYTES
from .inbox import Inbox
from .ledger import Ledger, Stats
from .pending import Parcel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .pending import DropReason, Pending

__all__ = ["Backlog", "Taken"]

Taken = tuple[int, float, "Pending | Parcel"]
"""Ordinal, moment of capture, event."""


class Backlog:
    """The events of one client that are not settled yet. Safe from any thread."""

    def __init__(
        self,
        *,
        max_bytes: int,
        offline_max: int | None,
        monotonic: Callable[[], float] = time.monotonic,
        beside: Backlog | None = None,
    ) -> None:
        """Make one. One thread serves it and `beside`: either's inbox wakes it."""
        self.inbox: Inbox = Inbox(monotonic, beside=None if beside is None else beside.inbox)
        self.offline = False
        """From the first exhausted attempt to the next 2xx."""
        self.on_disk = False
        """A spool takes what is held: then `offline_max` counts nothing."""
        self._max_bytes = max_bytes
        self._offline_max = offline_max
        self._monotonic = monotonic
        # Guards everything below. Held for a few steps of the interpreter, never while encoding,
        # sending, writing or calling foreign code. Re-entrant, because a signal handler or a
        # destructor may capture on the thread that holds it.
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)
        self._ledger = Ledger()
        self._held: deque[Parcel] = deque()
        self._in_flight: dict[int, tuple[int, float, Pending | Parcel]] = {}  # bytes, since, event
        self._held_bytes = 0
        self._in_flight_bytes = 0
        self._from_disk = 0  # in flight, and on disk until they are settled
        self._drop_notices: Counter[tuple[str, str]] = Counter()  # (reason, event type)

    # -- in -------------------------------------------------------------------------------------

    def put(self, pending: Pending) -> None:
        """Take an event over. Never blocks, never raises; the oldest give way when memory is full."""
        inbox = self.inbox
        inbox.append(pending)
        if inbox.size_bytes + self._held_bytes > self._max_bytes or (self.offline and not self.on_disk):
            # If somebody else holds the lock right now, the next capture trims.
            if not self._lock.acquire(blocking=False):
                return
            try:
                untold = bool(self._drop_notices)
                dropped = self.trim()
            finally:
                self._lock.release()
            if dropped and not untold:  # only for the first: waking for each would get in the way
                inbox.wake()

    def enter(self, pending: Pending) -> Taken:
        """Put an event in flight that never saw the inbox (sync mode, or straight to disk)."""
        with self._lock:
            ordinal, since = self._ledger.taken, self._monotonic()
            self._ledger.taken += 1
            self._fly(ordinal, pending.size_bytes, since, pending)
            return ordinal, since, pending

    # -- through --------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits in memory (something may be in flight)."""
        return not self._held and not len(self.inbox)

    @property
    def has_held(self) -> bool:
        """Whether something waits that was encoded before."""
        return bool(self._held)

    @property
    def taken(self) -> int:
        """How many events have left the inbox."""
        return self._ledger.taken

    @property
    def head(self) -> int:
        """The ordinal of the oldest that waits."""
        try:
            return self._held[0].ordinal
        except IndexError:
            return self._ledger.taken

    def take(self, limit: int, before: int | None = None, max_bytes: int = BULK_MAX_BYTES) -> list[Taken]:
        """Put up to `limit` events in flight, oldest first: held ones up to `max_bytes`, then the inbox.

        `before`: an ordinal that ends it.
        """
        taken: list[Taken] = []
        size = 0
        with self._lock:
            while self._held and len(taken) < limit:
                parcel = self._held[0]
                weight = len(parcel.masked)
                size += weight
                if (taken and size > max_bytes) or (before is not None and parcel.ordinal >= before):
                    return taken
                self._held.popleft()
                self._held_bytes -= weight
                self._fly(parcel.ordinal, weight, parcel.since, parcel)
                taken.append((parcel.ordinal, parcel.since, parcel))
            while len(taken) < limit and size < max_bytes and (before is None or self._ledger.taken < before):
                item = self.inbox.popleft()
                if item is None:
                    break
                since, pending = item
                ordinal = self._ledger.taken
                self._ledger.taken = ordinal + 1
                size += pending.size_bytes
                self._fly(ordinal, pending.size_bytes, since, pending)
                taken.append((ordinal, since, pending))
        return taken

    def encoded(self, parcel: Parcel) -> None:
        """Replace an event in flight by what it was encoded to."""
        with self._lock:
            if self._land(parcel.ordinal):
                self._fly(parcel.ordinal, len(parcel.masked), parcel.since, parcel)

    @property
    def is_encoding(self) -> bool:
        """Whether an event in flight is not encoded yet: nobody but the sender can write it to disk."""
        with self._lock:
            return not all(isinstance(event, Parcel) for _, _, event in self._in_flight.values())

    def hold(self, parcels: Sequence[Parcel]) -> None:
        """Take `parcels` out of flight and put them at the head, in order."""
        with self._lock:
            for parcel in reversed(parcels):
                if self._land(parcel.ordinal):
                    self._held.appendleft(parcel)
                    self._held_bytes += len(parcel.masked)

    def hold_last(self, parcel: Parcel) -> None:
        """Take `parcel` out of flight and put it behind what is held (sync mode)."""
        with self._lock:
            if self._land(parcel.ordinal):
                self._held.append(parcel)
                self._held_bytes += len(parcel.masked)

    def encoded_in_flight(self) -> list[Parcel]:
        """Return what is being sent from memory right now, oldest first; it stays in flight."""
        with self._lock:
            events = [event for _, (_, _, event) in sorted(self._in_flight.items())]
            return [event for event in events if isinstance(event, Parcel)]

    def still_in_flight(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        """Return those of `parcels` that nobody has booked meanwhile."""
        with self._lock:
            return [parcel for parcel in parcels if parcel.ordinal in self._in_flight]

    # -- the disk -------------------------------------------------------------------------------

    def spooled(self, parcels: Sequence[Parcel]) -> None:
        """Book events in flight as written to disk."""
        with self._lock:
            self._ledger.spooled += sum(self._land(parcel.ordinal) for parcel in parcels)
            self._settled.notify_all()

    def adopted(self, count: int) -> None:
        """Book events on disk that another process left there."""
        with self._lock:
            self._ledger.adopted += count
            self._ledger.spooled += count

    def lift(self, count: int) -> None:
        """Put events that are on disk in flight; they stay on disk until they are settled."""
        with self._lock:
            self._ledger.spooled -= count
            self._from_disk += count

    def put_back(self, count: int) -> None:
        """Take events out of flight that are still on disk."""
        with self._lock:
            self._from_disk -= count
            self._ledger.spooled += count
            self._settled.notify_all()

    def settle_lifted(self, delivered: int, dropped: Iterable[tuple[DropReason, str]] = ()) -> None:
        """Book events from disk that are in flight: so many delivered, and these (reason, type) dropped."""
        with self._lock:
            self._from_disk -= delivered
            self._ledger.delivered += delivered
            for notice in dropped:
                self._from_disk -= 1
                self._ledger.dropped[notice[0]] += 1
                self._drop_notices[notice] += 1
            self._settled.notify_all()

    def lose_spooled(self, count: int, reason: DropReason) -> None:
        """Book events that the disk no longer holds as dropped."""
        with self._lock:
            self._ledger.spooled -= count
            self._ledger.dropped[reason] += count
            self._drop_notices[reason, "unknown"] += count
            self._settled.notify_all()

    @property
    def lifted(self) -> int:
        """How many events from disk are in flight."""
        return self._from_disk

    @property
    def spooled_count(self) -> int:
        """How many events are on disk and not in flight."""
        return self._ledger.spooled

    # -- out ------------------------------------------------------------------------------------

    def deliver(self, ordinals: Sequence[int]) -> None:
        """Book events in flight as delivered."""
        with self._lock:
            self._ledger.delivered += sum(map(self._land, ordinals))
            self._settled.notify_all()

    def rescue(self, taken: Sequence[Taken], parcels: Sequence[Parcel]) -> None:
        """Take events out of flight whose attempt was torn off (Ctrl-C, a thread's end).

        What is encoded is held for the next attempt; what is not is dropped as `interrupted`.
        """
        with self._lock:
            self.hold(parcels)
            self.drop([ordinal for ordinal, _, _ in taken], "interrupted")

    def drop(self, ordinals: Sequence[int], reason: DropReason) -> None:
        """Book events in flight as dropped; those that are not in flight any more are left alone."""
        with self._lock:
            for ordinal in ordinals:
                flight = self._in_flight.get(ordinal)
                if flight is None:
                    continue
                self._land(ordinal)
                if reason == "carried":
                    self._ledger.carried += 1
                    continue
                self._ledger.dropped[reason] += 1
                self._drop_notices[reason, flight[2].event_type] += 1
            self._settled.notify_all()

    def book_carried(self) -> None:
        """Count an entry that came in and travels inside of an event."""
        with self._lock:
            self._ledger.taken += 1
            self._ledger.carried += 1

    def book_drop(self, reason: DropReason, event_type: str) -> None:
        """Count an event that was captured and dropped in one step."""
        with self._lock:
            self._ledger.taken += 1
            self._ledger.dropped[reason] += 1
            self._drop_notices[reason, event_type] += 1

    def book_retry(self) -> None:
        """Count an attempt beyond the first."""
        with self._lock:
            self._ledger.retries += 1

    def trim(self) -> int:
        """Drop the oldest of what waits beyond the bounds; return how many."""
        dropped = 0
        with self._lock:
            while self._is_over():
                if self._held:
                    parcel = self._held.popleft()
                    self._held_bytes -= len(parcel.masked)
                    event_type = parcel.event_type
                else:
                    item = self.inbox.popleft()
                    if item is None:
                        break
                    self._ledger.taken += 1
                    event_type = item[1].event_type
                self._ledger.dropped["max_queue_size"] += 1
                self._drop_notices["max_queue_size", event_type] += 1
                dropped += 1
            if dropped:
                self._settled.notify_all()
        return dropped

    def _is_over(self) -> bool:
        waiting = len(self._held) + len(self.inbox)
        if not waiting:
            return False
        counts = self.offline and not self.on_disk and self._offline_max is not None
        if counts and self._offline_max is not None and waiting > self._offline_max:
            return True
        return self.size_bytes > self._max_bytes

    def _fly(self, ordinal: int, size_bytes: int, since: float, event: Pending | Parcel) -> None:
        self._in_flight[ordinal] = (size_bytes, since, event)
        self._in_flight_bytes += size_bytes

    def _land(self, ordinal: int) -> bool:
        """Take an event out of flight; False where the exit has written it to disk meanwhile."""
        # In two steps: a signal handler may capture during the call, and would be overwritten.
        flight = self._in_flight.pop(ordinal, None)
        if flight is None:
            return False
        self._in_flight_bytes -= flight[0]
        return True

    def take_drop_notices(self) -> Counter[tuple[str, str]]:
        """Return how many events were dropped since the last call, by reason and event type."""
        if not self._drop_notices:
            return Counter()
        with self._lock:
            notices, self._drop_notices = self._drop_notices, Counter()
        return notices

    def clear(self) -> None:
        """Let go of what is a parent's, in a forked child. Takes no lock: whoever held it is not here."""
        self.inbox, self._held, self._in_flight = Inbox(self._monotonic), deque(), {}

    # -- reading --------------------------------------------------------------------------------

    @property
    def size_bytes(self) -> int:
        """Memory that all events together keep alive (an estimate before encoding)."""
        return self.inbox.size_bytes + self._held_bytes + self._in_flight_bytes

    @property
    def unsettled(self) -> int:
        """How many events are neither delivered nor dropped nor on disk."""
        with self._lock:
            return len(self._held) + len(self._in_flight) + len(self.inbox)

    @property
    def captured(self) -> int:
        """How many events came in so far: also the ordinal of the next one."""
        with self._lock:
            return self._ledger.taken + len(self.inbox)

    def is_settled(self, target: int) -> bool:
        """Tell whether everything captured before ordinal `target` is delivered, dropped or on disk."""
        with self._lock:
            return (
                self._ledger.taken >= target
                and not any(ordinal < target for ordinal in self._in_flight)
                and not any(parcel.ordinal < target for parcel in self._held)
            )

    def wait_settled(self, target: int, seconds: float) -> bool:
        """Block until `is_settled(target)`, at most `seconds`; return what is then true."""
        return self.wait_for(lambda: self.is_settled(target), seconds)

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Block until `condition`, looked at after each move; at most `seconds`."""
        with self._settled:
            return self._settled.wait_for(condition, max(0.0, seconds))

    def notify(self) -> None:
        """Let those who wait look again."""
        with self._lock:
            self._settled.notify_all()

    def dropped(self) -> dict[str, int]:
        """Return what was lost so far, by reason."""
        with self._lock:
            return dict(self._ledger.dropped)

    def stats(self, *, errors: int, skipped: Mapping[str, int], shortened: int = 0) -> Stats:
        """Return the account at one moment: nothing moves while it is read."""
        with self._lock:
            moments = [since for _, since, _ in self._in_flight.values()]
            moments += [self._held[0].since] if self._held else []
            oldest = self.inbox.since
            moments += [] if oldest is None else [oldest]
            return self._ledger.stats(
                waiting=len(self.inbox),
                held=len(self._held),
                in_flight=len(self._in_flight) + self._from_disk,
                queued_bytes=self.size_bytes,
                encode_lag_seconds=max(0.0, self._monotonic() - min(moments)) if moments else 0.0,
                errors=errors,
                skipped=skipped,
                shortened=shortened,
            )
