"""The segments that this process holds, oldest first: from the lock on a file to its deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .records import SEGMENT_MAX_BYTES
from .segments import Segment, SegmentDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SEGMENTS_MAX", "SegmentQueue"]

SEGMENTS_MAX: Final = 256
"""Each held segment is an open file of the application's process, which may have 1024 in all."""

_ADOPTED_MAX = 64
"""Of those, from others: a process that died often leaves many small ones. The rest waits its turn."""

_SEGMENT_MIN_BYTES = 64 * 1024
_SEGMENTS_IN_BOUND = 8  # what a full spool gives up at once is at most an eighth of it


class SegmentQueue:
    """Segments, each with its lock. Not thread-safe. Methods that touch the disk raise OSError.

    A file that cannot be deleted stays locked, so that nobody takes it for an orphan, this process
    included; `delete_leftovers` tries again.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._directory = SegmentDirectory(path)
        self._segment_bytes = min(SEGMENT_MAX_BYTES, max(_SEGMENT_MIN_BYTES, max_bytes // _SEGMENTS_IN_BOUND))
        self._held: list[Segment] = []
        self._active: Segment | None = None  # where appends go; one of the held
        self._adopted: set[str] = set()
        self._leftovers: list[Segment] = []
        self._shunned: set[str] = set()

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._held.copy())

    def __contains__(self, segment: Segment) -> bool:
        return segment in self._held

    def __len__(self) -> int:
        return len(self._held)

    @property
    def oldest(self) -> Segment:
        """The first to be read, and to be given up. There must be one."""
        return self._held[0]

    @property
    def oldest_adopted(self) -> Segment | None:
        """The oldest that another process wrote."""
        return next((segment for segment in self._held if segment.name in self._adopted), None)

    @property
    def size_bytes(self) -> int:
        """Bytes on disk, settled records included."""
        return sum(segment.size for segment in self._held)

    @property
    def unsettled_bytes(self) -> int:
        """Bytes on disk that are still wanted."""
        return sum(segment.size - segment.settled_to for segment in self._held if segment.live)

    def writable(self, need_bytes: int) -> Segment | None:
        """Return the segment to append to, or None if there is none with room for `need_bytes`."""
        active = self._active
        if active is None or (active.size and self.room_in(active) < need_bytes):
            return None
        return active

    def room_in(self, segment: Segment) -> int:
        """Return how many bytes may still be appended before it is full."""
        return self._segment_bytes - segment.size

    def begin(self, *, sync: bool) -> Segment:
        """Append to a new segment from now on."""
        self._active = None
        self._active = segment = self._directory.create(sync=sync)
        self._held.append(segment)
        return segment

    def leave_active(self) -> None:
        """Append no more to the present segment."""
        self._active = None

    def orphans(self) -> Iterator[Segment]:
        """Yield, locked and not loaded, each file that nobody holds, oldest first.

        The caller must `take`, `delete`, `shun` or close each.
        """
        names = {segment.name for segment in (*self._held, *self._leftovers)}
        return self._directory.orphans(names | self._shunned)

    @property
    def may_adopt(self) -> bool:
        """Whether one more of another process may be held."""
        return len(self._adopted) < _ADOPTED_MAX

    def take(self, orphan: Segment) -> None:
        """Hold an orphan, at its place in the order."""
        self._adopted.add(orphan.name)
        self._held.append(orphan)
        self._held.sort(key=lambda segment: segment.name)

    def shun(self, segment: Segment) -> None:
        """Let go of a file that cannot be read, and leave it to other processes."""
        self._shunned.add(segment.name)
        self._let_go(segment)
        segment.close()

    def delete(self, segment: Segment) -> None:
        """Let go of a segment and delete its file; if that raises, the file is a leftover."""
        self._let_go(segment)
        try:
            self._directory.remove(segment)
        except OSError:
            self._leftovers.append(segment)
            raise
        segment.close()

    def _let_go(self, segment: Segment) -> None:
        if segment in self._held:
            self._held.remove(segment)
        self._adopted.discard(segment.name)
        if self._active is segment:
            self._active = None

    def delete_leftovers(self) -> None:
        """Try again to delete what could not be deleted."""
        while self._leftovers:
            self._directory.remove(self._leftovers[-1])
            self._leftovers.pop().close()

    def release(self) -> None:
        """Close all files, which gives up their locks, and hold nothing. Never raises."""
        for segment in (*self._held, *self._leftovers):
            segment.close()
        self._held.clear()
        self._leftovers.clear()
        self._adopted.clear()
        self._shunned.clear()
        self._active = None
