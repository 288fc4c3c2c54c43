"""The pump's side of the spool: when events go to disk, how they come back, and their booking.

Three lives of an event: from memory to the disk (`store`), from the disk to the receiver
(`load` and what follows), from another process' leftovers to the disk (`adopt`). The spool
itself is not thread-safe; the gate here is the lock that it asks for.
"""

from __future__ import annotations

import json
import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .courier import BULK_MAX_BYTES
from .encoding import SLICE_BYTES, SLICE_EVENTS
from .halving import Halving
from .pending import Dropped, Parcel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..clock import Clock
    from ..option_checks import Durability
    from .backlog import Backlog
    from .encoding import Encoder
    from .pending import DropReason, Pending
    from .spool import Spool

__all__ = ["Depot"]

_ADOPT_SECONDS = 30.0
"""How often the leftovers of ended processes are looked for, where there is something to do anyway."""

_GATHER_SECONDS = 0.2
"""How long new events gather before they are written during an outage: DESIGN.md grants 0.5 s in all."""

_LOOK_SECONDS = 0.01
"""How often the end of a process looks whether the sender has encoded what it took."""

_READ_EVENTS = 8
"""Read back in one go: each costs as much as encoding it."""


_RESCUE_SECONDS = 1.0
"""How long a sender that was torn off waits for a write to disk that is under way."""


@dataclass(frozen=True, slots=True)
class _Decided:
    """What becomes of the load that is out, and how the books read once it is done."""

    spool: Spool
    settled: int
    """`spool.settled` then."""
    head: int
    """The ordinal of the oldest record that is not settled then."""
    delivered: int
    dropped: Sequence[tuple[DropReason, str]]


