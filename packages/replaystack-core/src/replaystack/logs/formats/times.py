"""Times as logs spell them, as milliseconds since the epoch."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Final

__all__ = ["ISO_PATTERN", "MONTHS", "nearest_year_ms", "parse_ms", "parse_us_ms"]

ISO_PATTERN: Final = (
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?"
    r" ?(?:(Z)|([+-])(\d\d):?(\d\d))?"
)
_ISO: Final = re.compile(ISO_PATTERN, re.ASCII | re.IGNORECASE)
_US: Final = re.compile(r"(\d\d?)/(\d\d?)/(\d{4}),? (\d\d?):(\d\d):(\d\d)(?:[.,](\d{1,9}))?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND: Final = timedelta(milliseconds=1)
_DAY_MS: Final = 24 * 3600 * 1000

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse_ms(text: str) -> int | None:
    """Return the milliseconds since the epoch that an ISO 8601 text names; None if it is none.

    Without an offset it is UTC, without a time of day midnight. `datetime.fromisoformat`
    would do from Python 3.11 on; in 3.10 it knows neither `Z` nor two digits of a second.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, offset_hours, offset_minutes = match.groups()
    moment = _moment(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    if moment is None:
        return None
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    shifted = moment - _EPOCH + (offset if sign == "-" else -offset)
    return shifted // _MILLISECOND + _fraction_ms(fraction)


def parse_us_ms(text: str) -> int | None:
    """Return what `MM/DD/YYYY HH:MM:SS` names, in UTC; None if it is none."""
    match = _US.fullmatch(text.strip())
    if match is None:
        return None
    month, day, year, hour, minute, second, fraction = match.groups()
    moment = _moment(int(year), int(month), int(day), int(hour), int(minute), int(second))
    return None if moment is None else (moment - _EPOCH) // _MILLISECOND + _fraction_ms(fraction)


def nearest_year_ms(month: int, day: int, clock: tuple[int, int, int], now_ms: int) -> int | None:
    """Return the time of a syslog line, which knows no year: the last such day up to a day ahead of now.

    A day ahead, because the sender's clock may be ahead and its zone, which it does not tell, another.
    """
    year = datetime.fromtimestamp(now_ms // 1000, timezone.utc).year
    for candidate in (year + 1, year, year - 1, year - 2, year - 3, year - 4):  # 29 February comes every four
        moment = _moment(candidate, month, day, *clock)
        if moment is not None:
            found = (moment - _EPOCH) // _MILLISECOND
            if found <= now_ms + _DAY_MS:
                return found
    return None


def _moment(*parts: int) -> datetime | None:
    """Return year, month, day, hour, minute, second as a time in UTC."""
    try:
        year, month, day, hour, minute, second = parts
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None


def _fraction_ms(fraction: str | None) -> int:
    return int((fraction or "0").ljust(3, "0")[:3])
