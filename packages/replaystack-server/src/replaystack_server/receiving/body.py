"""Reading a request body without trusting what its headers say about it."""

from __future__ import annotations

import asyncio
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
        Refusal: 415 for a Content-Encoding, 413 over the limit, 408 after the timeout.

    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise Refusal(415, f"Content-Encoding {encoding[:40]!r} is not supported: send the body as it is")
    try:
        body = await asyncio.wait_for(_read(request, most_bytes), timeout_seconds)
    except asyncio.TimeoutError:
        raise Refusal(408, f"the body did not arrive within {timeout_seconds:g} s") from None
    except ClientDisconnect:
        raise Refusal(400, "the connection ended before the body did") from None
    if body is None:
        raise Refusal(413, f"the body is larger than {most_bytes} bytes")
    return body


async def _read(request: Request, most_bytes: int) -> bytes | None:
    """Return the body, or None if it is too large."""
    body = bytearray()
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen <= most_bytes:
            body += chunk
            continue
        body.clear()
        if seen > _DRAIN_FACTOR * most_bytes:
            return None
    return bytes(body) if seen <= most_bytes else None
