"""The reading roads of WIRE.md section 4."""

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from replaystack.version import __version__

from ..answers import Refusal, success
from ..service import service_of
from ..store import EventQuery, LogQuery, StoredEvent, Viewer
from .filters import MOST_ROWS, FilterParameters, parse_cursor
from .log_filters import StreamLogFilters
from .log_summaries import grouped_json
from .stream import HEADERS, Place, Subject, event_messages, resume_place
from .summaries import stream_json, summary_json

__all__ = ["reader", "router"]

router: APIRouter = APIRouter(tags=["reading"])


def reader(request: Request) -> Viewer:
    """Return who is reading.

    Raises:
        Refusal: 401 for a stranger.

    """
    viewer = service_of(request).sessions.viewer(request)
    if viewer is None:
        raise Refusal(
            401,
            "sign in with the login link that the server printed, or send Authorization: Bearer <read token>",
            {"www-authenticate": "Bearer"},
        )
    return viewer


@router.get("/healthz")
def tell_health() -> Response:
    """Answer as long as the process does; asks for no sign-in and tells nothing but the version."""
    return success({"version": __version__})


Reader = Annotated[Viewer, Depends(reader)]
Filters = Annotated[FilterParameters, Depends()]


@router.get("/api/v1/events")
def list_events(
    request: Request,
    viewer: Reader,
    filters: Filters,
    cursor: Annotated[str | None, Query(description="`older` or `newer` of another answer")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
) -> Response:
    """List events, newest first by the time at which they happened."""
    page = service_of(request).store.page(viewer, filters.query(), parse_cursor(cursor), limit)
    return success(
        {
            "events": [summary_json(event) for event in page.events],
            "older": None if page.older is None else str(page.older),
            "newer": None if page.newer is None else str(page.newer),
        }
    )


@router.get("/api/v1/events/{event_id}")
def show_event(request: Request, viewer: Reader, event_id: str) -> Response:
    """Return one event: its summary, and under `event` the whole of it as it was stored.

    `event.logs` holds its logs by logger, those that the reader may see.
    """
    stored = service_of(request).store.event(viewer, event_id)
    if stored is None:
        raise Refusal(404, "there is no event with this id")
    return success({**summary_json(stored.summary), "event": orjson.Fragment(_with_logs(stored))})


def _with_logs(stored: StoredEvent) -> bytes:
    """Return the document byte for byte, with its logs: parsing it would cost long integers their digits."""
    if not stored.logs:
        return stored.document
    separator = b"," if stored.document[:-1].rstrip() != b"{" else b""
    logs = orjson.dumps(grouped_json(stored.logs))
    return b'%b%b"logs":%b}' % (stored.document.rstrip()[:-1], separator, logs)


@router.get("/api/v1/stats")
def show_stats(
    request: Request, viewer: Reader, limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = MOST_ROWS
) -> Response:
    """Tell, for each stream heard of lately (one client in one process), what arrived and what did not.

    `logs` counts the logs that the reader may see, by level.
    """
    store = service_of(request).store
    levels: dict[str, int] = {}
    for count in store.logs.counts(viewer, LogQuery(), "source"):
        levels[count.level] = levels.get(count.level, 0) + count.count
    logs = {"total": sum(levels.values()), "byLevel": levels}
    streams = store.streams(viewer, limit)
    return success({"streams": [stream_json(stream) for stream in streams], "logs": logs})


@router.get(
    "/api/v1/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, 503: {"description": "too many streams"}},
)
async def stream_events(
    request: Request,
    viewer: Reader,
    *,
    filters: Filters,
    log_filters: Annotated[StreamLogFilters, Depends()],
    kinds: Annotated[
        Literal["all", "events", "logs"] | None,
        Query(description="without it: all, but only events under a filter of events"),
    ] = None,
    after: Annotated[str | None, Query(description="like Last-Event-ID, for a first connection")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Stream what arrives: `event.failed`, `event.created` or `log.created`, one message each.

    With `Last-Event-ID` (or `after`) it starts behind that message, else now.
    """
    service = service_of(request)
    query = filters.query()
    wanted = kinds or ("all" if query == EventQuery() else "events")
    asked = Subject(
        events=None if wanted == "logs" else query,
        logs=None
        if wanted == "events"
        else log_filters.query(request.query_params if wanted == "logs" else {}),
    )
    now = Place(
        await run_in_threadpool(service.store.last_arrival, viewer),
        await run_in_threadpool(service.store.logs.last_arrival, viewer),
    )
    start = resume_place(last_event_id or after, now, viewer)
    if service.feed.is_full:
        raise Refusal(503, "too many streams are open", {"retry-after": "5"})
    return StreamingResponse(event_messages(service, viewer, asked, start), headers=HEADERS)
