"""The filters of a list as they stand in a URL; the same for pages, API and stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query

from replaystack.event import EVENT_STATUSES

from ..answers import Refusal
from ..moments import parse_ms
from ..store import Cursor, CursorError, EventQuery

__all__ = ["FILTER_NAMES", "MOST_ROWS", "FilterParameters", "parse_cursor", "parse_filters", "read_texts"]

MOST_ROWS: Final = 100
"""On one page or in one answer."""

FILTER_NAMES: Final = ("status", "service", "method", "path", "q", "from", "to")

_LONGEST: Final = 300
"""Characters in one filter; nothing longer is stored in the columns they are compared with."""


@dataclass(slots=True)
class FilterParameters:
    """As a FastAPI dependency: describes the filters in the OpenAPI document."""

    status: Annotated[str | None, Query(description=f"one of {', '.join(EVENT_STATUSES)}")] = None
    service: Annotated[str | None, Query(description="the exact service name")] = None
    method: Annotated[str | None, Query(description="the HTTP method, in any case")] = None
    path: Annotated[
        str | None,
        Query(
            description="`/orders` is that path and everything below it, `/ord*` every path that begins so, "
            "`/` the root alone"
        ),
    ] = None
    q: Annotated[
        str | None,
        Query(
            description="words that must all occur in path, error, message or tags, each as a beginning; "
            'an exact sequence in "double quotes"'
        ),
    ] = None
    from_: Annotated[
        str | None, Query(alias="from", description="not before this time; ISO 8601, UTC if without offset")
    ] = None
    to: Annotated[str | None, Query(description="before this time")] = None

    def query(self) -> EventQuery:
        """Return what the store is asked; raises like `parse_filters`."""
        given = {name: getattr(self, "from_" if name == "from" else name) for name in FILTER_NAMES}
        return parse_filters({name: value for name, value in given.items() if value is not None})


def read_texts(given: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the filters of these names without blanks around; "" is one that was not given.

    Raises:
        Refusal: 400, naming the filter: it is too long, or holds what no column does.

    """
    texts = {name: given.get(name, "").strip() for name in names}
    for name, text in texts.items():
        if len(text) > _LONGEST:
            raise Refusal(400, f"{name}: expected at most {_LONGEST} characters, got {len(text)}")
        if "\0" in text:
            raise Refusal(400, f"{name}: must not hold a NUL character")
    return texts


def parse_filters(given: Mapping[str, str]) -> EventQuery:
    """Return what the store is asked. Empty values restrict nothing: an empty form field is no filter.

    Raises:
        Refusal: 400, naming the filter.

    """
    texts = read_texts(given, FILTER_NAMES)
    if texts["status"] and texts["status"] not in EVENT_STATUSES:
        raise Refusal(400, f"status: expected one of {', '.join(EVENT_STATUSES)}")
    return EventQuery(
        status=texts["status"] or None,
        service=texts["service"] or None,
        method=texts["method"].upper() or None,
        path=texts["path"] or None,
        text=texts["q"] or None,
        from_ms=_time("from", texts["from"]),
        to_ms=_time("to", texts["to"]),
    )


def parse_cursor(text: str | None) -> Cursor | None:
    """Return the cursor that a URL holds.

    Raises:
        Refusal: 400 for what this server never gave out.

    """
    try:
        return Cursor.parse(text) if text else None
    except CursorError as error:
        raise Refusal(400, f"cursor: {error}") from None


def _time(name: str, text: str) -> int | None:
    if not text:
        return None
    moment = parse_ms(text)
    if moment is None or moment < 0:
        raise Refusal(400, f"{name}: expected a time such as 2026-11-20T14:05 or 2026-11-20T14:05:31Z")
    return moment
