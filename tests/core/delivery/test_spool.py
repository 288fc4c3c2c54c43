"""What the spool promises when the disk does: order, bounds, marks, adoption, and an account that adds up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.spools import PLENTY, Bench, event, files, numbers

from replaystack.delivery.records import SEGMENT_MAX_BYTES
from replaystack.exchange import RawBody
from replaystack.sanitize import Policy, encode_event

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return where the spool is to be; nothing is there yet."""
    return tmp_path / "spool"


def test_construction_opens_nothing(directory: Path) -> None:
    """No file, no directory, until there is an event to keep; looking for orphans makes none either."""
    bench = Bench(directory)
    assert bench.spool.usable
    assert bench.spool.adopt() == 0
    assert bench.peek() == []
    assert bench.spool.append([]) == 0
    bench.spool.close()
    assert not directory.exists()
    assert not bench.reports


def test_what_goes_in_comes_out_in_order_and_byte_for_byte(directory: Path) -> None:
    """The events of `peek` are those of `append`, oldest first, and stay until they are settled."""
    bench = Bench(directory)
    batch = [event(number, padding=number * 100) for number in range(20)]
    assert bench.spool.append(batch[:5]) == 5
    assert bench.spool.append(batch[5:]) == 15
    assert bench.spool.events == 20
    records = bench.spool.peek(20, PLENTY)
    assert [record.masked for record in records] == batch
    assert bench.spool.peek(20, PLENTY) == records
    assert [record.ordinal for record in records] == list(range(20))
    bench.spool.settle(3)
    assert bench.spool.events == 17
    assert bench.peek(2) == [3, 4]
    assert bench.drain() == list(range(3, 20))
    assert (bench.spool.events, bench.spool.bytes) == (0, 0)
    assert files(directory) == []


def test_the_file_is_length_checksum_bytes_and_nothing_else(directory: Path) -> None:
    """The format is what the documentation says: another program can read it."""
    bench = Bench(directory)
    batch = [event(number) for number in range(3)]
    bench.spool.append(batch)
    data = files(directory)[0].read_bytes()
    expected = b"".join(
        len(item).to_bytes(4, "big") + zlib.crc32(item.data).to_bytes(4, "big") + item.data for item in batch
    )
    assert data == expected
    assert bench.spool.bytes == len(expected)
    bench.peek()
    bench.spool.settle(2)
    second = len(batch[0]) + 8
    inverted = (zlib.crc32(batch[1].data) ^ 0xFFFFFFFF).to_bytes(4, "big")
    assert files(directory)[0].read_bytes() == data[: second + 4] + inverted + data[second + 8 :]
    assert bench.spool.bytes == 8 + len(batch[2])


def test_the_documented_program_reads_a_file(directory: Path, root: Path) -> None:
    """What docs/spool.md shows works as it stands, and changes nothing."""
    bench = Bench(directory)
    bench.put(1, 2, 3)
    bench.peek()
    bench.spool.settle(2)
    (path,) = files(directory)
    before = path.read_bytes()
    page = (root / "docs/spool.md").read_text(encoding="utf-8")
    program = page.partition("```python\n")[2].partition("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["waiting", "t-1"],
        ["done", "t-2"],
        ["waiting", "t-3"],
    ]
    assert path.read_bytes() == before


def test_peek_keeps_to_its_bounds_but_gives_at_least_one(directory: Path) -> None:
    """A batch is bounded by count and by bytes; one event that is larger comes alone."""
    bench = Bench(directory)
    bench.put(*range(10), padding=1000)
    size = len(event(0, padding=1000))
    assert bench.peek(4) == [0, 1, 2, 3]
    assert bench.peek(10, 2 * size) == [0, 1]
    assert bench.peek(10, 1) == [0]
    assert bench.peek(0) == []


def test_more_than_was_peeked_cannot_be_settled(directory: Path) -> None:
    """That would settle what nobody has seen."""
    bench = Bench(directory)
    bench.put(1, 2, 3)
    bench.peek(2)
    with pytest.raises(ValueError, match="3 events to settle, but 2 were peeked"):
        bench.spool.settle(3)
    assert bench.drain() == [1, 2, 3]


def test_segments_rotate_at_four_mebibytes(directory: Path) -> None:
    """No file grows beyond 4 MiB, and names sort by age."""
    bench = Bench(directory)
    for number in range(12):
        bench.put(number, padding=1_000_000)
    sizes = [path.stat().st_size for path in files(directory)]
    assert len(sizes) == 3
    assert max(sizes) <= SEGMENT_MAX_BYTES
    assert bench.drain() == list(range(12))
    assert files(directory) == []


def test_one_large_batch_is_spread_over_segments(directory: Path) -> None:
    """The bound of a file holds whatever one call brings."""
    bench = Bench(directory)
    assert bench.put(*range(12), padding=1_000_000) == 12
    assert [path.stat().st_size <= SEGMENT_MAX_BYTES for path in files(directory)] == [True] * 3
    assert bench.drain() == list(range(12))


