"""Ids for logs that bring none."""

from __future__ import annotations

import uuid
from hashlib import sha1
from typing import Final

__all__ = ["batch_ids"]

_TIME_BITS: Final = 48
"""Of a UUID7 its milliseconds; of another UUID whatever they are, they are the same for a batch."""

_REST: Final = (1 << (128 - _TIME_BITS)) - 1
_OPEN: Final = _REST & ~(0xF << 76) & ~(0b11 << 62)
_CUSTOM: Final = (0x8 << 76) | (0b10 << 62)  # RFC 9562, section 5.8


def batch_ids(batch: uuid.UUID, count: int) -> list[str]:
    """Return `count` UUIDs, the same for the same batch: a repeat of a request brings nothing new.

    They begin as the batch does, so that an index on them is written in one place and not in a hundred.
    The rest is a hash: a number in it would tell a reader who may not see personal logs where they are.
    """
    begin = batch.int & ~_REST
    numbers = (
        begin
        | int.from_bytes(
            sha1(batch.bytes + index.to_bytes(4, "big"), usedforsecurity=False).digest()[:10], "big"
        )
        & _OPEN
        | _CUSTOM
        for index in range(count)
    )
    return [str(uuid.UUID(int=number)) for number in numbers]
