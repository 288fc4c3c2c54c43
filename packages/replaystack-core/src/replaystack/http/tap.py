"""A bounded copy of a body, taken as it passes by; the body itself is never held back."""

from __future__ import annotations

from ..exchange import RawBody

__all__ = ["HEAD_BYTES", "BodyTap"]

_MAX_CHUNKS = 256
"""Then they are joined: a body in pieces of four bytes would else take ten times its size."""
HEAD_BYTES = 16 * 1024
"""What is kept of a body over the limit: enough for the preview (MASKING.md section 4)."""


class BodyTap:
    """Keeps up to `limit_bytes` of a body; of a larger one only its first 16 KiB.

    `declared_bytes` is the Content-Length: a body that says it is too large is never held
    whole, not even for a moment.
    """

    __slots__ = ("_chunks", "_held", "_keep", "_limit", "complete", "declared_bytes", "seen_bytes")

    def __init__(self, limit_bytes: int, declared_bytes: int | None = None) -> None:
        self._limit = limit_bytes
        too_large = declared_bytes is not None and declared_bytes > limit_bytes
        self._keep = min(limit_bytes, HEAD_BYTES) if too_large else limit_bytes
        self._chunks: list[bytes] = []
        self._held = 0
        self.declared_bytes: int | None = declared_bytes
        self.seen_bytes: int = 0
        self.complete: bool = False
        """Whether the body was seen to its end."""

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Note the next piece. Costs an append while under the limit, an addition after."""
        size = len(chunk) if not isinstance(chunk, memoryview) else chunk.nbytes
        self.seen_bytes += size
        if self.seen_bytes > self._limit and self._keep > HEAD_BYTES:
            self._keep = HEAD_BYTES
            head = b"".join(self._chunks)[:HEAD_BYTES]
            self._chunks, self._held = [head], len(head)
        room = self._keep - self._held
        if room <= 0 or not size:
            return
        # bytes cannot change and are kept by reference; anything else is copied, up to the limit.
        piece = chunk if type(chunk) is bytes and size <= room else bytes(memoryview(chunk)[:room])
        self._chunks.append(piece)
        self._held += len(piece)
        if len(self._chunks) == _MAX_CHUNKS:
            self._chunks = [b"".join(self._chunks)]

    @property
    def held_bytes(self) -> int:
        """How much is kept."""
        return self._held

    def discard(self) -> None:
        """Keep nothing from now on, but go on counting: a streamed body is only measured."""
        self._chunks, self._held, self._keep = [], 0, 0

    def body(self, content_type: str | None, content_encoding: str | None) -> RawBody | None:
        """Return what was kept, or None for an empty body."""
        if not self.seen_bytes:
            return None
        return RawBody(
            data=b"".join(self._chunks),
            content_type=content_type,
            content_encoding=content_encoding,
            total_bytes=max(self.declared_bytes or 0, self.seen_bytes),
            complete=self.complete and self._held == self.seen_bytes,
        )
