"""What waits on disk: events that outlive this process, in an order, within a bound, each in one place.

The contract with the pump, which is the only user:

- `events` = appended + adopted - settled - `take_dropped()` - `take_unreadable()`, at every moment
  between two calls. The ledger's `spooled` is `events`.
- What `append` got is with the operating system when it returns. What `peek` gives never left memory
  (`append(keep=True)`), or is proved to be what this process wrote, or was masked again under `policy`.
- An event is settled after it was delivered or dropped, never before: a process that dies between
  the two leaves a second copy, which the receiver tells by its `eventId`; never a hole.

A little over 400 lines: the account in the first point is kept by all of it.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ..sanitize import prove, reseal
from .records import HEAD_BYTES, RECORD_MAX_BYTES, SEGMENT_MAX_BYTES
from .segment_queue import SEGMENTS_MAX, SegmentQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..sanitize import Limits, Masked, Policy
    from .records import Place
    from .segments import Segment

__all__ = ["Record", "Spool", "Unseal"]

RETRY_SECONDS: Final = 5.0
"""How long a disk that refused is left alone: a full one is seldom free again sooner."""

_KEEP_MAX_BYTES: Final = 4 * 1024 * 1024
"""Of events in memory beside their records: what one request carries. More is read back in its turn."""


class Unseal(Protocol):
    """What `sanitize.reseal` does for events; None: it can or may not be sent."""

    def __call__(
        self, data: bytes, policy: Policy, limits: Limits | None = None, *, proof: bytes = b""
    ) -> Masked | None:
        """Return `data` as `Masked`."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """One event out of the spool."""

    masked: Masked
    ordinal: int
    """Its number among those that this `Spool` ever gave out, from 0; the same however often it is peeked."""


@dataclass(frozen=True, slots=True, eq=False)
class _Peeked:
    record: Record
    segment: Segment
    place: Place


class Spool:
    """The events of one client and process that are on disk, oldest first.

    Construction opens nothing; the directory is made with the first append. Not thread-safe: the
    caller holds a lock of its own. Re-entered from a signal handler, `append`, `adopt` and `peek` do
    nothing and say 0 or `[]`. No method raises OSError or starts a thread; all may wait for the disk.

    `report(error, what)` is called inside of the methods, so under the caller's lock: give one that
    takes a note. It is called once for each trouble, not for each attempt.
    """

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        report: Callable[[BaseException, str], None],
        policy: Policy,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        unseal: Unseal = reseal,
    ) -> None:
        """Make one. `unseal` makes bytes that were read `Masked` again, by the kind of what is kept here."""
        self._max_bytes = min(max_bytes, SEGMENTS_MAX * SEGMENT_MAX_BYTES)
        self._segments = SegmentQueue(_absolute(directory), self._max_bytes)
        self._report = report
        self._policy = policy
        self._limits = limits
        self._monotonic = monotonic
        self._unseal = unseal
        self._start_empty()

    def _start_empty(self) -> None:
        self.events: int = 0
        """Held for this process, own and adopted, not yet settled."""
        self._peeked: deque[_Peeked] = deque()
        self._peeked_bytes = 0
        self.settled: int = 0
        """How many events were booked as done with, by `settle`, since this object was made."""
        self._ordinal = 0
        self._dropped = 0
        self._unreadable = 0
        self.retry_at: float = 0.0
        """The moment (of the monotonic clock) from which `usable` is True again."""
        self._in_trouble = False
        self._busy = False  # a signal handler may come back in on the thread that holds the caller's lock
        self._closed = False
        self._bytes_at_close = 0

    # -- state ----------------------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether an append may be tried: False for some seconds after the disk refused, and once closed."""
        return not self._closed and self._monotonic() >= self.retry_at

    @property
    def bytes(self) -> int:
        """On disk and not yet settled, own and adopted."""
        return self._bytes_at_close if self._closed else self._segments.unsettled_bytes

    def take_dropped(self) -> int:
        """Return how many events the bound cost since the last call, or a removed file did at `close`."""
        count, self._dropped = self._dropped, 0
        return count

    def take_unreadable(self) -> int:
        """Return how many events could not be read back since the last call: damaged on disk."""
        count, self._unreadable = self._unreadable, 0
        return count

    # -- in -------------------------------------------------------------------------------------

    def append(self, batch: Sequence[Masked], *, sync: bool = False, keep: bool = False) -> int:
        """Write events; return how many: all, or as many of the first as the disk took.

        The operating system has them then, which outlives this process; with `sync` the disk has. With
        `keep` up to 4 MiB stay in memory too, if `peek` has nothing older to read: for who sends them next.
        Makes room under `max_bytes` by deleting the oldest file; what fits into no file is taken and dropped.
        """
        if self._busy or not batch or not self.usable:
            return 0
        self._busy = True
        taken = 0
        try:
            while taken < len(batch):
                taken += self._append_some(batch[taken:], sync=sync, keep=keep)
            self._in_trouble = not self.usable
        except OSError as error:
            if isinstance(
                error, FileNotFoundError
            ):  # somebody removed the file: what is in it can still be read
                self._segments.leave_active()
            self._refuse(error, "writing to the spool")
        finally:
            self._busy = False
        return taken

    def _append_some(self, batch: Sequence[Masked], *, sync: bool, keep: bool) -> int:
        """Append what fits into one segment, at least one event; return how many."""
        need = HEAD_BYTES + len(batch[0])
        if need > min(HEAD_BYTES + RECORD_MAX_BYTES, self._max_bytes):
            self._dropped += 1
            return 1
        self._make_room(need)
        segment = self._segments.writable(need)
        if segment is None:
            if len(self._segments) >= SEGMENTS_MAX:
                self._drop(self._segments.oldest)
            segment = self._segments.begin(sync=sync)
        room = min(self._segments.room_in(segment), self._max_bytes - self._segments.size_bytes)
        stop = 1
        while stop < len(batch) and (need := need + HEAD_BYTES + len(batch[stop])) <= room:
            stop += 1
        keep = keep and self.events == len(self._peeked) and self._peeked_bytes + need <= _KEEP_MAX_BYTES
        places = segment.write(batch[:stop])
        self.events += len(places)
        if keep:
            segment.skip_unread()
            for masked, place in zip(batch, places, strict=False):
                self._give(masked, segment, place)
        else:
            segment.proofs += b"".join(map(prove, batch[: len(places)]))
        if sync:
            self._sync(segment)
        return len(places)

    def _sync(self, segment: Segment) -> None:
        try:
            segment.sync()
        except OSError as error:  # they are written, so they are taken; that they last is not certain
            self._refuse(error, "bringing events of the spool to the disk")

    def adopt(self) -> int:
        """Take over what processes left that have ended; return how many events came in.

        Each file goes to one process only. A process holds at most 64 files of others; the rest waits
        until those are done with, so call it again now and then. Reads each file once: may take as
        long as reading `max_bytes` does.
        """
        if self._busy or not self.usable:
            return 0
        self._busy = True
        events, dropped = self.events, self._dropped
        try:
            self._segments.delete_leftovers()
            self._adopt_all()
        except OSError as error:
            self._refuse(error, "looking into the spool for events of earlier processes")
        finally:
            self._busy = False
        return self.events - events + self._dropped - dropped

    def _adopt_all(self) -> None:
        strange_bytes = waiting_bytes = 0
        for orphan in self._segments.orphans():
            try:
                if not self._segments.may_adopt:
                    waiting_bytes += orphan.file_bytes
                    orphan.close()
                    continue
                strange_bytes += orphan.load()
            except OSError as error:
                self._give_up(orphan, error)
                continue
            if orphan.live:
                self._segments.take(orphan)
                self.events += orphan.live
            else:
                self._delete(orphan)
        # What waits is nobody's, so its bytes are ours to bound: the oldest make way, the rest moves up.
        while waiting_bytes + self._segments.size_bytes > self._max_bytes:
            victim = self._segments.oldest_adopted
            if victim is None:
                break
            self._drop(victim)
        if strange_bytes:
            damage = ValueError(f"{strange_bytes} bytes of the spool are torn off or damaged")
            self._report(damage, "reading the spool")

    # -- out ------------------------------------------------------------------------------------

    def peek(self, max_events: int, max_bytes: int) -> list[Record]:
        """Return the oldest events, not removed: at most `max_events` and `max_bytes`, but at least one.

        Peeking again gives the same ones first, from memory. Reading an adopted event costs as much as
        encoding it does.
        """
        if self._busy:
            return []
        self._busy = True
        records: list[Record] = []
        size = 0
        unreadable = self._unreadable
        try:
            while len(records) < max_events and (len(records) < len(self._peeked) or self._read_one()):
                record = self._peeked[len(records)].record
                size += len(record.masked)
                if records and size > max_bytes:
                    break
                records.append(record)
        finally:
            self._busy = False
        if self._unreadable > unreadable:
            damage = ValueError(f"{self._unreadable - unreadable} events of the spool are damaged")
            self._report(damage, "reading the spool")
        return records

    def _read_one(self) -> bool:
        """Read the oldest unread event; False if there is none."""
        for segment in self._segments:
            while segment.unread:
                try:
                    found = segment.read()
                except OSError as error:
                    self._give_up(segment, error)
                    break
                if found is None:  # damaged since it was counted, to its end
                    self._lose(segment, segment.skip_unread())
                    break
                place, data, proof = found
                masked = self._unseal(data, self._policy, self._limits, proof=proof)
                if masked is not None:
                    self._give(masked, segment, place)
                    return True
                self._lose(segment, 1)
        return False

    def _give(self, masked: Masked, segment: Segment, place: Place) -> None:
        self._peeked.append(_Peeked(Record(masked, self._ordinal), segment, place))
        self._peeked_bytes += len(masked)
        self._ordinal += 1

    def _lose(self, segment: Segment, count: int) -> None:
        """Count events that cannot be read back."""
        self._unreadable += count
        self.events -= count
        segment.live -= count
        if not segment.live:
            self._delete(segment)

    def _give_up(self, segment: Segment, error: OSError) -> None:
        """Leave a file that the disk does not give back to later processes; count what was in it."""
        self._refuse(error, "reading the spool")
        if segment in self._segments:
            lost = segment.skip_unread()
            self._unreadable += lost
            self.events -= lost
            segment.live -= lost
        self._segments.shun(segment)

    def settle(self, count: int) -> None:
        """Book the first `count` of the peeked events as done with; never to be sent again.

        The mark outlives this process. A file whose events are all done with is deleted. Where it was
        torn off (Ctrl-C), `settled` says how many are booked; for the others call it again.
        """
        if count > len(self._peeked):
            raise ValueError(f"{count} events to settle, but {len(self._peeked)} were peeked")
        busy, self._busy = self._busy, True
        try:
            last = {peeked.segment.name: peeked for peeked in islice(self._peeked, count)}
            # First the marks, which may be written twice: whatever fails or is torn off after them,
            # nobody sends these events again.
            for peeked in last.values():
                self._mark(peeked.segment, peeked.place)
            for _ in range(count):
                self._book_first()
            for peeked in last.values():
                segment = peeked.segment
                if segment.is_open and not segment.live and segment in self._segments:
                    self._delete(segment)
        finally:
            self._busy = busy

    def _mark(self, segment: Segment, place: Place) -> None:
        if not segment.is_open:
            return
        try:
            segment.settle(place)
        except OSError as error:
            self._refuse(error, "marking events of the spool as done")

    def _book_first(self) -> None:
        """Book the oldest peeked event as done with: in steps between which nothing can be torn off."""
        peeked = self._peeked[0]
        size = len(peeked.record.masked)
        peeked.segment.live -= 1
        self.events -= 1
        self._peeked_bytes -= size
        self.settled += 1
        self._peeked.popleft()

    # -- bounds and troubles --------------------------------------------------------------------

    def _make_room(self, need_bytes: int) -> None:
        while len(self._segments) and self._segments.size_bytes + need_bytes > self._max_bytes:
            self._drop(self._segments.oldest)

    def _drop(self, segment: Segment) -> None:
        """Give up a segment. What was peeked of it stays, in memory, until it is settled."""
        lost = segment.skip_unread()
        self._dropped += lost
        self.events -= lost
        segment.live -= lost
        self._delete(segment)

    def _delete(self, segment: Segment) -> None:
        try:
            self._segments.delete(segment)
        except OSError as error:
            self._refuse(error, "deleting a file of the spool")

    def _refuse(self, error: OSError, what: str) -> None:
        """Leave the disk alone for a while; say so, unless that was said since the last good append."""
        self.retry_at = self._monotonic() + RETRY_SECONDS
        if not self._in_trouble:
            self._in_trouble = True
            self._report(error, what)

    # -- the end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Release all locks. Files with events stay for the next process, empty ones are deleted.

        `events` and `bytes` keep saying what was left. What was in files that somebody removed is lost
        now: ask `take_dropped` after this. Twice is fine.
        """
        if self._closed:
            return
        kept = 0
        for segment in self._segments:
            if segment.live and not segment.is_gone:
                kept += segment.live
            else:
                self._delete(segment)
        self._dropped += self.events - kept
        self.events = kept
        self._bytes_at_close = self._segments.unsettled_bytes
        self._closed = True
        self._peeked.clear()
        self._segments.release()

    def forget(self) -> None:
        """Start empty, in a forked child: nothing of the parent's is this process's to send.

        Closes the inherited descriptors, which leaves the parent's locks alone (`segments`); if the
        child kept them, the files would stay locked after the parent's end. Logs nothing.
        """
        self._segments.release()
        self._start_empty()


def _absolute(path: Path) -> Path:
    """Return `path` as it is meant now: the application may change its working directory later."""
    try:
        return Path(path).absolute()
    except OSError:  # there is no working directory: the first use will say so
        return Path(path)
