"""Reading a request body without trusting what its headers say about it."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect

from ..answers import Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["read_body"]

_DRAIN_FACTOR: Final = 4
"""Times the limit that are read and thrown away, so that a sender who is a little over it has
finished writing and hears the 413 instead of a broken pipe."""


async def read_body(request: Request, most_bytes: int, timeout_seconds: float) -> bytes:
    """Return the whole body; holds at most `most_bytes` of it in memory, whatever is sent.

    Raises:
        Refusal: 415 for a Content-Encoding but gzip, 413 over the limit (packed or unpacked), 408
            after the timeout, 400 for a body that ends early or is no gzip.

    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip"}:
        raise Refusal(415, f"Content-Encoding {encoding[:40]!r} is not supported: use gzip or none")
    unpack = _Gunzip(most_bytes) if encoding == "gzip" else None
    try:
        body = await asyncio.wait_for(_read(request, most_bytes, unpack), timeout_seconds)
    except asyncio.TimeoutError:
        raise Refusal(408, f"the body did not arrive within {timeout_seconds:g} s") from None
    except ClientDisconnect:
        raise Refusal(400, "the connection ended before the body did") from None
    if body is None:
        raise Refusal(413, f"the body is larger than {most_bytes} bytes")
    return body if unpack is None else unpack.finish(body)


class _Gunzip:
    """Unpacks as it arrives, and never more than the limit: a few kB may be packed gigabytes."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._stream = zlib.decompressobj(wbits=31)  # 31: gzip's head and checksum

    def __call__(self, chunk: bytes) -> bytes | None:
        """Return what `chunk` holds; None once that is more than the limit."""
        try:
            data = self._stream.decompress(chunk, self._left + 1)
        except zlib.error:
            raise Refusal(400, "body: Content-Encoding says gzip, and it is not") from None
        self._left -= len(data)
        return None if self._left < 0 else data

    def finish(self, body: bytes) -> bytes:
        """Return `body` if the stream came to its end."""
        if not self._stream.eof or self._stream.unused_data:
            raise Refusal(400, "body: the gzip stream is not one complete member")
        return body


async def _read(request: Request, most_bytes: int, unpack: _Gunzip | None) -> bytes | None:
    """Return the body, or None if it is too large."""
    body = bytearray()
    seen = 0
    is_too_large = False
    async for chunk in request.stream():
        seen += len(chunk)
        if seen <= most_bytes and not is_too_large:
            data = chunk if unpack is None else unpack(chunk)
            if data is not None:
                body += data
                continue
        is_too_large = True
        body.clear()
        if seen > _DRAIN_FACTOR * most_bytes:
            return None
    return None if is_too_large else bytes(body)
