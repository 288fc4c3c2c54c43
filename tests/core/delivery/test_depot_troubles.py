"""Pump and spool together where the disk refuses, is full, is damaged or gives nothing back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.core.delivery.depots import REFUSED, books
from tests.core.delivery.fakes import Item, Rig, masked

from replaystack.delivery.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_disk_that_refuses_means_memory(make: Callable[..., Rig], tmp_path: Path) -> None:
    """A file where the directory should be: one report, everything held in memory, delivered later."""
    (tmp_path / "spool").write_text("in the way")
    rig = make()
    rig.transport.answer = REFUSED
    rig.put(*range(5))
    rig.run(1.5)
    disk = [error for error in rig.errors if error is not REFUSED]
    assert len(disk) == 1
    assert (books(rig).queued, books(rig).spooled) == (5, 0)
    rig.transport.answer = Answer(200)
    rig.run(100)
    assert rig.transport.accepted == list(range(5))


def test_a_disk_that_refuses_bounds_the_count_again(make: Callable[..., Rig], tmp_path: Path) -> None:
    """offline_queue_max counts what memory holds, and nothing while the disk takes it."""
    rig = make(offline_queue_max=3)
    rig.transport.answer = REFUSED
    rig.put(*range(10))
    rig.run(1.5)
    assert books(rig).spooled == 10
    (tmp_path / "in the way").write_text("x")
    blocked = make(offline_queue_max=3)
    assert blocked.pump.depot is not None
    blocked.pump.depot._closed = True
    blocked.transport.answer = REFUSED
    blocked.put(*range(10))
    blocked.run(1.5)
    assert (books(blocked).queued, dict(books(blocked).dropped)) == (3, {"max_queue_size": 7})
    rig.transport.answer = Answer(200)


def test_a_full_spool_gives_up_the_oldest_and_counts_them(make: Callable[..., Rig]) -> None:
    """spool_max_bytes: oldest deleted, counted, told to the hook; the law holds."""
    rig = make(max_bytes=300_000)
    rig.transport.answer = REFUSED
    for number in range(200):
        rig.backlog.put(Item(number, encodes_to=masked(number, bytes_of_padding=4000)))
        rig.run(0.02)
    rig.run(1)
    stats = books(rig)
    dropped = stats.dropped["spool_max_bytes"]
    assert 100 < dropped < 180
    assert stats.spooled + dropped == 200
    assert len(rig.drops) == dropped
    assert rig.drops[0] == {"reason": "spool_max_bytes", "eventType": "unknown"}
    rig.transport.answer = Answer(200)
    rig.run(300)
    # The first was in memory already: it had been read for an attempt.
    assert rig.transport.accepted == [0, *range(dropped + 1, 200)]
    assert books(rig).spooled == 0


def test_damage_on_disk_is_counted(make: Callable[..., Rig], tmp_path: Path) -> None:
    """A file that somebody damaged: what cannot be read back is `spool_lost`, not a hole in the account."""
    rig = make()
    rig.transport.answer = REFUSED
    rig.put(*range(20))
    rig.run(0.5)
    for path in (tmp_path / "spool").iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
        path.write_bytes(data)
    rig.transport.answer = Answer(200)
    rig.run(100)
    stats = books(rig)
    assert stats.spooled == stats.queued == 0
    assert stats.dropped["spool_lost"] > 0
    assert stats.delivered + stats.dropped["spool_lost"] == 20


def test_a_disk_that_gives_nothing_back_is_asked_now_and_then(make: Callable[..., Rig]) -> None:
    """Events on disk that cannot be had at the moment: no spinning, no loss, sent once they can."""
    rig = make("always")
    depot = rig.pump.depot
    assert depot is not None
    assert depot.write_through(Item(1))
    depot._spool._busy = True  # as inside of a write that a signal handler interrupted
    rig.run(10)
    assert rig.pump.drive(rig.pump.hurry(), rig.time.now + 5)
    assert books(rig).spooled == 1
    depot._spool._busy = False
    rig.run(3)
    assert rig.transport.accepted == [1]
