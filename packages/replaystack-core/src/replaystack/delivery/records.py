"""The format of a spool's file: `length crc32 bytes`, one record for each event, one after the other.

`length` and `crc32` are 4 bytes each, big endian; `crc32` is of the bytes alone. When the event
is done with, its `crc32` is inverted in place, and that settles every record before it too. So
a mark is as hard to forge by damage as a record is, costs one small write for a whole batch,
and a file needs neither a head nor a second file beside it.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from ..sanitize import Masked

__all__ = [
    "HEAD_BYTES",
    "RECORD_MAX_BYTES",
    "SEGMENT_MAX_BYTES",
    "Place",
    "find",
    "head_of",
    "pack",
    "read_at",
]

SEGMENT_MAX_BYTES: Final = 4 * 1024 * 1024
"""Of one file, whatever is in it: as much as is read into memory at once when it is adopted."""

_HEAD: Final = struct.Struct(">II")
HEAD_BYTES: Final = _HEAD.size
RECORD_MAX_BYTES: Final = SEGMENT_MAX_BYTES - HEAD_BYTES
"""Of one event. The largest that `sanitize` makes is 2.25 MiB."""

_SETTLED: Final = 0xFFFFFFFF

# What can be the head of a record and the first byte of its event. A length is below 4 MiB, and an event
# is JSON, which has no byte 0: inside of an event nothing looks like this.
_PLAUSIBLE: Final = re.compile(rb"\x00[\x00-\x3f][\x00-\xff]{6}\{", re.DOTALL)

# Bytes that are summed up in vain before the rest is given up. A file full of damage claims about its own
# size; more is made on purpose, to keep a process busy.
_VAIN_MAX_BYTES = 4 * SEGMENT_MAX_BYTES


class Place(NamedTuple):
    """Where one record is in its file, and what was found there."""

    start: int
    end: int
    crc: int
    """Of the event, whether or not the record is settled."""
    is_settled: bool = False

    @property
    def mark(self) -> tuple[int, bytes]:
        """The offset and the bytes that settle this record."""
        return self.start + 4, (self.crc ^ _SETTLED).to_bytes(4, "big")

    def moved(self, offset: int) -> Place:
        """Return the same place in a file of which only the part from `offset` was looked at."""
        return self._replace(start=self.start + offset, end=self.end + offset)


def pack(event: Masked, start: int) -> tuple[bytes, Place]:
    """Return the record of an event, to be written at offset `start`, and its place."""
    data = event.data
    crc = zlib.crc32(data)
    record = _HEAD.pack(len(data), crc) + data
    return record, Place(start, start + len(record), crc)


def head_of(head: bytes) -> tuple[int, int] | None:
    """Return length and checksum out of a head, or None if it cannot be one."""
    if len(head) != HEAD_BYTES:
        return None
    length, crc = _HEAD.unpack(head)
    return (length, crc) if 0 < length <= RECORD_MAX_BYTES else None


def read_at(buffer: bytes, start: int) -> Place | None:
    """Return the record that begins at `start`, or None if there is no sound one."""
    head = head_of(buffer[start : start + HEAD_BYTES])
    if head is None:
        return None
    length, crc = head
    end = start + HEAD_BYTES + length
    if end > len(buffer):
        return None
    actual = zlib.crc32(memoryview(buffer)[start + HEAD_BYTES : end])
    if crc == actual:
        return Place(start, end, actual)
    return Place(start, end, actual, is_settled=True) if crc == actual ^ _SETTLED else None


def find(buffer: bytes, start: int) -> Place | None:
    """Return the first sound record at or after `start`: what is damaged or torn is stepped over."""
    vain = 0
    while (place := read_at(buffer, start)) is None and vain <= _VAIN_MAX_BYTES:
        plausible = _PLAUSIBLE.search(buffer, start + 1)
        if plausible is None:
            return None
        start = plausible.start()
        vain += int.from_bytes(buffer[start : start + 4], "big")
    return place
