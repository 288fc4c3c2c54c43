"""Ids of entries: UUIDs that never meet, in forked children either."""

from __future__ import annotations

import os
import uuid

import pytest

from replaystack.logs.stamping import new_entry_id


def test_each_is_another_uuid() -> None:
    """In canonical form, of version 8."""
    made = [new_entry_id() for _ in range(1000)]
    parsed = [uuid.UUID(one) for one in made]
    assert [str(one) for one in parsed] == made
    assert {(one.version, one.variant) for one in parsed} == {(8, uuid.RFC_4122)}
    assert len(set(made)) == 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_children_draw_anew() -> None:
    """Each child, and each child of a child, has a beginning of its own."""
    begins = {new_entry_id()[:24]}
    for _ in range(3):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, new_entry_id().encode())
            grandchild = os.fork()
            if grandchild == 0:
                os.write(writing, new_entry_id().encode())
            else:
                os.waitpid(grandchild, 0)
            os._exit(0)
        os.close(writing)
        assert os.waitpid(child, 0)[1] == 0
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        assert len(said) == 72
        begins |= {said[:24], said[36:60]}
    assert len(begins) == 7
