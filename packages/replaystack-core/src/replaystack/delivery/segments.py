"""The files of a spool: who may read them, whose they are, and what is in each.

A segment belongs to the process that holds its lock. The lock is `flock`, which the kernel
takes back however a process ends, and which belongs to the open file: two clients of one
process exclude each other, and a forked child that closes its copy of the descriptor takes
nothing from its parent. (With the per-process locks of `fcntl` either would go wrong.)

Names are `<number>-<random>.spool1`: the number is one more than the highest in the directory,
so that names sort by age without asking a clock, and `spool1` is the version of the format.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..sanitize import PROOF_BYTES, Masked
from .records import HEAD_BYTES, SEGMENT_MAX_BYTES, Place, find, head_of, pack, read_at

try:
    import fcntl
except ImportError:  # Windows: `SegmentDirectory.opened` says that there is no spool
    fcntl = None  # type: ignore[assignment]  # one name, with a value that means "none here"

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence
    from pathlib import Path

__all__ = ["Segment", "SegmentDirectory"]

_NAME: Final = re.compile(r"[0-9]{16}-[0-9a-f]{8}\.spool1")

# No directory gets there by counting; a name beyond it is somebody's joke and must not use up the numbers.
_NUMBER_MAX = 10**15

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

# What an entry is that is no segment of ours: gone meanwhile, a link, a directory, a socket, not ours.
_NO_SEGMENT = {errno.ENOENT, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENODEV, errno.EACCES, errno.EPERM}

_EXCLUSIVE_TRIES = 10  # another process would have to take each new file in the microseconds before its lock


class Segment:
    """One open, locked file of events. Not thread-safe. Methods raise OSError.

    Only the process that holds the lock writes, always at an offset it knows, so that a write that
    was torn off (by a full disk, by Ctrl-C) is written over by the next.
    """

    __slots__ = ("descriptor", "live", "name", "proofs", "settled_to", "size", "unread", "unread_from")

    def __init__(self, name: str, descriptor: int) -> None:
        self.name: str = name
        """Sorts by age."""
        self.size: int = 0
        """Bytes of sound records; what the file may have beyond them does not count."""
        self.live: int = 0
        """Events that are not settled."""
        self.unread: int = 0
        """Those of them that were not read yet."""
        self.unread_from: int = 0
        self.proofs: bytearray = bytearray()
        """Of the unread events that this process wrote, one after the other: what `sanitize.prove` gave."""
        self.settled_to: int = 0
        self.descriptor: int = descriptor

    @property
    def is_open(self) -> bool:
        """Whether this process still holds the file."""
        return self.descriptor >= 0

    @property
    def is_gone(self) -> bool:
        """Whether somebody removed the file: it can still be read here, and by nobody else. Never raises."""
        try:
            return os.fstat(self.descriptor).st_nlink == 0
        except OSError:
            return True

    @property
    def file_bytes(self) -> int:
        """What the file takes, sound or not."""
        return os.fstat(self.descriptor).st_size

    def is_named(self, directory: int) -> bool:
        """Tell whether the segment's name in the open `directory` means this very file."""
        found = os.stat(self.name, dir_fd=directory, follow_symlinks=False)
        return os.path.samestat(found, os.fstat(self.descriptor))

    # -- writing --------------------------------------------------------------------------------

    def write(self, events: Sequence[Masked]) -> list[Place]:
        """Append events with one write; return where those are that were written, all or the first few.

        Returning means that the operating system has them: they survive this process, not a
        loss of power (`sync`). Raises if not even one could be written.
        """
        self._straighten()
        records: list[bytes] = []
        places: list[Place] = []
        end = self.size
        for event in events:
            if type(event) is not Masked:
                raise TypeError(f"a spool takes Masked only: got {type(event).__name__}")
            record, place = pack(event, end)
            records.append(record)
            places.append(place)
            end = place.end
        written = self.size + os.pwrite(self.descriptor, b"".join(records), self.size)
        if written < end:
            places = [place for place in places if place.end <= written]
            if not places:
                self._straighten()
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.size = places[-1].end if places else self.size
        self.live += len(places)
        self.unread += len(places)
        return places

    def _straighten(self) -> None:
        """Cut off what a torn write left behind; raise if the file is not what it was."""
        status = os.fstat(self.descriptor)
        if status.st_nlink == 0 or status.st_size < self.size:
            raise FileNotFoundError(errno.ENOENT, "a file of the spool was removed or cut", self.name)
        if status.st_size > self.size:
            os.ftruncate(self.descriptor, self.size)

    def sync(self) -> None:
        """Wait until the disk has what was written."""
        os.fsync(self.descriptor)

    def settle(self, place: Place) -> None:
        """Mark the record at `place`, and all before it, as done."""
        self.settled_to = max(self.settled_to, place.end)
        offset, mark = place.mark
        os.pwrite(self.descriptor, mark, offset)

    # -- reading --------------------------------------------------------------------------------

    def load(self) -> int:
        """Take stock of a file that another process wrote; return how many of its bytes are no record.

        Those are a last record that was torn off, or damage. Reads the file once, as a whole.
        """
        buffer = self._read(0, SEGMENT_MAX_BYTES)
        strange = 0
        while (place := find(buffer, self.size)) is not None:
            strange += place.start - self.size
            self.size = place.end
            self.live += 1
            if place.is_settled:
                self.live = 0
                self.settled_to = place.end
        self.unread = self.live
        self.unread_from = self.settled_to
        return strange + len(buffer) - self.size

    def read(self) -> tuple[Place, bytes, bytes] | None:
        """Return the next unread record, its event and proof, and step over it; None: no sound one is left.

        Behind damage the proofs are no longer those of their events; they prove nothing then.
        """
        start = self.unread_from
        head = head_of(self._read(start, HEAD_BYTES))
        if head is not None:
            buffer = self._read(start, HEAD_BYTES + head[0])
            place = read_at(buffer, 0)
            if place is not None:
                return self._step_over(place.moved(start), buffer[HEAD_BYTES:])
        buffer = self._read(start, self.size - start)
        place = find(buffer, 0)
        if place is None:
            return None
        return self._step_over(place.moved(start), buffer[place.start + HEAD_BYTES : place.end])

    def skip_unread(self) -> int:
        """Take everything for read; return how many events were not."""
        unread, self.unread = self.unread, 0
        self.unread_from = self.size
        self.proofs.clear()
        return unread

    def _step_over(self, place: Place, data: bytes) -> tuple[Place, bytes, bytes]:
        self.unread_from = place.end
        self.unread -= 1
        proof = bytes(self.proofs[:PROOF_BYTES])
        del self.proofs[:PROOF_BYTES]
        return place, data, proof

    def _read(self, start: int, length: int) -> bytes:
        """Read, and go on after a short read: the kernel may give less than was asked for."""
        data = os.pread(self.descriptor, length, start)
        while len(data) < length:
            more = os.pread(self.descriptor, length - len(data), start + len(data))
            if not more:
                break
            data += more
        return data

    def close(self) -> None:
        """Let go of file and lock; never raises. A forked child takes nothing from its parent (see above)."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor < 0:
            return
        try:
            os.close(descriptor)
        except OSError:  # the kernel lets go of a descriptor even where it reports an error
            pass


def _make(path: Path) -> None:
    """Make a directory and those above it that are missing, ours alone each.

    One above may be a spool too: the folder of log entries lies in that of events, and may be made
    first. Under the umask of gunicorn, 0, everybody could write to it, and it would be refused.
    """
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return  # another process was faster; who it was shows in the check
    except FileNotFoundError:
        _make(path.parent)
        _make(path)
        return
    path.chmod(0o700)  # a umask may have taken our own rights away


class SegmentDirectory:
    """The directory of a spool. Every method opens it anew and checks it; none keeps it open.

    Methods raise OSError: a PermissionError where others might write to it.
    """

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    @contextmanager
    def opened(self, *, create: bool = False) -> Iterator[int]:
        """Yield a descriptor of the directory, which is ours alone to write to.

        What is done by name is done relative to it, so that nobody can put another directory in its
        place meanwhile. Where it is missing and `create` is set, it is made, with mode 0700,
        and so is what is missing above it.
        """
        if fcntl is None:
            raise OSError(errno.ENOTSUP, "a spool needs flock, which this platform lacks", str(self.path))
        try:
            descriptor = self._open()
        except FileNotFoundError:
            if not create:
                raise
            _make(self.path)
            descriptor = self._open()
        try:
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
                problem = "the directory of a spool must be the process's own, and writable for nobody else"
                raise PermissionError(errno.EPERM, problem, str(self.path))
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except NotADirectoryError:
            problem = "a spool needs a directory, neither a file nor a symbolic link"
            raise NotADirectoryError(errno.ENOTDIR, problem, str(self.path)) from None

    def create(self, *, sync: bool = False) -> Segment:
        """Return a new, empty segment, younger than all that are there; `sync`: its name is on the disk."""
        with self.opened(create=True) as directory:
            numbers = (int(name[:16]) for name in _names(directory))
            number = 1 + max((number for number in numbers if number < _NUMBER_MAX), default=0)
            for _ in range(_EXCLUSIVE_TRIES):
                segment = self._create(directory, f"{number:016d}-{secrets.token_hex(4)}.spool1")
                if segment is None:
                    continue
                try:
                    if sync:
                        os.fsync(directory)
                except BaseException:
                    segment.close()
                    raise
                return segment
            raise BlockingIOError(errno.EAGAIN, "other processes take each new file", str(self.path))

    @staticmethod
    def _create(directory: int, name: str) -> Segment | None:
        """Return a new segment, or None if the name is taken or an adopter was faster than our lock."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            segment = Segment(name, os.open(name, flags, 0o600, dir_fd=directory))
        except FileExistsError:
            return None
        try:
            os.fchmod(segment.descriptor, 0o600)  # a umask may have taken our own rights away
            if _lock(segment.descriptor) and not segment.is_gone:
                return segment
        except BaseException:
            segment.close()
            raise
        segment.close()
        return None

    def orphans(self, held: Container[str]) -> Iterator[Segment]:
        """Yield each segment that no process holds, locked for this one and not loaded yet, oldest first.

        Leaves alone what does not look like ours: other names, links, what is no file, has another
        owner, a second name, or more than 4 MiB; and the names in `held`.
        """
        try:
            with self.opened() as directory:
                for name in sorted(_names(directory)):
                    segment = None if name in held else self._adopt(directory, name)
                    if segment is not None:
                        yield segment
        except FileNotFoundError:
            return

    @staticmethod
    def _adopt(directory: int, name: str) -> Segment | None:
        try:
            # Not blocking: a pipe of that name would wait for a writer for ever.
            flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
            segment = Segment(name, os.open(name, flags, dir_fd=directory))
        except OSError as error:
            if error.errno in _NO_SEGMENT:
                return None
            raise
        try:
            # Its owner may have removed it between our opening and our lock: look only after that.
            if _lock(segment.descriptor) and _is_ours(os.fstat(segment.descriptor)):
                return segment
        except BaseException:
            segment.close()
            raise
        segment.close()
        return None

    def remove(self, segment: Segment) -> None:
        """Delete the segment's file, if its name still means this file. Its lock stays until `close`."""
        try:
            with self.opened() as directory:
                if segment.is_named(directory):
                    os.unlink(segment.name, dir_fd=directory)
        except FileNotFoundError:
            return


def _names(directory: int) -> list[str]:
    """Return what is named as a segment is, in no order."""
    return [name for name in os.listdir(directory) if _NAME.fullmatch(name)]


def _lock(descriptor: int) -> bool:
    """Take the lock of an open file for as long as it is open; False if somebody else holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_ours(status: os.stat_result) -> bool:
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_uid == os.geteuid()
        and status.st_nlink == 1
        and status.st_size <= SEGMENT_MAX_BYTES
    )
