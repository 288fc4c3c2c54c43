"""What a process leaves behind when it ends, and who takes it over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.spools import Bench, files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return where the spool is to be; nothing is there yet."""
    return tmp_path / "spool"


def test_orphans_are_adopted_once_and_go_first(directory: Path) -> None:
    """What an ended process left comes in before what is new; a living one's files are left alone."""
    dead, living = Bench(directory), Bench(directory)
    dead.put(1, 2, 3)
    living.put(10)
    dead.peek(1)
    dead.spool.settle(1)
    dead.die()
    heir, late = Bench(directory), Bench(directory)
    heir.put(20)
    assert heir.spool.adopt() == 2
    assert late.spool.adopt() == 0
    assert heir.spool.adopt() == 0
    assert heir.drain() == [2, 3, 20]
    assert living.drain() == [10]
    assert files(directory) == []


def test_one_client_does_not_adopt_its_neighbour_in_the_same_process(directory: Path) -> None:
    """The lock is the open file's, not the process's; reading beside it takes nothing away."""
    first, second = Bench(directory), Bench(directory)
    first.put(1)
    files(directory)[0].read_bytes()
    assert second.spool.adopt() == 0
    assert first.drain() == [1]


def test_marks_outlive_a_crash(directory: Path) -> None:
    """A settled event is not sent again by the next process, at whatever event the other one died."""
    for settled in range(5):
        bench = Bench(directory)
        bench.put(*range(5))
        bench.peek()
        bench.spool.settle(settled)
        bench.die()
        heir = Bench(directory)
        assert heir.spool.adopt() == 5 - settled
        assert heir.drain() == list(range(settled, 5))


def test_an_heir_may_die_too(directory: Path) -> None:
    """Settling in adopted files is marked there, so a third process goes on where the second ended."""
    first = Bench(directory)
    first.put(*range(6))
    first.die()
    second = Bench(directory)
    assert second.spool.adopt() == 6
    second.peek(4)
    second.spool.settle(4)
    second.put(100)
    second.die()
    third = Bench(directory)
    assert third.spool.adopt() == 3
    assert third.drain() == [4, 5, 100]


def test_empty_orphans_are_deleted(directory: Path) -> None:
    """A process that died before it wrote anything leaves nothing behind for good."""
    bench = Bench(directory)
    bench.put(1)
    bench.die()
    files(directory)[0].write_bytes(b"")
    heir = Bench(directory)
    assert heir.spool.adopt() == 0
    assert files(directory) == []
    assert not heir.reports


def test_the_order_needs_no_clock(directory: Path) -> None:
    """Files are ordered by a number in their name, whatever the disk says about their times."""
    for number in range(4):
        bench = Bench(directory)
        bench.put(number)
        bench.die()
    for age, path in enumerate(files(directory)):
        os.utime(path, (1e9 - age * 1e6, 1e9 - age * 1e6))
    heir = Bench(directory)
    assert heir.spool.adopt() == 4
    assert heir.drain() == [0, 1, 2, 3]


def test_a_name_out_of_order_does_not_use_up_the_numbers(directory: Path) -> None:
    """A file of the highest number there is does not make all later ones the same age."""
    directory.mkdir(mode=0o700)
    (directory / "9999999999999999-00000000.spool1").write_bytes(b"")
    bench = Bench(directory)
    for number in range(9):
        bench.put(number, padding=1_000_000)
    assert [path.name[:16] for path in files(directory)[:3]] == [
        "0000000000000001",
        "0000000000000002",
        "0000000000000003",
    ]


def test_at_most_so_many_files_of_others_are_open(directory: Path) -> None:
    """A crash loop leaves many files; they are adopted by and by, in order, and none is lost."""
    for number in range(70):
        bench = Bench(directory)
        bench.put(number)
        bench.die()
    heir = Bench(directory)
    assert heir.spool.adopt() == 64
    assert heir.spool.adopt() == 0
    assert heir.drain() == list(range(64))
    assert heir.spool.adopt() == 6
    assert heir.drain() == list(range(64, 70))


@pytest.mark.parametrize(("count", "padding"), [(80, 10_000), (100, 4000)])
def test_what_waits_for_adoption_is_bounded_too(directory: Path, count: int, padding: int) -> None:
    """Beyond `max_bytes` the oldest orphans are deleted and counted, also those that had to wait."""
    for number in range(count):
        bench = Bench(directory)
        bench.put(number, padding=padding)
        bench.die()
    heir = Bench(directory, max_bytes=300_000)
    adopted = dropped = 0
    for _ in range(20):
        adopted += heir.spool.adopt()
        dropped += heir.spool.take_dropped()
    assert sum(path.stat().st_size for path in files(directory)) <= 300_000
    assert heir.spool.events == adopted - dropped
    assert dropped
    rest = heir.drain()
    while heir.spool.adopt():
        rest += heir.drain()
    assert rest == list(range(dropped, count))
