"""Who may write where: the spool keeps to what is its own, and lets nobody else in."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.spools import Bench, failing, files, refused

from replaystack.delivery import segments
from replaystack.delivery.records import SEGMENT_MAX_BYTES
from replaystack.delivery.spool import RETRY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "0000000000000001-{:08x}.spool1"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return where the spool is to be; nothing is there yet."""
    return tmp_path / "spool"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Set the process's umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


# -- rights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_only_the_owner_may_read(directory: Path, mask: int) -> None:
    """Directory 0700, files 0600, whatever the umask is."""
    with umask(mask):
        bench = Bench(directory)
        assert bench.put(1) == 1
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(directory)] == [0o600]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_a_spool_inside_of_another_may_be_the_first(directory: Path, mask: int) -> None:
    """That of log entries lies in that of events: whoever makes both leaves both to their owner alone."""
    with umask(mask):
        inner = Bench(directory / "logs")
        assert inner.put(1) == 1
        outer = Bench(directory)
        assert outer.put(1) == 1
    assert [stat.S_IMODE(path.stat().st_mode) for path in (directory, directory / "logs")] == [0o700, 0o700]


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o702])
def test_a_directory_that_others_may_write_to_is_refused(directory: Path, mode: int) -> None:
    """They could put events there in our name, or take ours away."""
    directory.mkdir()
    directory.chmod(mode)
    orphan = directory / NAME.format(1)
    orphan.write_bytes(b"")
    bench = Bench(directory)
    assert bench.spool.adopt() == 0
    bench.now += RETRY_SECONDS
    error = refused(bench)
    assert isinstance(error, PermissionError)
    assert "writable for nobody else" in str(error)
    assert orphan.exists()


def test_a_directory_of_somebody_else_is_refused(directory: Path) -> None:
    """Its owner could do the same, whatever its mode says."""
    if os.geteuid() != 0:
        pytest.skip("giving a directory away takes root")
    directory.mkdir(mode=0o700)
    os.chown(directory, 65534, 65534)
    assert isinstance(refused(Bench(directory)), PermissionError)


def test_a_directory_that_others_may_read_will_do(directory: Path) -> None:
    """They see names and sizes; the files are for the owner alone."""
    directory.mkdir(mode=0o755)
    bench = Bench(directory)
    assert bench.put(1) == 1
    assert stat.S_IMODE(files(directory)[0].stat().st_mode) == 0o600


# -- strangers --------------------------------------------------------------------------------------


def test_strangers_are_left_alone(directory: Path, tmp_path: Path) -> None:
    """Only regular files of our name, owner and size are opened, whatever else lies there."""
    directory.mkdir(mode=0o700)
    neighbour = Bench(tmp_path / "neighbour")
    neighbour.put(7)
    neighbour.die()
    (victim,) = files(tmp_path / "neighbour")
    precious = victim.read_bytes()
    twin = tmp_path / "twin"
    twin.write_bytes(precious)
    (directory / "README").write_text("not ours")
    (directory / "0000000000000001.spool1").write_text("almost")
    (directory / (NAME.format(1) + ".bak")).write_text("almost")
    (directory / NAME.format(2).replace("spool1", "spool2")).write_text("of a later version")
    (directory / NAME.format(3)).mkdir()
    (directory / NAME.format(4)).symlink_to(victim)
    (directory / NAME.format(5)).symlink_to("/dev/zero")
    os.mkfifo(directory / NAME.format(6))
    os.link(twin, directory / NAME.format(7))
    with (directory / NAME.format(8)).open("wb") as huge:
        huge.truncate(SEGMENT_MAX_BYTES + 1)
    if os.geteuid() == 0:
        (directory / NAME.format(9)).write_bytes(precious)
        os.chown(directory / NAME.format(9), 65534, 65534)
    before = sorted(directory.iterdir())
    bench = Bench(directory)
    bench.put(1)
    assert bench.spool.adopt() == 0
    assert bench.drain() == [1]
    bench.spool.close()
    assert sorted(directory.iterdir()) == before
    assert victim.read_bytes() == twin.read_bytes() == precious
    assert not bench.reports


