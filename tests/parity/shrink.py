"""The smallest input that still makes a difference, so that it can be read."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from replaystack.exchange import RawBody, RawHeaders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .inputs import Input

__all__ = ["shrunk"]

TRIES: Final = 20_000
"""Some seconds; an input that is not small by then is printed as it is."""


def shrunk(given: Input, differs: Callable[[Input], bool]) -> Input:
    """Return `given` with all left out that `differs` does not need."""
    left = TRIES
    again = True
    while again:
        again = False
        for value in variants(given.value):
            left -= 1
            if left < 0:
                return given
            smaller = dataclasses.replace(given, value=value)
            if differs(smaller):
                given, again = smaller, True
                break
    return given


def variants(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield values that are a little smaller: first without much of it, then without a little."""
    if depth > _DEPTH_MAX:  # it may hold itself
        return
    if isinstance(value, (str, bytes)):
        yield from _shorter(value)
    elif isinstance(value, dict):
        yield from _smaller_dicts(value, depth)
    elif type(value) is list or type(value) is tuple:
        of = type(value)
        yield from (of((*value[:at], *value[at + 1 :])) for at in range(len(value)))
        for at, item in enumerate(value):
            yield from (of((*value[:at], part, *value[at + 1 :])) for part in variants(item, depth + 1))
    elif isinstance(value, RawBody):
        whole = value.total_bytes == len(value.data)
        for data in variants(value.data, depth + 1):
            total = len(data) if whole else value.total_bytes
            yield dataclasses.replace(value, data=data, total_bytes=total)
    elif isinstance(value, RawHeaders):
        yield from (
            RawHeaders(items) for items in variants(value.items, depth + 1) if all(len(i) == 2 for i in items)
        )


_DEPTH_MAX: Final = 8


def _shorter(text: Any) -> Iterator[Any]:
    size = (len(text) + 1) // 2
    while size >= 1 and text:
        yield from (text[:at] + text[at + size :] for at in range(0, len(text), size))
        size //= 2


def _smaller_dicts(source: dict[Any, Any], depth: int) -> Iterator[dict[Any, Any]]:
    items = list(source.items())
    for at in range(len(items)):
        yield dict(items[:at] + items[at + 1 :])
    for at, (key, value) in enumerate(items):
        for part in variants(value, depth + 1):
            yield dict([*items[:at], (key, part), *items[at + 1 :]])
        for name in variants(key, depth + 1) if isinstance(key, str) else ():
            if name not in source:
                yield dict([*items[:at], (name, value), *items[at + 1 :]])
