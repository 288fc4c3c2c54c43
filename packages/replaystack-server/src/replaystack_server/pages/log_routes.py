"""The pages of logs and flows."""

from typing import Final

from fastapi import APIRouter, Request, Response

from ..answers import Refusal
from ..reading.filters import MOST_ROWS, parse_cursor
from ..reading.log_filters import LOG_FILTER_NAMES, parse_log_filters
from ..reading.log_routes import MOST_STEPS
from ..reading.stream import Place, spelled_place
from ..service import service_of
from ..store import LogPage, LogQuery
from .flow_view import flow_view
from .log_listing import LogListing
from .rendering import page
from .routes import Visitor, problem_page

__all__ = ["router"]

router: APIRouter = APIRouter(include_in_schema=False)

_NOTHING: Final = LogPage((), None, None)


@router.get("/logs")
def show_logs(request: Request, viewer: Visitor) -> Response:
    """Show logs, newest first."""
    store = service_of(request).store.logs
    given = request.query_params
    filters = {name: text for name in LOG_FILTER_NAMES if (text := given.get(name, "").strip())}
    # Read before the rows: what comes in between is told by the stream, and not lost.
    last = store.last_arrival(viewer)
    place = spelled_place(Place(0, last), viewer).decode()
    try:
        query = parse_log_filters(filters)
        cursor = parse_cursor(given.get("cursor"))
    except Refusal as refusal:
        listing = LogListing(filters, None, _NOTHING, last, place, refusal.message)
        return page("logs", refusal.status, listing=listing, is_empty=False, viewer=viewer)
    found = store.page(viewer, query, cursor, MOST_ROWS)
    if cursor is not None and cursor.direction == "newer" and found.newer is None:
        # Back at the top: show the full first page, which is also the one that stays live.
        cursor = None
        found = store.page(viewer, query, None, MOST_ROWS)
    listing = LogListing(filters, str(cursor) if cursor else None, found, last, place)
    is_empty = query == LogQuery() and cursor is None and not found.logs
    return page("logs", listing=listing, is_empty=is_empty, viewer=viewer)


@router.get("/flows")
def show_flows(request: Request, viewer: Visitor) -> Response:
    """Show the flows that were heard of last."""
    flows = service_of(request).store.logs.flows(viewer, LogQuery(), MOST_ROWS)
    return page("flows", flows=flows)


@router.get("/flows/{flow_id:path}")
def show_flow(request: Request, viewer: Visitor, flow_id: str) -> Response:
    """Show one flow on a line of time."""
    logs = [log.record for log in service_of(request).store.logs.flow(viewer, flow_id, MOST_STEPS)]
    if not logs:
        return problem_page(404, "There is no flow with this id.")
    view = flow_view(logs, knows_gaps=viewer.may_read_pii)
    return page("flow", flow_id=flow_id, view=view)