def test_a_planted_name_is_not_followed(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link in the place of our next file: another name is taken, and the link's target is untouched."""
    directory.mkdir(mode=0o700)
    (directory / NAME.format(0)).symlink_to(tmp_path / "target")
    tokens = iter(["00000000", "00000000", "00000001"])
    monkeypatch.setattr(secrets, "token_hex", lambda _bytes: next(tokens))
    real = os.listdir
    monkeypatch.setattr("replaystack.delivery.segments.os.listdir", lambda fd: real(fd) and [])
    bench = Bench(directory)
    assert bench.put(1) == 1
    assert not (tmp_path / "target").exists()
    assert (directory / NAME.format(1)).stat().st_size > 0


def test_a_new_file_that_an_adopter_takes_first(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between making and locking a file another process may lock and delete it as empty: take the next."""
    real = os.fchmod
    thieves: list[int] = []

    def fchmod(descriptor: int, mode: int) -> None:
        real(descriptor, mode)
        if len(thieves) < 2:
            (path,) = [path for path in files(directory) if path.stat().st_ino == os.fstat(descriptor).st_ino]
            thieves.append(os.open(path, os.O_RDWR))
            fcntl.flock(thieves[-1], fcntl.LOCK_EX)
            path.unlink()
            if len(thieves) == 2:
                os.close(thieves[-1])  # this one is done already: its lock is free, its file is gone

    monkeypatch.setattr("replaystack.delivery.segments.os.fchmod", fchmod)
    bench = Bench(directory)
    assert bench.put(1) == 1
    assert len(thieves) == 2
    os.close(thieves[0])
    bench.die()
    heir = Bench(directory)
    assert heir.spool.adopt() == 1
    assert heir.drain() == [1]


def test_an_orphan_that_is_finished_while_we_open_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another adopter may send and delete it between our opening and our lock: it is not sent again."""
    dead = Bench(directory)
    dead.put(1)
    dead.die()
    first, second = Bench(directory), Bench(directory)
    real = segments._lock

    def lock(descriptor: int) -> bool:
        monkeypatch.setattr(segments, "_lock", real)
        assert first.spool.adopt() == 1
        assert first.drain() == [1]
        return real(descriptor)

    monkeypatch.setattr(segments, "_lock", lock)
    assert second.spool.adopt() == 0
    assert second.peek() == []


def test_a_file_that_took_the_place_of_ours_is_not_deleted(directory: Path) -> None:
    """Only the very file that was sent goes: a name is no proof."""
    bench = Bench(directory)
    bench.put(1)
    (path,) = files(directory)
    path.unlink()
    path.write_text("something else")
    assert bench.drain() == [1]
    assert path.read_text() == "something else"


def test_a_platform_without_locks_has_no_spool(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `flock` (Windows) nobody could tell an orphan: said once, nothing is written."""
    monkeypatch.setattr(segments, "fcntl", None)
    bench = Bench(directory)
    assert bench.spool.adopt() == 0
    bench.now += RETRY_SECONDS
    assert "flock" in str(refused(bench))
    assert not directory.exists()


def test_a_file_system_without_locks_has_no_spool(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where the file system refuses (some network shares do)."""
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    bench = Bench(directory)
    refused(bench)


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "under-a-file"])
def test_what_is_no_directory_is_refused(tmp_path: Path, kind: str) -> None:
    """A file, a link to a directory, a link to nothing: said once, and left as it is."""
    path = tmp_path / "spool"
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    if kind == "file":
        path.write_text("mine")
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / "file").write_text("mine")
        path = tmp_path / "file" / "spool"
    refused(Bench(path))
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not (tmp_path / "nowhere").exists()
