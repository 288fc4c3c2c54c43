"""Times as they come from outside, and the one form in which they go out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Final

from replaystack.clock import iso_timestamp

__all__ = ["iso_ms", "parse_ms"]

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?"
    r" ?(?:(Z)|([+-])(\d\d):?(\d\d))?",
    re.ASCII | re.IGNORECASE,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND: Final = timedelta(milliseconds=1)


def parse_ms(text: str) -> int | None:
    """Return the milliseconds since the epoch that an ISO 8601 text names; None if it is none.

    Without an offset it is UTC, without a time of day midnight. `datetime.fromisoformat`
    would do from Python 3.11 on; in 3.10 it knows neither `Z` nor two digits of a second.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, offset_hours, offset_minutes = match.groups()
    try:
        moment = datetime(  # the zone is added below
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")[:6]),
            timezone.utc,
        )
    except ValueError:
        return None
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    return (moment - _EPOCH + (offset if sign == "-" else -offset)) // _MILLISECOND


def iso_ms(epoch_ms: int) -> str:
    """Return ISO 8601 in UTC with milliseconds and `Z`."""
    return iso_timestamp(epoch_ms / 1000)
