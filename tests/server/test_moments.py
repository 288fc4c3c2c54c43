from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack_server.moments import iso_ms, parse_ms

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1970, 1, 3), datetime(2200, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - bounds are naive by contract


@given(MOMENTS)
def test_whatever_python_writes_is_read(moment: datetime) -> None:
    """Each spelling of `isoformat` means the same moment, to the millisecond."""
    expected = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)
    assert parse_ms(moment.isoformat()) == expected
    assert parse_ms(moment.isoformat(sep=" ")) == expected


@given(st.integers(0, 7_000_000_000_000))
def test_our_own_spelling_loses_nothing(epoch_ms: int) -> None:
    """What the API gives out can be given back to its filters."""
    assert parse_ms(iso_ms(epoch_ms)) == epoch_ms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-02", 86_400_000),
        ("1970-01-01T00:01", 60_000),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01 01:00+01:00", 0),
        ("1970-01-01T00:00:00.123456789z", 123),
        ("", None),
        ("yesterday", None),
        ("1970-13-01", None),
        ("1970-01-01T25:00", None),
        ("1970-01-01T00:00:00+99:99 ", -362_340_000),
        ("١٩٧٠-01-01", None),
    ],
)
def test_spellings(text: str, expected: int | None) -> None:
    """ISO 8601 with some parts left out is read, anything else is told apart without an exception."""
    assert parse_ms(text) == expected
