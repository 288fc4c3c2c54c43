"""A disk that is full, read-only, gone, shared or hostile: one message, nothing raised, nothing touched."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import stat
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.spools import Bench, event, failing, files

from replaystack.delivery import spool
from replaystack.delivery.records import HEAD_BYTES
from replaystack.delivery.spool import RETRY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "0000000000000001-{:08x}.spool1"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return where the spool is to be; nothing is there yet."""
    return tmp_path / "spool"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of 256 KiB; needs the right to mount one."""
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "tmpfs", str(mount)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system takes root")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=True)


def remount(mount: Path, how: str) -> None:
    """Make the small disk read-only (`ro`) or writable again (`rw`)."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(mount)], check=True)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# -- full -------------------------------------------------------------------------------------------


def test_a_full_disk_takes_whole_events_and_gives_them_back(small_disk: Path) -> None:
    """What fits is on disk, what does not stays with the caller; once there is room, it goes on."""
    bench = Bench(small_disk / "spool")
    wanted = list(range(100))
    done = bench.put(*wanted, padding=10_000)
    assert 0 < done < 26
    assert not bench.spool.usable
    assert bench.spool.retry_at == bench.now + RETRY_SECONDS
    assert bench.put(100) == 0
    assert len(bench.reports) == 1
    assert bench.peek(10) == list(range(10))
    bench.spool.settle(10)
    bench.now += RETRY_SECONDS
    assert bench.spool.usable
    assert bench.put(*wanted[done:], padding=10_000) == 0  # the file still takes all the room
    assert bench.drain() == wanted[10:done]
    bench.now += RETRY_SECONDS
    assert bench.put(*wanted[done : done + 20], padding=10_000) == 20
    assert len(bench.reports) == 1
    bench.die()
    heir = Bench(small_disk / "spool")
    assert heir.spool.adopt() == 20
    assert heir.drain() == wanted[done : done + 20]


def test_a_disk_that_is_full_at_any_byte(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in a batch the room ends: the whole records before it are taken, on disk, and counted."""
    batch = [event(number) for number in range(3)]
    ends = [sum(HEAD_BYTES + len(item) for item in batch[: index + 1]) for index in range(3)]
    real = os.pwrite
    for room in range(ends[-1] + 1):

        def pwrite(descriptor: int, data: bytes, offset: int, room: int = room) -> int:
            if len(data) == 4:  # a mark: in place, it takes no room
                return real(descriptor, data, offset)
            if offset >= room:
                raise OSError(errno.ENOSPC, "full")
            return real(descriptor, data[: room - offset], offset)

        monkeypatch.setattr("replaystack.delivery.segments.os.pwrite", pwrite)
        bench = Bench(directory)
        taken = bench.spool.append(batch)
        whole = sum(end <= room for end in ends)
        assert taken == whole == bench.spool.events
        assert len(bench.reports) == (whole < 3)
        bench.die()
        heir = Bench(directory)
        assert heir.spool.adopt() == whole
        assert heir.drain() == list(range(whole))
        assert heir.reports == []
        assert files(directory) == []


def test_a_limit_on_the_size_of_files(directory: Path) -> None:
    """`ulimit -f`: the system cuts the write short, then refuses; its signal is ignored, as Python does."""
    bench = Bench(directory)
    with file_size_limit(50_000):
        assert bench.put(*range(20), padding=10_000) == 4
        assert len(bench.reports) == 1
        assert isinstance(bench.reports[0][0], OSError)
    bench.now += RETRY_SECONDS
    assert bench.put(*range(4, 20), padding=10_000) == 16
    assert bench.drain() == list(range(20))


def test_too_many_open_files(directory: Path) -> None:
    """The application's limit of descriptors: the spool waits, and takes none that are not there."""
    orphan = Bench(directory)
    orphan.put(1)
    orphan.die()
    bench = Bench(directory)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, hard))  # the directory opens, a file does not
    try:
        assert bench.spool.adopt() == 0
        bench.now += RETRY_SECONDS
        assert bench.put(2) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(bench.reports) == 1
    bench.now += RETRY_SECONDS
    assert bench.spool.adopt() == 1
    assert bench.put(2) == 1
    assert bench.drain() == [1, 2]


