"""The roads that answer with HTML."""

import re
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from ..access.sessions import SESSION_SECONDS, cookie_name
from ..answers import Refusal
from ..reading.filters import FILTER_NAMES, MOST_ROWS, parse_cursor, parse_filters
from ..receiving.body import read_body
from ..service import service_of
from ..store import Cursor, EventPage, EventQuery, Viewer
from .detail import detail
from .listing import Listing
from .rendering import page

__all__ = ["problem_page", "router"]

router: APIRouter = APIRouter(include_in_schema=False)

_LOGIN_BYTES: Final = 4096
_PLACE: Final = re.compile(
    r"/(?:streams|logs|flows|flows/[0-9A-Za-z._~%\-]{1,300}|events/[0-9A-Za-z\-]{1,64})?(?:\?[!-~]{0,2000})?"
)
"""Where signing in may lead: to our own pages and nowhere else."""


class SignInNeeded(Refusal):
    """A page was asked for by a stranger."""

    def __init__(self, place: str) -> None:
        super().__init__(401, "sign in first")
        self.place = place


def visitor(request: Request) -> Viewer:
    """Return who is looking.

    Raises:
        SignInNeeded: a stranger.

    """
    viewer = service_of(request).sessions.viewer(request)
    if viewer is None:
        query = f"?{request.url.query}" if request.url.query else ""
        raise SignInNeeded(request.url.path + query)
    return viewer


Visitor = Annotated[Viewer, Depends(visitor)]


@router.get("/")
def show_list(request: Request, viewer: Visitor) -> Response:
    """Show the list."""
    store = service_of(request).store
    filters = {name: text for name in FILTER_NAMES if (text := request.query_params.get(name, "").strip())}
    last = store.last_arrival(viewer)
    services = store.services(viewer)
    try:
        query = parse_filters(filters)
        cursor = parse_cursor(request.query_params.get("cursor"))
    except Refusal as refusal:
        nothing = EventPage((), None, None)
        listing = Listing(filters, None, nothing, services, last, refusal.message)
        return page("list", refusal.status, listing=listing, origin=_origin(request), is_empty=False)
    found = store.page(viewer, query, cursor, MOST_ROWS)
    if cursor is not None and cursor.direction == "newer" and found.newer is None:
        # Back at the top: show the full first page, which is also the one that stays live.
        cursor = None
        found = store.page(viewer, query, None, MOST_ROWS)
    listing = Listing(filters, str(cursor) if cursor else None, found, services, last)
    return page("list", listing=listing, origin=_origin(request), is_empty=_is_empty(query, cursor, last))


@router.get("/events/{event_id}")
def show_event(request: Request, viewer: Visitor, event_id: str) -> Response:
    """Show one event; `?bodies=all` renders long bodies to their end."""
    stored = service_of(request).store.event(viewer, event_id)
    if stored is None:
        return problem_page(404, "There is no event with this id.")
    is_complete = request.query_params.get("bodies") == "all"
    return page("event", detail=detail(stored, is_complete=is_complete))


@router.get("/streams")
def show_streams(request: Request, viewer: Visitor) -> Response:
    """Show who sent lately, and what of it did not arrive."""
    return page("streams", streams=service_of(request).store.streams(viewer, MOST_ROWS))


@router.get("/login")
def follow_login_link(request: Request) -> Response:
    """Sign in with the token of the login link, or ask for it."""
    token = request.query_params.get("token")
    if token is None:
        return page("signin", place="/", problem=None)
    return _sign_in(request, token, "/")


@router.post("/login")
async def submit_login_form(request: Request) -> Response:
    """Sign in with the token from the form."""
    raw = await read_body(request, _LOGIN_BYTES, service_of(request).settings.body_timeout_seconds)
    try:
        fields = parse_qs(raw.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        raise Refusal(400, "more fields than the form has") from None
    return _sign_in(request, fields.get("token", [""])[0].strip(), fields.get("place", ["/"])[0])


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session of this browser."""
    name = cookie_name(request)
    service_of(request).sessions.sign_out(request.cookies.get(name, ""))
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(name, httponly=True, samesite="strict")
    return response


def problem_page(status: int, message: str) -> Response:
    """Return an error as a page."""
    return page("problem", status, title=HTTPStatus(status).phrase, message=message)


def _sign_in(request: Request, token: str, place: str) -> Response:
    session = service_of(request).sessions.sign_in(token)
    if session is None:
        problem = "This token is not valid. A server prints a new login link at each start: use the newest."
        return page("signin", 401, place=_safe(place), problem=problem)
    response = RedirectResponse(_safe(place), HTTPStatus.SEE_OTHER)
    response.set_cookie(
        cookie_name(request),
        session,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


def _safe(place: str) -> str:
    return place if _PLACE.fullmatch(place) else "/"


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers['host']}"


def _is_empty(query: EventQuery, cursor: Cursor | None, last_arrival: int) -> bool:
    """Tell an empty store from filters that match nothing."""
    return last_arrival == 0 and query == EventQuery() and cursor is None
