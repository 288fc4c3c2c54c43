"""Ids of entries: UUIDs that never meet, and that tell nothing about entries in between."""

from __future__ import annotations

import itertools
import os
import uuid

import pytest

from replaystack import get_logger
from replaystack.testing import captured_logs


def ids_of(count: int) -> list[uuid.UUID]:
    """Return the ids of so many entries, one after another."""
    with captured_logs() as logs:
        for number in range(count):
            get_logger("shop").info("m", n=number)
    return [uuid.UUID(entry.id) for entry in logs.entries]


def test_nobody_can_count_what_he_does_not_see() -> None:
    """Two ids do not say how many entries came between them: no step is as another, none is small."""
    made = ids_of(1000)
    assert len(set(made)) == 1000
    steps = [after.int - before.int for before, after in itertools.pairwise(made)]
    assert len(set(steps)) == 999
    assert min(map(abs, steps)) > 2**32


def test_they_sort_by_the_time() -> None:
    """To the millisecond, so that a store writes them at the end of its index."""
    made = [one.int >> 80 for one in ids_of(100)]
    assert made == sorted(made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_children_have_ids_of_their_own() -> None:
    """Neither the parent's next ones nor each other's."""
    seen = [str(one) for one in ids_of(1)]
    for _ in range(3):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, str(ids_of(1)[0])[14:].encode())
            os._exit(0)
        os.close(writing)
        assert os.waitpid(child, 0)[1] == 0
        with os.fdopen(reading) as pipe:
            seen.append(pipe.read())
    seen += [str(one)[14:] for one in ids_of(1)]
    assert all(seen)
    assert len({one[-21:] for one in seen}) == 5
