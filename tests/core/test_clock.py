"""Ids and time stamps are what the slower, obvious way would give."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack.clock import iso_timestamp, new_id, new_ordered_id

MOMENTS = st.one_of(
    st.floats(min_value=-1e9, max_value=4e9),
    st.integers(min_value=0, max_value=4 * 10**12).map(lambda milliseconds: milliseconds / 1000),
)


@given(MOMENTS)
def test_time_stamps_are_those_of_datetime(moment: float) -> None:
    """Milliseconds, cut and not rounded, in every second."""
    expected = datetime.fromtimestamp(moment, timezone.utc)
    assert iso_timestamp(moment) == (f"{expected:%Y-%m-%dT%H:%M:%S}.{expected.microsecond // 1000:03d}Z")


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), 1e300])
def test_what_is_no_moment(moment: float) -> None:
    """It raises, as datetime does."""
    with pytest.raises((ValueError, OverflowError)):
        iso_timestamp(moment)


def test_ids_are_uuids_of_version_4() -> None:
    """In canonical form, each another one."""
    made = [new_id() for _ in range(1000)]
    parsed = [uuid.UUID(one) for one in made]
    assert [str(one) for one in parsed] == made
    assert {(one.version, one.variant) for one in parsed} == {(4, uuid.RFC_4122)}
    assert len(set(made)) == 1000


def test_ordered_ids_sort_by_when_they_were_made() -> None:
    """UUIDs of version 7: the time first, so that later milliseconds sort behind."""
    before = time.time_ns() // 1_000_000
    made = [uuid.UUID(new_ordered_id()) for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert len(set(made)) == 1000
    moments = [one.int >> 80 for one in made]
    assert moments == sorted(moments)
    assert before <= moments[0] <= moments[-1] <= after


def test_applications_that_seed_chance_still_get_other_ids() -> None:
    """Two processes that both say `random.seed(1)` must not use the same ids."""
    state = random.getstate()
    try:
        random.seed(1)
        first = new_id()
        random.seed(1)
        assert new_id() != first
    finally:
        random.setstate(state)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_children_have_ids_of_their_own() -> None:
    """Neither the parent's next ones nor each other's."""
    seen = {new_id()}
    for _ in range(3):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writing, new_id().encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            seen.add(pipe.read())
        assert os.waitpid(child, 0)[1] == 0
    seen.add(new_id())
    assert len(seen) == 5
    assert all(uuid.UUID(one).version == 4 for one in seen)


FORKED_EARLY = """
import os
from replaystack.clock import new_id
reading, writing = os.pipe()
for _ in range(2):
    child = os.fork()
    if not child:
        os.write(writing, new_id().encode() + b" ")
        os._exit(0)
    os.waitpid(child, 0)
os.write(writing, new_id().encode())
print(os.read(reading, 1000).decode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_children_that_were_forked_before_the_first_id_have_ids_of_their_own() -> None:
    """As workers of a server that has loaded the application, which has captured nothing yet."""
    command = [sys.executable, "-W", "error", "-c", FORKED_EARLY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(set(done.stdout.split())) == 3
