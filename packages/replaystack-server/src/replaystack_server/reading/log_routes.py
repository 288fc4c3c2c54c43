"""The reading roads of logs and flows, as the Timberlogs API has them (WIRE.md section 4)."""

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from ..answers import Refusal, plain, success
from ..service import service_of
from ..store import SEARCH_FIELDS, Grouping, LogCount, LogQuery, LogSearch, StoredLog
from .filters import parse_cursor
from .log_filters import LogFilterParameters, parse_moment
from .log_summaries import flow_json, log_json
from .routes import Reader

__all__ = ["MOST_STEPS", "router"]

router: APIRouter = APIRouter(tags=["logs"])

MOST_STEPS: Final = 2000
"""Of one flow in one answer: its steps go from 0 to 1000, and logs beside them have no step."""

_MOST_OFFSET: Final = 100_000
_DAY_MS: Final = 24 * 3600 * 1000

LogFilters = Annotated[LogFilterParameters, Depends()]
Offset = Annotated[int, Query(ge=0, le=_MOST_OFFSET)]


@router.get("/v1/logs")
def list_logs(
    request: Request,
    viewer: Reader,
    *,
    filters: LogFilters,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Offset = 0,
    cursor: Annotated[str | None, Query(description="`older` of another answer; instead of `offset`")] = None,
) -> Response:
    """List logs, newest first by the time at which they were written."""
    place = parse_cursor(cursor)
    page = service_of(request).store.logs.page(viewer, filters.query(), place, limit, 0 if place else offset)
    pagination = {
        "limit": limit,
        "offset": offset,
        "count": len(page.logs),
        "hasMore": page.older is not None,
        "older": None if page.older is None else str(page.older),
    }
    return plain({"logs": _rows(page.logs), "pagination": pagination})


@router.get("/v1/logs/search")
def search_logs(
    request: Request,
    viewer: Reader,
    *,
    filters: LogFilters,
    q: Annotated[
        str,
        Query(
            min_length=2,
            description='words that must all occur, each as a beginning; a "phrase"; a OR b; -excluded',
        ),
    ],
    fields: Annotated[str, Query(description=f"of {', '.join(SEARCH_FIELDS)}")] = "message",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Offset = 0,
) -> Response:
    """Search logs; the answer tells how the words were understood."""
    names = tuple(dict.fromkeys(name.strip() for name in fields.split(",") if name.strip()))
    if not names or any(name not in SEARCH_FIELDS for name in names):
        raise Refusal(400, f"fields: expected names of {', '.join(SEARCH_FIELDS)}")
    query = filters.query(q, names)
    page = service_of(request).store.logs.page(viewer, query, None, limit, offset)
    pagination = {
        "limit": limit,
        "offset": offset,
        "count": len(page.logs),
        "hasMore": page.older is not None,
    }
    return plain({"logs": _rows(page.logs), "query": _understood(query.search), "pagination": pagination})


@router.get("/v1/logs/{log_id}")
def show_log(request: Request, viewer: Reader, log_id: str) -> Response:
    """Return one log."""
    stored = service_of(request).store.logs.log(viewer, log_id)
    if stored is None:
        raise Refusal(404, "Log not found")
    return plain({"log": log_json(stored.record)})


@router.get("/v1/stats")
def count_logs(
    request: Request,
    viewer: Reader,
    *,
    from_: Annotated[str, Query(alias="from", description="a day; a week ago if left out")] = "",
    to: Annotated[str, Query(description="a day, inclusive; today if left out")] = "",
    group_by: Annotated[Grouping, Query(alias="groupBy")] = "day",
) -> Response:
    """Count logs by level, in all and by hour, day or source."""
    today = time.time_ns() // 1_000_000 // _DAY_MS * _DAY_MS
    last = parse_moment("to", to)
    until = (today if last is None else last) + _DAY_MS
    since = parse_moment("from", from_)
    since = until - 7 * _DAY_MS if since is None else since
    counts = service_of(request).store.logs.counts(viewer, LogQuery(from_ms=since, to_ms=until), group_by)
    return plain(
        {
            "stats": _buckets(counts, group_by),
            "totals": _totals(counts),
            "period": {"from": since, "to": until},
            "groupBy": group_by,
        }
    )


@router.get("/v1/flows")
@router.get("/api/v1/flows")
def list_flows(
    request: Request,
    viewer: Reader,
    *,
    filters: LogFilters,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Offset = 0,
) -> Response:
    """List flows, those heard of last first."""
    flows = service_of(request).store.logs.flows(viewer, filters.query(), limit, offset)
    answer = {"flows": [flow_json(flow) for flow in flows]}
    return success(answer) if request.url.path.startswith("/api/") else plain(answer)


@router.get("/api/v1/flows/{flow_id:path}")
def show_flow(request: Request, viewer: Reader, flow_id: str) -> Response:
    """Return a flow: what its logs come to, and the logs in the order of their steps."""
    store = service_of(request).store.logs
    flows = store.flows(viewer, LogQuery(flow_id=flow_id), 1)
    if not flows:
        raise Refusal(404, "there is no flow with this id")
    return success({**flow_json(flows[0]), "logs": _rows(store.flow(viewer, flow_id, MOST_STEPS))})


def _rows(logs: tuple[StoredLog, ...]) -> list[dict[str, Any]]:
    return [log_json(log.record) for log in logs]


def _understood(search: LogSearch | None) -> dict[str, Any] | None:
    if search is None:
        return None
    parsed = {
        "required": search.required,
        "phrases": search.phrases,
        "excluded": search.excluded,
        "optional": search.optional,
    }
    return {"raw": search.raw, "parsed": parsed, "fields": search.fields}


def _totals(counts: tuple[LogCount, ...]) -> dict[str, int]:
    totals = {"total": 0, "debug": 0, "info": 0, "warn": 0, "error": 0}
    for count in counts:
        totals["total"] += count.count
        totals[count.level] += count.count
    return totals


def _buckets(counts: tuple[LogCount, ...], group_by: str) -> list[dict[str, Any]]:
    grouped: dict[str | int, list[LogCount]] = {}
    for count in counts:
        grouped.setdefault(count.bucket, []).append(count)
    name = "source" if group_by == "source" else "timestamp"
    return [{name: bucket, **_totals(tuple(inside))} for bucket, inside in grouped.items()]
