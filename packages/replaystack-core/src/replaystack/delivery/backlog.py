"""Where each event is between its capture and its end, within bounds, and the account of it.

An event waits in the inbox, is held (encoded; before or between attempts), or is in flight.
It leaves by being delivered or dropped. Every move is one step under one lock, so that a
reader never sees an event in two places or in none.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING

from .courier import BULK_MAX_BYTES
from .inbox import Inbox
from .ledger import Ledger, Stats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..sanitize import Masked
    from .pending import Parcel, Pending

__all__ = ["Backlog"]


class Backlog:
    """The events of one client that are not settled yet. Safe from any thread."""

    def __init__(self, *, max_bytes: int, offline_max: int | None) -> None:
        self.inbox: Inbox = Inbox()
        self.offline = False
        """From the first exhausted attempt to the next 2xx: then `offline_max` counts."""
        self._max_bytes = max_bytes
        self._offline_max = offline_max
        # Guards everything below. Held for a few steps of the interpreter, never while encoding,
        # sending or calling foreign code. Re-entrant, because a signal handler or a destructor
        # may capture on the thread that holds it.
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)
        self._ledger = Ledger()
        self._held: deque[Parcel] = deque()
        self._in_flight: dict[int, int] = {}  # ordinal -> bytes
        self._held_bytes = 0
        self._in_flight_bytes = 0
        self._drop_notices: Counter[str] = Counter()

    # -- in -------------------------------------------------------------------------------------

    def put(self, pending: Pending) -> None:
        """Take an event over. Never blocks, never raises; the oldest give way when memory is full."""
        inbox = self.inbox
        inbox.append(pending)
        if inbox.size_bytes + self._held_bytes > self._max_bytes or self.offline:
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

    def enter(self, size_bytes: int) -> int:
        """Put an event in flight that never saw the inbox (sync mode); return its ordinal."""
        with self._lock:
            ordinal = self._ledger.taken
            self._ledger.taken += 1
            self._fly(ordinal, size_bytes)
            return ordinal

    # -- through --------------------------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits (something may be in flight)."""
        return not self._held and not len(self.inbox)

    @property
    def has_held(self) -> bool:
        """Whether something waits that was encoded before."""
        return bool(self._held)

    @property
    def taken(self) -> int:
        """How many events have left the inbox."""
        return self._ledger.taken

    def take(self, limit: int, alone_before: int) -> list[tuple[int, Pending | Parcel]]:
        """Put up to `limit` events in flight, oldest first; return (ordinal, event) pairs.

        Held ones with an ordinal below `alone_before` go one at a time.
        """
        taken: list[tuple[int, Pending | Parcel]] = []
        with self._lock:
            size = 0
            if self._held and self._held[0].ordinal < alone_before:
                limit = 1
            while self._held and len(taken) < limit:
                size += len(self._held[0].masked)
                if taken and size > BULK_MAX_BYTES:
                    return taken
                parcel = self._held.popleft()
                weight = len(parcel.masked)
                self._held_bytes -= weight
                self._fly(parcel.ordinal, weight)
                taken.append((parcel.ordinal, parcel))
            while len(taken) < limit:
                pending = self.inbox.popleft()
                if pending is None:
                    break
                weight = pending.size_bytes
                ordinal = self._ledger.taken
                self._ledger.taken = ordinal + 1
                self._fly(ordinal, weight)
                taken.append((ordinal, pending))
        return taken

    def encoded(self, ordinal: int, masked: Masked) -> None:
        """Correct the size of an event in flight, now that it is known."""
        with self._lock:
            self._land(ordinal)
            self._fly(ordinal, len(masked))

    def hold(self, parcels: Sequence[Parcel]) -> None:
        """Take `parcels` out of flight and put them at the head, in order."""
        with self._lock:
            for parcel in reversed(parcels):
                self._land(parcel.ordinal)
                self._held.appendleft(parcel)
                self._held_bytes += len(parcel.masked)

    def hold_last(self, parcel: Parcel) -> None:
        """Take `parcel` out of flight and put it behind what is held (sync mode)."""
        with self._lock:
            self._land(parcel.ordinal)
            self._held.append(parcel)
            self._held_bytes += len(parcel.masked)

    # -- out ------------------------------------------------------------------------------------

    def deliver(self, ordinals: Sequence[int]) -> None:
        """Book events in flight as delivered."""
        with self._lock:
            for ordinal in ordinals:
                self._land(ordinal)
            self._ledger.delivered += len(ordinals)
            self._settled.notify_all()

    def overflow(self, parcels: Sequence[Parcel]) -> None:
        """Book events in flight as dropped by the queue's bound, and tell the user's hook of each."""
        with self._lock:
            self._drop_notices.update(parcel.event_type for parcel in parcels)
            self.drop([parcel.ordinal for parcel in parcels], "max_queue_size")

    def rescue(self, ordinals: Sequence[int], parcels: Sequence[Parcel]) -> None:
        """Take events out of flight whose attempt was torn off (Ctrl-C, a thread's end).

        What is encoded is held for the next attempt; what is not is dropped as `interrupted`.
        """
        with self._lock:
            self.hold([parcel for parcel in parcels if parcel.ordinal in self._in_flight])
            self.drop([ordinal for ordinal in ordinals if ordinal in self._in_flight], "interrupted")

    def drop(self, ordinals: Sequence[int], reason: str) -> None:
        """Book events in flight as dropped."""
        if not ordinals:
            return
        with self._lock:
            for ordinal in ordinals:
                self._land(ordinal)
            self._ledger.dropped[reason] += len(ordinals)
            self._settled.notify_all()

    def book_drop(self, reason: str) -> None:
        """Count an event that was captured and dropped in one step."""
        with self._lock:
            self._ledger.taken += 1
            self._ledger.dropped[reason] += 1

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
                    size = len(parcel.masked)
                    self._held_bytes -= size
                    event_type = parcel.event_type
                else:
                    pending = self.inbox.popleft()
                    if pending is None:
                        break
                    self._ledger.taken += 1
                    event_type = pending.event_type
                self._ledger.dropped["max_queue_size"] += 1
                self._drop_notices[event_type] += 1
                dropped += 1
            if dropped:
                self._settled.notify_all()
        return dropped

    def _is_over(self) -> bool:
        waiting = len(self._held) + len(self.inbox)
        if not waiting:
            return False
        if self.offline and self._offline_max is not None and waiting > self._offline_max:
            return True
        return self.size_bytes > self._max_bytes

    def _fly(self, ordinal: int, size_bytes: int) -> None:
        self._in_flight[ordinal] = size_bytes
        self._in_flight_bytes += size_bytes

    def _land(self, ordinal: int) -> None:
        # In two steps: a signal handler may capture during the call, and would be overwritten.
        size = self._in_flight.pop(ordinal)
        self._in_flight_bytes -= size

    def take_drop_notices(self) -> Counter[str]:
        """Return how many events the bounds dropped since the last call, by event type."""
        if not self._drop_notices:
            return Counter()
        with self._lock:
            notices, self._drop_notices = self._drop_notices, Counter()
        return notices

    # -- reading --------------------------------------------------------------------------------

    @property
    def size_bytes(self) -> int:
        """Memory that all events together keep alive (an estimate before encoding)."""
        return self.inbox.size_bytes + self._held_bytes + self._in_flight_bytes

    @property
    def unsettled(self) -> int:
        """How many events are neither delivered nor dropped."""
        with self._lock:
            return len(self._held) + len(self._in_flight) + len(self.inbox)

    @property
    def captured(self) -> int:
        """How many events came in so far: also the ordinal of the next one."""
        with self._lock:
            return self._ledger.taken + len(self.inbox)

    def is_settled(self, target: int) -> bool:
        """Tell whether everything captured before ordinal `target` is delivered or dropped."""
        with self._lock:
            return (
                self._ledger.taken >= target
                and not any(ordinal < target for ordinal in self._in_flight)
                and not any(parcel.ordinal < target for parcel in self._held)
            )

    def wait_settled(self, target: int, seconds: float) -> bool:
        """Block until `is_settled(target)`, at most `seconds`; return what is then true."""
        with self._settled:
            return self._settled.wait_for(lambda: self.is_settled(target), max(0.0, seconds))

    def stats(self, *, errors: int, skipped: Mapping[str, int]) -> Stats:
        """Return the account at one moment: nothing moves while it is read."""
        with self._lock:
            return self._ledger.stats(
                waiting=len(self.inbox),
                held=len(self._held),
                in_flight=len(self._in_flight),
                queued_bytes=self.size_bytes,
                errors=errors,
                skipped=skipped,
            )