# -- read-only --------------------------------------------------------------------------------------


def test_a_read_only_disk_is_left_alone(small_disk: Path) -> None:
    """Nothing is written, nothing adopted that could not be marked; when it is writable, all goes on."""
    orphan = Bench(small_disk / "spool")
    orphan.put(1)
    orphan.die()
    remount(small_disk, "ro")
    bench = Bench(small_disk / "spool")
    assert bench.spool.adopt() == 0
    bench.now += RETRY_SECONDS
    assert bench.put(2) == 0
    assert len(bench.reports) == 1
    remount(small_disk, "rw")
    bench.now += RETRY_SECONDS
    assert bench.spool.adopt() == 1
    assert bench.put(2) == 1
    assert bench.drain() == [1, 2]


def test_a_disk_that_becomes_read_only_sends_nothing_twice(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was settled stays settled in this process, though it can neither be marked nor deleted."""
    bench = Bench(directory)
    bench.put(1, 2, 3)
    bench.peek(2)
    with monkeypatch.context() as patch:
        for call in ("pwrite", "unlink", "ftruncate"):
            patch.setattr(f"replaystack.delivery.segments.os.{call}", failing(errno.EROFS))
        bench.spool.settle(2)
        assert bench.peek() == [3]
        bench.spool.settle(1)
        assert bench.spool.events == 0
        for _ in range(3):
            bench.now += RETRY_SECONDS
            assert bench.spool.adopt() == 0
            assert bench.peek() == []
        assert len(bench.reports) == 1
        assert len(files(directory)) == 1
    bench.now += RETRY_SECONDS
    assert bench.spool.adopt() == 0
    assert files(directory) == []


def test_a_file_that_cannot_be_deleted_is_marked(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the next process, too, finds that there is nothing to send."""
    bench = Bench(directory)
    bench.put(1, 2)
    bench.peek()
    monkeypatch.setattr("replaystack.delivery.segments.os.unlink", failing(errno.EACCES))
    bench.spool.settle(2)
    bench.spool.close()
    monkeypatch.undo()
    heir = Bench(directory)
    assert heir.spool.adopt() == 0
    assert files(directory) == []


def test_a_disk_that_cannot_be_read(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that the disk does not give back are counted as lost here; the file stays for a better day."""
    bench = Bench(directory)
    bench.put(1, 2)
    assert bench.peek(1) == [1]
    monkeypatch.setattr("replaystack.delivery.segments.os.pread", failing(errno.EIO))
    assert bench.peek() == [1]
    assert bench.spool.take_unreadable() == 1
    bench.spool.settle(1)
    assert bench.spool.events == 0
    assert bench.spool.take_unreadable() == 0
    monkeypatch.undo()
    bench.now += RETRY_SECONDS
    assert bench.spool.adopt() == 0  # this process has counted it
    bench.spool.close()
    heir = Bench(directory)
    assert heir.spool.adopt() == 2
    heir.drain()
    assert heir.spool.events == 0


@pytest.mark.parametrize("call", ["fsync", "pwrite", "open", "fchmod", "fstat", "listdir"])
def test_any_call_that_fails_is_reported_once(
    directory: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Whatever the system refuses, nothing is raised, and the next try after some seconds may go well."""
    bench = Bench(directory)
    with monkeypatch.context() as patch:
        patch.setattr(f"replaystack.delivery.segments.os.{call}", failing(errno.EIO))
        taken = bench.put(1, sync=True)
        assert not bench.spool.usable
        bench.now += RETRY_SECONDS
        bench.put(1, sync=True)
        assert taken == 0 or call == "fsync"
    assert len(bench.reports) == 1
    bench.now += RETRY_SECONDS
    assert bench.put(2, sync=True) == 1
    assert bench.drain()[-1] == 2
    assert bench.spool.events == 0


def test_sync_waits_for_the_disk(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `sync` each file that an append wrote to is on the disk, and a new one's name; else no wait."""
    synced: list[bool] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr("replaystack.delivery.segments.os.fsync", fsync)
    bench = Bench(directory)
    bench.put(1)
    assert synced == []
    bench.put(2, sync=True)
    assert synced == [False]
    bench.put(*range(3, 9), padding=1_000_000, sync=True)
    assert synced == [False, False, True, False]


def test_a_disk_that_does_not_confirm(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is taken, since it is in the file; that it may not last is said."""
    bench = Bench(directory)
    bench.put(1)
    monkeypatch.setattr("replaystack.delivery.segments.os.fsync", failing(errno.EIO))
    assert bench.put(2, 3, sync=True) == 2
    assert len(bench.reports) == 1
    assert not bench.spool.usable
    assert bench.drain() == [1, 2, 3]


def opened_below(folder: Path) -> list[str]:
    """Return the files and folders below `folder` that this process has open; other threads have others."""
    found: list[str] = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile, as the one that lists them
            found.append(str(descriptor.readlink()))
    return [path for path in found if path.startswith(str(folder))]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what is open can be read on Linux only")
def test_trouble_leaves_no_descriptor_open(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's descriptors are not ours to use up, whichever call fails, however often."""
    for call in ("fsync", "pwrite", "pread", "fchmod", "fstat", "listdir", "unlink", "stat"):
        orphan = Bench(directory)
        orphan.put(1)
        orphan.die()
        bench = Bench(directory)
        for _ in range(3):
            with monkeypatch.context() as patch:
                patch.setattr(f"replaystack.delivery.segments.os.{call}", failing(errno.EIO))
                bench.spool.adopt()
                bench.now += RETRY_SECONDS
                bench.put(2, sync=True)
                bench.drain()
                bench.now += RETRY_SECONDS
        bench.spool.close()
        assert not opened_below(directory), call


def test_the_number_of_files_is_bounded(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is a descriptor of the application's: beyond so many the oldest goes, and is counted."""
    monkeypatch.setattr(spool, "SEGMENTS_MAX", 3)
    bench = Bench(directory)
    for number in range(20):
        bench.put(number, padding=1_000_000)
        assert len(files(directory)) <= 3
    dropped = bench.spool.take_dropped()
    assert bench.drain() == list(range(dropped, 20))


# -- gone -------------------------------------------------------------------------------------------


def test_a_directory_that_vanishes(directory: Path) -> None:
    """What was in it can still be sent; what comes stays in memory, and later goes into a new directory."""
    bench = Bench(directory)
    bench.put(1, 2)
    for path in files(directory):
        path.unlink()
    directory.rmdir()
    assert bench.put(3) == 0
    assert bench.put(3) == 0
    assert len(bench.reports) == 1
    assert bench.spool.adopt() == 0
    assert bench.peek() == [1, 2]
    bench.now += RETRY_SECONDS
    assert bench.put(3) == 1
    assert len(files(directory)) == 1
    assert bench.drain() == [1, 2, 3]
    assert len(bench.reports) == 1


def test_what_somebody_deleted_is_counted_at_the_end(directory: Path) -> None:
    """Files removed under a living process are lost when it ends, and the account says so."""
    bench = Bench(directory)
    bench.put(1, 2, 3)
    bench.peek(1)
    bench.spool.settle(1)
    files(directory)[0].unlink()
    bench.spool.close()
    assert bench.spool.take_dropped() == 2
    assert (bench.spool.events, bench.spool.bytes) == (0, 0)


def test_a_new_trouble_is_said_again(directory: Path) -> None:
    """Once a minute or once a year: each outage has its message, after the disk was well in between."""
    bench = Bench(directory)
    for outage in range(3):
        bench.put(outage)
        for path in files(directory):
            path.unlink()
        assert bench.put(9) == 0
        assert len(bench.reports) == outage + 1
        bench.now += RETRY_SECONDS


def test_parents_are_made(tmp_path: Path) -> None:
    """`spool_path` may name a directory of a directory that is not there yet."""
    bench = Bench(tmp_path / "a" / "b" / "spool")
    assert bench.put(1) == 1


def test_a_working_directory_that_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative `spool_path` means what it meant at the start."""
    monkeypatch.chdir(tmp_path)
    bench = Bench(Path("spool"))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert bench.put(1) == 1
    assert len(files(tmp_path / "spool")) == 1
