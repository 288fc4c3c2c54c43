"""What a large upload costs in memory: the peak of what Python allocates while it passes."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

from tests.wire_client import Connection, RawAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MEGABYTES", "upload_peak"]

MEGABYTES = 64
_PIECE = b"0123456789abcdef" * 4096  # 64 KiB, one object: sending costs the test itself nothing


def _pieces() -> Iterator[bytes]:
    for _ in range(MEGABYTES * 16):
        yield _PIECE


def upload_peak(
    base_url: str,
    path: str = "/upload",
    before: bytes = b"",
    after: bytes = b"",
    content_type: str = "text/plain",
) -> tuple[int, RawAnswer]:
    """Upload 64 MB to a server in this process, between `before` and `after`; return peak bytes and answer.

    The same is measured for the bare application: the difference is ours.
    """
    size = MEGABYTES * 1024 * 1024 + len(before) + len(after)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {content_type}\r\n"
    head += f"Content-Length: {size}\r\n\r\n"
    with Connection(base_url) as connection:
        tracemalloc.start()
        try:
            connection.send(head.encode() + before)
            for piece in _pieces():
                connection.send(piece)
            connection.send(after)
            answer = connection.read_all()
            return tracemalloc.get_traced_memory()[1], answer
        finally:
            tracemalloc.stop()
