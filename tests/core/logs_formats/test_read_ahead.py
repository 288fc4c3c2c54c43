"""Items that are made ahead: the same items, in their order, one at a time."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from replaystack.logs.read_ahead import read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

HANG_GUARD_SECONDS = 30


def test_the_next_is_made_while_this_one_is_held() -> None:
    """And never the one after it: what is held ahead is one."""
    made: list[int] = []
    second = threading.Event()

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    with closing(read_ahead(items())) as ready:
        assert next(ready) == 0
        assert second.wait(HANG_GUARD_SECONDS)
        assert made == [0, 1]
        assert list(ready) == [1, 2, 3, 4]


def test_an_error_comes_in_its_turn() -> None:
    """After every item before it."""

    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("third")

    with closing(read_ahead(items())) as ready:
        assert [next(ready), next(ready)] == [1, 2]
        with pytest.raises(LookupError, match="third"):
            next(ready)


def test_closed_early_nobody_reads_on() -> None:
    """The item that is being made is waited for; then no thread is left."""
    before = threading.active_count()
    asked: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            asked.append(number)
            yield number

    with closing(read_ahead(items())) as ready:
        next(ready)
    count = len(asked)
    assert count == 2
    assert threading.active_count() == before