def test_the_oldest_make_way_and_are_counted(directory: Path) -> None:
    """`spool_max_bytes` holds after each append; what it costs is counted, whole files at a time."""
    bench = Bench(directory, max_bytes=1_000_000)
    for number in range(300):
        bench.put(number, padding=10_000)
        on_disk = sum(path.stat().st_size for path in files(directory))
        assert on_disk <= 1_000_000
    dropped = bench.spool.take_dropped()
    assert bench.spool.take_dropped() == 0
    assert 200 <= dropped < 230
    assert bench.spool.events == 300 - dropped
    assert bench.drain() == list(range(dropped, 300))
    assert not bench.reports


def test_what_is_in_flight_survives_the_bound(directory: Path) -> None:
    """Peeked events whose file makes way are not dropped: they are delivered or kept, counted once."""
    bench = Bench(directory, max_bytes=200_000)
    bench.put(*range(15), padding=10_000)
    assert bench.peek(2) == [0, 1]
    bench.put(*range(100, 130), padding=10_000)
    dropped = bench.spool.take_dropped()
    assert bench.spool.events == 45 - dropped
    assert bench.peek(2) == [0, 1]
    bench.spool.settle(2)
    left = bench.drain()
    assert len(left) == 43 - dropped
    assert left == list(range(130 - len(left), 130))
    assert bench.spool.take_dropped() == 0


def test_what_is_in_memory_only_is_dropped_at_close(directory: Path) -> None:
    """An event whose file made way, and which was not delivered after all, is a counted drop at the end."""
    bench = Bench(directory, max_bytes=200_000)
    bench.put(0, 1, padding=10_000)
    bench.peek(1)
    for number in range(100, 140):
        bench.put(number, padding=10_000)
    before = bench.spool.take_dropped()
    bench.spool.close()
    assert bench.spool.take_dropped() == 1
    assert bench.spool.events == 42 - before - 1


def test_an_event_that_fits_nowhere_is_dropped(directory: Path) -> None:
    """It is taken, so that the caller does not come again with it, and counted."""
    bench = Bench(directory, max_bytes=100_000)
    batch = [event(1), event(2, padding=200_000), event(3)]
    assert bench.spool.append(batch) == 3
    assert bench.spool.take_dropped() == 1
    assert bench.drain() == [1, 3]


def test_close_keeps_events_and_deletes_empty_files(directory: Path) -> None:
    """What waits is there for the next process; what is empty is not left lying about."""
    first, second = Bench(directory), Bench(directory)
    first.put(1, 2)
    second.put(3)
    second.drain()
    first.spool.close()
    first.spool.close()
    second.spool.close()
    assert len(files(directory)) == 1
    assert first.spool.events == 2
    assert first.spool.bytes == files(directory)[0].stat().st_size
    assert not first.spool.usable
    assert first.put(9) == 0
    assert first.spool.adopt() == 0
    assert first.peek() == []


def test_kept_events_are_not_read_back(directory: Path) -> None:
    """With `keep` the very same object comes out, where nothing older waits; else the file is read."""
    bench = Bench(directory)
    batch = [event(1), event(2)]
    bench.spool.append(batch, keep=True)
    assert [record.masked for record in bench.spool.peek(5, PLENTY)] == batch
    assert bench.spool.peek(5, PLENTY)[0].masked is batch[0]
    bench.put(3)
    later = [event(4)]
    bench.spool.append(later, keep=True)
    records = bench.spool.peek(9, PLENTY)
    assert numbers(records) == [1, 2, 3, 4]
    assert records[3].masked is not later[0]
    bench.spool.settle(4)
    assert files(directory) == []


def test_what_is_kept_in_memory_is_bounded(directory: Path) -> None:
    """In a long outage the disk fills, not the memory: beyond 4 MiB events are read back in their turn."""
    bench = Bench(directory)
    for number in range(10):
        bench.put(number, padding=1_000_000, keep=True)
    assert sum(len(peeked.record.masked) for peeked in bench.spool._peeked) <= 4 << 20
    assert bench.drain() == list(range(10))
    assert bench.put(10, keep=True) == 1
    assert len(bench.spool._peeked) == 1


def test_kept_events_are_on_disk_too(directory: Path) -> None:
    """`keep` spares the reading, not the writing: a crash loses nothing, a mark says what is done."""
    bench = Bench(directory)
    bench.put(1, 2, 3, keep=True)
    bench.peek(2)
    bench.spool.settle(2)
    bench.die()
    heir = Bench(directory)
    assert heir.spool.adopt() == 1
    assert heir.drain() == [3]


def test_nothing_secret_is_in_the_file_or_its_name(directory: Path) -> None:
    """What is on disk is what would have been sent."""
    bench = Bench(directory)
    secret = "correct-horse-battery"
    document = {"traceId": "t-1", "requestPayload": {"password": secret, "shape": "round"}}
    bench.spool.append([encode_event(document, Policy.build())])
    (path,) = files(directory)
    assert secret.encode() not in path.read_bytes()
    assert b"round" in path.read_bytes()


