"""The spool beside a list: whatever is done to it, in whatever order, both say the same."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.core.delivery.spools import PLENTY, Bench, files, numbers

CROWD = 3  # processes at a time
WHO = st.integers(0, CROWD - 1)


class Process:
    """A spool, and which events it should have."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self.bench = Bench(directory, max_bytes=max_bytes)
        self.has: set[int] = set()
        self.in_flight: list[int] = []
        self.came = self.went = 0


class SpoolModel(RuleBasedStateMachine):
    """Processes share a directory: append, peek, settle, crash, adopt, close, fork, lose power."""

    max_bytes = PLENTY

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp()) / "spool"
        self.crowd = [self.process() for _ in range(CROWD)]
        self.orphans: set[int] = set()
        self.done: set[int] = set()
        self.lost: set[int] = set()
        self.next = 0

    def process(self) -> Process:
        return Process(self.directory, self.max_bytes)

    def teardown(self) -> None:
        for process in self.crowd:
            process.bench.spool.close()
        shutil.rmtree(self.directory.parent)

    # -- what may happen ------------------------------------------------------------------------

    @rule(
        who=WHO,
        count=st.integers(1, 12),
        padding=st.sampled_from([0, 10, 9000]),
        keep=st.booleans(),
        sync=st.booleans(),
    )
    def append(self, who: int, count: int, padding: int, keep: bool, sync: bool) -> None:  # noqa: FBT001 - Hypothesis names them
        process = self.crowd[who]
        wanted = range(self.next, self.next + count)
        self.next += count
        assert process.bench.put(*wanted, padding=padding, keep=keep, sync=sync) == count
        process.has.update(wanted)
        process.came += count

    @rule(who=WHO, max_events=st.integers(1, 15), max_bytes=st.sampled_from([1, 20_000, PLENTY]))
    def peek(self, who: int, max_events: int, max_bytes: int) -> None:
        process = self.crowd[who]
        self.settle_account(process)
        records = process.bench.spool.peek(max_events, max_bytes)
        found = numbers(records)
        shared = min(len(found), len(process.in_flight))
        assert found[:shared] == process.in_flight[:shared]  # what was peeked before comes first
        process.in_flight += found[shared:]
        assert len(set(process.in_flight)) == len(process.in_flight)
        assert set(found) <= process.has
        size = sum(len(record.masked) for record in records)
        assert len(found) <= max_events
        assert len(found) <= 1 or size <= max_bytes
        assert found or not process.has
        if max_bytes == PLENTY:
            assert len(found) == min(max_events, len(process.has))

    @precondition(lambda self: any(process.in_flight for process in self.crowd))
    @rule(who=WHO, share=st.floats(0, 1))
    def settle(self, who: int, share: float) -> None:
        process = self.crowd[who]
        count = round(share * len(process.in_flight))
        process.bench.spool.settle(count)
        settled, process.in_flight = process.in_flight[:count], process.in_flight[count:]
        process.has.difference_update(settled)
        self.done.update(settled)
        process.went += count

    @rule(who=WHO)
    def adopt(self, who: int) -> None:
        process = self.crowd[who]
        count = process.bench.spool.adopt()
        if self.max_bytes == PLENTY:
            assert count == len(self.orphans)
        process.has |= self.orphans
        process.came += count
        self.orphans = set()

    @rule(who=WHO)
    def crash(self, who: int) -> None:
        process = self.crowd[who]
        self.settle_account(process)
        process.bench.die()
        self.orphans |= process.has
        self.crowd[who] = self.process()

    @rule(who=WHO)
    def close(self, who: int) -> None:
        process = self.crowd[who]
        self.settle_account(process)
        process.bench.spool.close()
        self.orphans |= process.has
        self.crowd[who] = self.process()

    @rule(who=WHO)
    def fork(self, who: int) -> None:
        """In the child of a process whose parent ended meanwhile: the files are orphans."""
        process = self.crowd[who]
        self.settle_account(process)
        process.bench.spool.forget()
        self.orphans |= process.has
        process.has, process.in_flight = set(), []
        process.came = process.went = 0

    def settle_account(self, process: Process) -> None:
        """Bring the model up to what the bound cost; without one that is nothing."""
        assert process.bench.spool.take_dropped() == 0

    # -- what must hold -------------------------------------------------------------------------

    @invariant()
    def the_account_adds_up(self) -> None:
        for process in self.crowd:
            self.settle_account(process)
            spool = process.bench.spool
            assert spool.events == len(process.has) == process.came - process.went
            assert (spool.bytes > 0) == bool(process.has)
            assert spool.take_unreadable() == 0
            assert process.bench.reports == []

    @invariant()
    def every_event_is_in_one_place(self) -> None:
        places = [process.has for process in self.crowd] + [self.orphans, self.done, self.lost]
        assert sum(map(len, places)) == self.next
        assert set().union(*places) == set(range(self.next))

    @invariant()
    def no_file_is_left_without_events(self) -> None:
        if not any(process.has for process in self.crowd) and not self.orphans:
            assert files(self.directory) == []


