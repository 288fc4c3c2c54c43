"""A file of the spool may end, or be damaged, at any byte: what is whole comes out, and nothing else."""

from __future__ import annotations

import random
import zlib
from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.spools import PLENTY, Bench, event, files

from replaystack.delivery.records import SEGMENT_MAX_BYTES, Place, pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 4


def written(directory: Path, *, settled: int = 0) -> tuple[Path, bytes, list[Place]]:
    """Let a process write a few events and die; return its file, the bytes, and where each record is."""
    bench = Bench(directory)
    batch = [event(number, padding=number * 7) for number in range(COUNT)]
    bench.spool.append(batch)
    bench.peek()
    bench.spool.settle(settled)
    bench.die()
    places: list[Place] = []
    for masked in batch:
        places.append(pack(masked, places[-1].end if places else 0)[1])
    (path,) = files(directory)
    return path, path.read_bytes(), places


def each_damage(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the file with one byte changed, for every byte and a few kinds of change."""
    for offset in range(len(data)):
        for change in (0x01, 0x80, 0xFF):
            yield offset, data[:offset] + bytes([data[offset] ^ change]) + data[offset + 1 :]


def adopted(directory: Path, path: Path, data: bytes) -> tuple[list[int], Bench]:
    """Put `data` there as an orphan and return what the next process gets out of it."""
    path.write_bytes(data)
    heir = Bench(directory)
    count = heir.spool.adopt()
    got = heir.drain()
    assert len(got) == count
    assert (heir.spool.events, heir.spool.bytes, heir.spool.take_unreadable()) == (0, 0, 0)
    assert files(directory) == []
    return got, heir


def test_a_file_that_ends_at_any_byte_gives_its_whole_records(tmp_path: Path) -> None:
    """A crash in the middle of a write costs the record that was being written, whichever byte it was at."""
    path, data, places = written(tmp_path / "spool")
    for length in range(len(data) + 1):
        got, heir = adopted(path.parent, path, data[:length])
        whole = [number for number, place in enumerate(places) if place.end <= length]
        assert got == whole
        torn = length not in {0, *(place.end for place in places)}
        assert len(heir.reports) == torn


def test_one_damaged_byte_costs_one_event_at_most(tmp_path: Path) -> None:
    """Wherever it is, in length, checksum or event: the neighbours arrive, and what is damaged does not."""
    path, data, places = written(tmp_path / "spool")
    for offset, damaged in each_damage(data):
        got, heir = adopted(path.parent, path, damaged)
        assert got == [number for number, place in enumerate(places) if not place.start <= offset < place.end]
        assert len(heir.reports) == 1


def test_damage_settles_nothing(tmp_path: Path) -> None:
    """With marks in the file: an unsettled event is lost only if it was hit; a settled one may come again."""
    path, data, places = written(tmp_path / "spool", settled=2)
    for offset, damaged in each_damage(data):
        got, _ = adopted(path.parent, path, damaged)
        unhurt = [number for number, place in enumerate(places) if not place.start <= offset < place.end]
        assert got == sorted(got)
        assert {number for number in unhurt if number >= 2} <= set(got) <= set(unhurt)


def test_a_marked_file_that_ends_at_any_byte_gives_what_was_not_settled(tmp_path: Path) -> None:
    """Cutting off the end brings back nothing that was settled before it, unless the mark went too."""
    path, data, places = written(tmp_path / "spool", settled=2)
    for length in range(len(data) + 1):
        got, _ = adopted(path.parent, path, data[:length])
        marked = length >= places[1].end
        assert got == [
            number
            for number, place in enumerate(places)
            if place.end <= length and (number >= 2 or not marked)
        ]


def test_damage_under_a_living_process_is_counted(tmp_path: Path) -> None:
    """What it wrote and cannot read back is `unreadable`, once, and the account still adds up."""
    directory = tmp_path / "spool"
    bench = Bench(directory)
    for offset in range(0, 4 * 150, 3):
        bench.put(*range(COUNT))
        (path,) = files(directory)
        data = bytearray(path.read_bytes())
        data[offset % len(data)] ^= 0x55
        path.write_bytes(data)  # the same file, written over
        got = bench.drain()
        assert len(got) == COUNT - 1
        assert bench.spool.take_unreadable() == 1
        assert bench.spool.events == 0
        assert files(directory) == []


def test_a_file_cut_under_a_living_process_is_counted(tmp_path: Path) -> None:
    """Somebody emptied the file: its events are lost and counted, new ones go to a new file."""
    directory = tmp_path / "spool"
    bench = Bench(directory)
    bench.put(*range(COUNT))
    with files(directory)[0].open("r+b") as file:
        file.truncate(200)
    assert bench.put(50) == 0
    assert len(bench.reports) == 1
    bench.now += 10
    assert bench.put(51) == 1
    got = bench.drain()
    assert got[-1] == 51
    assert len(got) - 1 + bench.spool.take_unreadable() == COUNT
    assert files(directory) == []


def _zeros(data: bytes) -> bytes:
    return data + bytes(SEGMENT_MAX_BYTES - len(data))


def _noise(data: bytes) -> bytes:
    return data + random.Random(7).randbytes(SEGMENT_MAX_BYTES - len(data))


def _busywork(data: bytes) -> bytes:
    """Heads of large records, one after the other: each would cost a sum over the rest of the file."""
    head = b"\x00\x1f\xff\xff\x00\x00\x00\x00{"
    return data + head * ((SEGMENT_MAX_BYTES - len(data)) // len(head))


@pytest.mark.parametrize("spoil", [_zeros, _noise, _busywork])
def test_rubbish_behind_the_records_does_not_hide_them(tmp_path: Path, spoil: object) -> None:
    """What a file system makes of a power cut, and what nobody makes by accident: the events come out."""
    assert callable(spoil)
    path, data, _ = written(tmp_path / "spool")
    got, heir = adopted(path.parent, path, spoil(data))
    assert got == list(range(COUNT))
    assert len(heir.reports) == 1


def test_rubbish_between_records_is_stepped_over(tmp_path: Path) -> None:
    """A block of zeros or noise in the middle costs what it covers."""
    path, data, places = written(tmp_path / "spool")
    middle = places[1].end
    for rubbish in (bytes(5000), random.Random(3).randbytes(5000), b"{" * 100, b"\x00" * 3):
        got, heir = adopted(path.parent, path, data[:middle] + rubbish + data[middle:])
        assert got == list(range(COUNT))
        assert len(heir.reports) == 1


@pytest.mark.parametrize("content", [b"", b"\x00", bytes(8), b"hello", bytes(100_000)])
def test_a_file_without_any_record_is_deleted(tmp_path: Path, content: bytes) -> None:
    """It has nothing for anybody; that it was not empty is said."""
    path, _, _ = written(tmp_path / "spool")
    got, heir = adopted(path.parent, path, content)
    assert got == []
    assert len(heir.reports) == bool(content)


@pytest.mark.parametrize("data", [b"[]", b"7", b"\xff\xfe", b"{not json", b"[" * 100_000])
def test_a_sound_record_that_is_no_event_is_unreadable(tmp_path: Path, data: bytes) -> None:
    """The checksum says that it is what was written, not that it is an event: it is counted and left out."""
    path, good, _ = written(tmp_path / "spool")
    length = len(data).to_bytes(4, "big")
    forged = length + zlib.crc32(data).to_bytes(4, "big") + data
    path.write_bytes(forged + good + forged)
    heir = Bench(path.parent)
    assert heir.spool.adopt() == COUNT + 2
    assert heir.drain() == list(range(COUNT))
    assert heir.spool.peek(1, PLENTY) == []
    assert heir.spool.take_unreadable() == 2
    assert heir.spool.events == 0
    assert files(path.parent) == []