def test_what_is_read_back_is_masked_again(directory: Path) -> None:
    """A file written under a weaker policy, or by somebody else, is no road around the masking."""
    lax, strict = Policy.build(mask_values=False), Policy.build(mask_fields=["shape"])
    document = {"traceId": "t-1", "requestPayload": {"shape": "round", "note": "card 4111 1111 1111 1111"}}
    careless = Bench(directory)
    careless.spool.append([encode_event(document, lax)])
    careless.die()
    planted = json.dumps({"traceId": "t-2", "requestPayload": {"password": "plain"}}).encode()
    forged = len(planted).to_bytes(4, "big") + zlib.crc32(planted).to_bytes(4, "big") + planted
    (directory / "0000000000000002-00000000.spool1").write_bytes(forged)
    heir = Bench(directory, policy=strict)
    assert heir.spool.adopt() == 2
    first, second = (json.loads(record.masked.data) for record in heir.spool.peek(2, PLENTY))
    assert first["requestPayload"] == {"shape": "[MASKED]", "note": "card [MASKED]"}
    assert second["requestPayload"] == {"password": "[MASKED]"}


def test_a_record_that_somebody_changed_is_masked_again(directory: Path) -> None:
    """Our own file under our own lock proves nothing; a valid checksum over other bytes does not either."""
    bench = Bench(directory)
    document = {"traceId": "t-1", "requestPayload": {"password": "0123456789"}}
    written = encode_event(document, Policy.build(unmask_fields=["password"], mask_values=False))
    assert b"0123456789" in written.data
    bench.spool.append([written, event(2)])
    (path,) = files(directory)
    data = path.read_bytes()
    changed = written.data.replace(b"0123456789", b"9876543210")
    path.write_bytes(data[:4] + zlib.crc32(changed).to_bytes(4, "big") + changed + data[8 + len(changed) :])
    first, second = (record.masked for record in bench.spool.peek(2, PLENTY))
    assert json.loads(first.data)["requestPayload"] == {"password": "[MASKED]"}
    assert second == event(2)


def test_what_this_process_wrote_comes_back_byte_for_byte(directory: Path) -> None:
    """Masking does not run twice over it: the spelling of numbers and repeated keys stay."""
    bench = Bench(directory)
    data = b'{"a": 1.50, "a": [1e2]}'
    body = RawBody(data, "application/json", total_bytes=len(data))
    batch = [encode_event({"traceId": f"t-{n}", "requestPayload": body}, Policy.build()) for n in range(3)]
    assert all(data in masked.data for masked in batch)
    bench.spool.append(batch[:1])
    bench.spool.append(batch[1:], keep=True)
    assert [record.masked for record in bench.spool.peek(9, PLENTY)] == batch


def test_only_masked_bytes_are_written(directory: Path) -> None:
    """A spool is a way out of the process: it takes nothing that `sanitize` did not make."""
    bench = Bench(directory)
    with pytest.raises(TypeError, match="Masked only"):
        bench.spool.append([b"{}"])  # type: ignore[list-item]  # the point
    assert bench.spool.events == 0
    bench.put(1)
    assert bench.drain() == [1]


def test_forget_starts_empty_and_leaves_the_files(directory: Path) -> None:
    """A forked child has nothing of its parent's to send, and can go on with files of its own."""
    bench = Bench(directory)
    bench.put(1, 2)
    bench.peek(1)
    bench.spool.forget()
    assert (bench.spool.events, bench.spool.bytes, bench.spool.take_dropped()) == (0, 0, 0)
    assert bench.peek() == []
    assert len(files(directory)) == 1
    bench.put(3)
    assert bench.drain() == [3]


def test_a_signal_handler_that_comes_back_in_is_turned_away(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An append in the middle of an append would write over it: it says 0, and the caller keeps the event."""
    bench = Bench(directory)
    seen: list[object] = []

    def interrupting(descriptor: int, data: bytes, offset: int) -> int:
        monkeypatch.undo()
        seen.extend((bench.put(99), bench.peek(), bench.spool.adopt()))
        return os.pwrite(descriptor, data, offset)

    monkeypatch.setattr("replaystack.delivery.segments.os.pwrite", interrupting)
    assert bench.put(1, 2) == 2
    assert seen == [0, [], 0]
    assert bench.put(3) == 1
    assert bench.drain() == [1, 2, 3]


def test_a_write_torn_off_by_an_exception_is_written_over(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between writing and booking: the caller has the event still, and it is on disk once."""
    bench = Bench(directory)
    bench.put(1)

    def interrupted(descriptor: int, data: bytes, offset: int) -> int:
        monkeypatch.undo()
        os.pwrite(descriptor, data, offset)
        raise KeyboardInterrupt

    monkeypatch.setattr("replaystack.delivery.segments.os.pwrite", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bench.put(2, 3, 4)
    assert bench.spool.events == 1
    assert bench.put(2) == 1
    bench.die()
    heir = Bench(directory)
    assert heir.spool.adopt() == 2
    assert heir.drain() == [1, 2]