class OrderModel(RuleBasedStateMachine):
    """One process at a time: then the order is that of one list, across any number of lives."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp()) / "spool"
        self.bench = Bench(self.directory)
        self.expected: list[int] = []
        self.next = 0

    def teardown(self) -> None:
        self.bench.spool.close()
        shutil.rmtree(self.directory.parent)

    @rule(count=st.integers(1, 9), padding=st.sampled_from([0, 200_000]), keep=st.booleans())
    def append(self, count: int, padding: int, keep: bool) -> None:  # noqa: FBT001 - Hypothesis names them
        wanted = range(self.next, self.next + count)
        self.next += count
        self.bench.put(*wanted, padding=padding, keep=keep)
        self.expected += wanted

    @rule(count=st.integers(1, 20))
    def send(self, count: int) -> None:
        found = self.bench.peek(count)
        assert found == self.expected[:count]
        self.bench.spool.settle(len(found))
        del self.expected[:count]

    @rule(looked_at=st.integers(0, 5))
    def next_life(self, looked_at: int) -> None:
        self.bench.peek(looked_at)
        self.bench.die()
        self.bench = Bench(self.directory)
        assert self.bench.spool.adopt() == len(self.expected)

    @invariant()
    def nothing_is_reported(self) -> None:
        assert self.bench.reports == []
        assert self.bench.spool.events == len(self.expected)


class BoundedModel(SpoolModel):
    """The same crowd with a small bound: what is dropped is the oldest, and counted."""

    max_bytes = 150_000

    def settle_account(self, process: Process) -> None:
        spool = process.bench.spool
        dropped = spool.take_dropped()
        if not dropped:
            return
        process.went += dropped
        # Which ones it cost shows on disk and in flight; how many must fit what was counted.
        kept = set(self.in_memory(process)) | self.on_disk(process)
        gone = process.has - kept
        assert len(gone) == dropped
        process.has -= gone
        self.lost |= gone

    @staticmethod
    def on_disk(process: Process) -> set[int]:
        """Read what is still in the files that this process holds, past its own reading."""
        found: set[int] = set()
        for segment in process.bench.spool._segments:
            from_here = segment.unread_from, segment.unread, segment.proofs.copy()
            while segment.unread:
                record = segment.read()
                assert record is not None
                found.add(int(record[1].split(b'"t-')[1].split(b'"')[0]))
            segment.unread_from, segment.unread, segment.proofs = from_here
        return found

    @staticmethod
    def in_memory(process: Process) -> dict[int, bool]:
        """Return what was peeked or kept, and whether its file is still there."""
        return {numbers([item.record])[0]: item.segment.is_open for item in process.bench.spool._peeked}

    @rule(who=WHO)
    def close(self, who: int) -> None:
        """Drop what was in memory only. A crash loses the same, and nobody counts: no model of that."""
        process = self.crowd[who]
        gone = {number for number, has_file in self.in_memory(process).items() if not has_file}
        process.bench.spool.close()
        assert process.bench.spool.take_dropped() == len(gone)
        self.lost |= gone
        self.orphans |= process.has - gone
        self.crowd[who] = self.process()

    @rule(who=WHO)
    def crash(self, who: int) -> None:
        self.close(who)

    @rule(who=WHO)
    def fork(self, who: int) -> None:
        self.close(who)

    @invariant()
    def the_disk_is_bounded(self) -> None:
        for process in self.crowd:
            assert process.bench.spool.bytes <= self.max_bytes


LENGTH = settings(max_examples=40, stateful_step_count=40)

TestSpool = SpoolModel.TestCase
TestSpool.settings = LENGTH
TestOrder = OrderModel.TestCase
TestOrder.settings = settings(max_examples=20, stateful_step_count=30)
TestBounded = BoundedModel.TestCase
TestBounded.settings = LENGTH
