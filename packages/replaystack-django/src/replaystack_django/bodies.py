"""A streamed answer's body on its way to the server: one iterator, its pieces untouched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from .passage import Passage

__all__ = ["watched_body"]


def watched_body(response: Any, passage: Passage) -> Any:
    """Return what stands in for `response.streaming_content`: of the same kind, sync or async."""
    body = _AsyncBody if getattr(response, "is_async", False) else _Body
    return body(response.streaming_content, passage)


class _Watched:
    """Django calls `close` of what a response streams when the response is closed."""

    def __init__(self, pieces: Any, passage: Passage) -> None:
        self._pieces = pieces
        self._passage: Passage | None = passage

    def close(self) -> None:
        """End the exchange. What Django or the application has to close, Django closes itself."""
        passage = self._passage
        # The pieces know the response, which knows us: a cycle, broken here.
        self._pieces = self._passage = None
        if passage is not None:
            passage.closed()

    def __del__(self) -> None:
        """End the exchange where nobody ever closed the response, or another took its place."""
        if self._passage is not None:
            self._passage.closed(may_block=False)


class _Body(_Watched):
    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        passage = self._passage
        if passage is None:
            raise StopIteration
        try:
            # The server runs in no scope of ours: it is entered for each piece that the application makes.
            with passage.scope_entered():
                chunk: bytes = next(self._pieces)
        except StopIteration:
            passage.exhausted()
            raise
        except BaseException as error:
            passage.failed(error)
            raise
        passage.note(chunk)
        return chunk


class _AsyncBody(_Watched):
    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        passage = self._passage
        if passage is None:
            raise StopAsyncIteration
        try:
            with passage.scope_entered():
                chunk: bytes = await anext(self._pieces)
        except StopAsyncIteration:
            passage.exhausted()
            raise
        except BaseException as error:
            passage.failed(error)
            raise
        passage.note(chunk)
        return chunk
