"""Ids of logs that bring none: stable, apart, side by side, and silent about what is hidden."""

from __future__ import annotations

import random
import uuid

from replaystack.clock import new_ordered_id
from replaystack_server.receiving.batch_ids import batch_ids


def test_a_repeat_has_the_same_ids_and_nothing_else_has() -> None:
    """Also of batches that differ in one bit, wherever it is."""
    batch = uuid.uuid4()
    neighbours = [uuid.UUID(int=batch.int ^ (1 << bit)) for bit in range(128)]
    ids = [one for each in (batch, *neighbours) for one in batch_ids(each, 100)]
    assert len(set(ids)) == 129 * 100
    assert batch_ids(batch, 100) == ids[:100]
    assert batch_ids(batch, 7) == ids[:7]


def test_they_are_uuids_side_by_side() -> None:
    """In canonical form; those of later batches of a sender sort behind those of earlier ones."""
    early = uuid.UUID(new_ordered_id())
    late = uuid.UUID(int=early.int + (1 << 80))  # a millisecond later
    first, second = batch_ids(early, 100), batch_ids(late, 100)
    assert all(str(uuid.UUID(one)) == one and uuid.UUID(one).version == 8 for one in first)
    assert max(first) < min(second)


def test_ids_do_not_tell_how_many_are_hidden() -> None:
    """Who sees some logs of a request cannot tell from their ids which numbers are missing."""
    ids = batch_ids(uuid.uuid4(), 100)
    shuffled = random.Random(7).sample(ids, 100)
    assert ids != sorted(ids)
    steps = {int(b.replace("-", ""), 16) - int(a.replace("-", ""), 16) for a, b in zip(ids, ids[1:])}  # noqa: B905, RUF007 - neighbours
    assert len(steps) == 99
    assert sorted(shuffled) == sorted(ids)
