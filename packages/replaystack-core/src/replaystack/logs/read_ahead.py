"""The next item of an iterator, made on a thread of its own while this one is busy with the last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from concurrent.futures import Future

__all__ = ["read_ahead"]

T = TypeVar("T")


def read_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield `items` in their order, each begun when the one before it is handed out: one is held, no more.

    What making an item raises is raised in its turn, after all before it. Closing this waits for the
    item that is being made; after that, nobody reads from `items`. Where no thread can be had (an
    interpreter that ends), items are made when they are asked for.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="replaystack-read-ahead") as thread:
        coming = _begin(thread, items)
        while coming is not None:
            found = coming.result()
            if not found:
                return
            coming = _begin(thread, items)
            yield found[0]
        yield from items


def _begin(thread: ThreadPoolExecutor, items: Iterator[T]) -> Future[tuple[T, ...]] | None:
    """Have the next item made: a tuple of it alone, or of nothing at the end."""
    try:
        return thread.submit(_next, items)
    except RuntimeError:
        return None


def _next(items: Iterator[T]) -> tuple[T, ...]:
    for item in items:
        return (item,)
    return ()