class Depot:
    """A `Source` over the spool, and the way into it. Methods say who may call them."""

    def __init__(
        self,
        make_spool: Callable[[], Spool],
        backlog: Backlog,
        encoder: Encoder,
        *,
        durability: Durability,
        report: Callable[[BaseException, str], None],
        notes: list[tuple[BaseException, str]],
        clock: Clock,
    ) -> None:
        self.halving: Halving = Halving()
        self._make_spool = make_spool
        self._spool = make_spool()
        self._backlog = backlog
        self._encoder = encoder
        self._durability = durability
        self._report = report
        self._notes = notes  # what the spool has to say; told once the gate is open
        self._clock = clock
        # Guards the spool. Held while the disk works, so never taken under the backlog's lock and
        # never waited for by a thread that holds it already (a signal handler on top of it).
        self._gate = threading.Lock()
        self._gate_owner = 0
        self._next_adoption = 0.0
        self._head = 0  # the ordinal of the oldest record that is not settled
        self._decided: _Decided | None = None  # what becomes of the load that is out, until it is done
        self._slim: Parcel | None = None  # the oldest record, where the receiver found it too large
        self._closed = False

    # -- the gate -------------------------------------------------------------------------------

    @contextmanager
    def _entered(self, timeout_seconds: float = -1) -> Iterator[bool]:
        """Hold the gate for the block; False where this thread holds it already, or it stays shut."""
        me = threading.get_ident()
        gate = self._gate  # a fork may replace this object's owner meanwhile
        if self._gate_owner == me or not gate.acquire(timeout=timeout_seconds):
            yield False
            return
        self._gate_owner = me
        try:
            yield True
        finally:
            self._gate_owner = 0
            gate.release()

    def _book_losses(self, dropped_as: DropReason = "spool_max_bytes") -> int:
        """Take over what the spool lost by itself, and return how much. Inside of the gate."""
        dropped, unreadable = self._spool.take_dropped(), self._spool.take_unreadable()
        if dropped:
            self._backlog.lose_spooled(dropped, dropped_as)
        if unreadable:
            self._backlog.lose_spooled(unreadable, "spool_lost")
        return dropped + unreadable

    def _tell(self) -> None:
        """Report what the spool noted. Outside of the gate: hooks are foreign code."""
        while self._notes:
            error, what = self._notes.pop(0)
            self._report(error, what)

    # -- state, for any thread ------------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """Whether the disk takes events at the moment."""
        return not self._closed and self._spool.usable

    @property
    def has_events(self) -> bool:
        """Whether something on disk waits to be sent."""
        return not self._closed and self._backlog.spooled_count > 0

    @property
    def takes_everything(self) -> bool:
        """Whether what is in memory goes to disk first.

        Always, if durability says so; else in an outage, and on until all of it is sent: so the
        order stays, and memory does not fill while the disk is emptied.
        """
        return self.is_usable and (
            self._durability != "on_failure" or self._backlog.offline or self.has_events
        )

    def store_at(self) -> float | None:
        """Return when what is in memory is due to be written, on the monotonic clock; None: nothing is."""
        backlog = self._backlog
        if backlog.has_held:
            return 0.0
        since = backlog.inbox.since
        if since is None:
            return None
        gather = _GATHER_SECONDS if self._durability == "on_failure" else 0.0
        return 0.0 if len(backlog.inbox) >= SLICE_EVENTS else since + gather

    # -- in -------------------------------------------------------------------------------------

    def store(self, *, gate_seconds: float = -1) -> bool:
        """Write one slice of what is in memory; False if there was nothing, or the disk refused.

        For the holder of the pump's ownership, or whoever ends the process.
        """
        backlog = self._backlog
        taken = backlog.take(SLICE_EVENTS, max_bytes=SLICE_BYTES)
        parcels: list[Parcel] = []
        try:
            self._encoder.encode(taken, parcels)
            written = self._append(parcels, gate_seconds=gate_seconds) if parcels else 0
        except BaseException:
            backlog.rescue(taken, parcels)
            raise
        backlog.hold(parcels[written:])
        self._tell()
        return bool(taken) and written == len(parcels)

    def _append(self, parcels: Sequence[Parcel], *, sync: bool = False, gate_seconds: float = -1) -> int:
        """Write events that are in flight and book them; return how many of the first went well."""
        with self._entered(gate_seconds) as entered:
            if not entered or self._closed:
                return 0
            # What the end of the process has written while this thread came here is not written twice.
            waiting = self._backlog.still_in_flight(parcels)
            keep = self._durability != "on_failure" and not self._backlog.offline
            written = self._spool.append([parcel.masked for parcel in waiting], sync=sync, keep=keep)
            self._backlog.spooled(waiting[:written])
            self._book_losses()
        return len(parcels) if written == len(waiting) else parcels.index(waiting[written])

    def keep(self, parcel: Parcel) -> bool:
        """Write one event that is in flight; False where the disk refused. For any thread."""
        kept = self.is_usable and self._append([parcel]) == 1
        self._tell()
        return kept

    def write_through(self, pending: Pending) -> bool:
        """Encode and write a new event now, and wait until the disk has it. For any thread.

        False where the disk refused, or where this thread is in the middle of writing: then it is
        for the inbox.
        """
        if not self.is_usable or self._gate_owner == threading.get_ident():
            return False
        result = pending.encode()
        if isinstance(result, Dropped):
            self._backlog.book_drop(result.reason, pending.event_type)
            return True
        ordinal, since, _ = self._backlog.enter(pending)
        parcel = Parcel(ordinal, result, pending.event_type, since)
        self._backlog.encoded(parcel)
        written = 0
        try:
            written = self._append([parcel], sync=True)
        finally:
            if not written:
                self._backlog.hold_last(parcel)
        self._tell()
        return True

    def work_while_waiting(self) -> None:
        """Write what has gathered. For a sender that waits for the network."""
        now = self._clock.monotonic()
        while self.takes_everything:
            due = self.store_at()
            if due is None or due > now or not self.store():
                return

    def store_all(self, deadline: float) -> None:
        """Write all that is in memory, what is in flight last, at most until `deadline`. For the exit.

        What is in flight may arrive all the same: then the next process sends it a second time, and
        the receiver knows it by its id.
        """
        backlog, monotonic = self._backlog, self._clock.monotonic
        while self.is_usable and (left := deadline - monotonic()) > 0:
            if not backlog.is_empty:
                if not self.store(gate_seconds=left):
                    break
            elif backlog.is_encoding:  # the sender is at it; it tells nobody, as that costs each event
                backlog.wait_for(lambda: False, min(left, _LOOK_SECONDS))
            else:
                break
        in_flight = backlog.encoded_in_flight()
        if in_flight and self.is_usable:
            self._append(in_flight, gate_seconds=max(0.0, deadline - monotonic()))
        self._tell()

    def adopt_if_due(self, now: float) -> None:
        """Take over what ended processes left, now and then. For the holder of the pump's ownership."""
        if now < self._next_adoption or not self.is_usable:
            return
        self._next_adoption = now + _ADOPT_SECONDS
        with self._entered() as entered:
            if entered and not self._closed:
                self._backlog.adopted(self._spool.adopt())
                self._book_losses()
        self._tell()

    # -- out, as a `Source`, for the holder of the pump's ownership --------------------------------

    def load(self, limit: int) -> list[Parcel]:
        """Put the oldest events on disk in flight; they stay on disk until they are settled."""
        self._finish()
        limit, before = self.halving.bounds(self._head, limit)
        records: list[Parcel] = []
        # Each slice is read on top of the ones before, which the spool remembers.
        for most in (*range(min(_READ_EVENTS, limit), limit, _READ_EVENTS), limit):
            found = self._peek(most, before)
            if len(found) <= len(records):
                break
            records = found
            if len(found) < most:
                break
            self._clock.give_way()
        self._backlog.lift(len(records))
        self._tell()
        return records

    def _peek(self, limit: int, before: int | None) -> list[Parcel]:
        with self._entered() as entered:
            if not entered or self._closed:
                return []
            records = self._spool.peek(limit, BULK_MAX_BYTES)
            self._book_losses()
        slim = self._slim
        return [
            slim
            if slim is not None and slim.ordinal == record.ordinal
            else Parcel(record.ordinal, record.masked, "unknown")
            for record in records
            if before is None or record.ordinal < before
        ]

    def deliver(self, parcels: Sequence[Parcel], rejected: Sequence[Parcel] = ()) -> None:
        """Book as delivered, but for those of the batch that were `rejected`: they are dropped."""
        self._settle(len(parcels), [("rejected", _event_type(parcel)) for parcel in rejected])

    def drop(self, parcels: Sequence[Parcel], reason: DropReason) -> None:
        """Book as dropped."""
        self._settle(0, [(reason, _event_type(parcel)) for parcel in parcels])

    def _settle(self, delivered: int, dropped: list[tuple[DropReason, str]]) -> None:
        """Decide what becomes of the whole load, and see to it.

        From here on it is done with, whatever tears this off (Ctrl-C, a thread's end): `rescue`, or
        the next load, goes on where it stopped. Else events would be sent again that the receiver
        has, or be in flight for ever.
        """
        count = delivered + len(dropped)
        self._decided = _Decided(
            self._spool, self._spool.settled + count, self._head + count, delivered, dropped
        )
        self._finish()

    def _finish(self, gate_seconds: float = -1) -> bool:
        """Do what was decided and is not done yet; False where the gate stayed shut for so long.

        On disk first, since who waits for the books may end the process at once. Each step looks at
        what it would change, so that going through them a second time is harmless.
        """
        decided = self._decided
        if decided is None:
            return True
        with self._entered(gate_seconds) as entered:
            if not entered:
                return False
            if not self._closed and self._spool is decided.spool:
                self._spool.settle(decided.settled - self._spool.settled)
                self._book_losses()
            self._slim = None
            self._head = decided.head
        if self._backlog.lifted:  # one batch is out at a time: all of it, or it is booked
            self._backlog.settle_lifted(decided.delivered, decided.dropped)
        self._decided = None
        self._tell()
        return True

    def hold(self, parcels: Sequence[Parcel]) -> None:
        """Leave on disk. An event that lost its bodies is remembered so."""
        if len(parcels) == 1 and parcels[0].stripped:
            self._slim = parcels[0]
        self.rescue()

    def rescue(self) -> None:
        """Finish what was decided; leave on disk what is neither delivered nor dropped."""
        if self._finish(_RESCUE_SECONDS):
            self._backlog.put_back(self._backlog.lifted)

    # -- the end --------------------------------------------------------------------------------

    def close(self, timeout_seconds: float) -> int:
        """Let go of the files: what is in them is the next process's. For whoever ends the client.

        Returns how many events are lost because somebody removed their file.
        """
        lost = 0
        with self._entered(timeout_seconds) as entered:
            if entered and not self._closed:
                self._closed = True
                self._spool.close()
                lost = self._book_losses(dropped_as="spool_lost")
        self._tell()
        return lost

    def reopen(self) -> None:
        """Take events again after `close`: something was captured after all. Sends nothing of before."""
        if self._closed:
            self._spool = self._make_spool()
            self._next_adoption = math.inf
            self._closed = False

    def forget(self) -> None:
        """Let go of the parent's files, in a forked child. Takes no lock: its holder is not here."""
        self._closed = True
        self._spool.forget()


def _event_type(parcel: Parcel) -> str:
    """Return the type of an event that came back from disk as bytes."""
    try:
        found = json.loads(parcel.masked.data).get("eventType")
    except (ValueError, AttributeError):
        return "unknown"
    return found if isinstance(found, str) else "unknown"
