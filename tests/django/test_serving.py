"""What is Django's own on real servers: broken streams, cancelled views, look-ups, mounted sites."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils.asyncio import async_unsafe
from tests.asgi_server import serve as serve_asgi
from tests.django.site import STACK, asgi, sited, wsgi
from tests.django.stand import LISTENS
from tests.wire_client import Connection, exchange, request_bytes
from tests.wsgi_server import serve as serve_wsgi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.django.site import Serving
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient

STARTED = threading.Event()


async def waiting(request: Any) -> HttpResponse:
    """Wait for ever."""
    STARTED.set()
    await asyncio.Event().wait()
    raise AssertionError


def stillborn(request: Any) -> StreamingHttpResponse:
    """Break before the first piece."""

    def pieces() -> Iterator[bytes]:
        raise RuntimeError("broke at once")
        yield b""

    async def asynchronously() -> AsyncIterator[bytes]:
        raise RuntimeError("broke at once")
        yield b""

    return StreamingHttpResponse(asynchronously() if hasattr(request, "scope") else pieces())


urlpatterns = [path("stillborn", stillborn), path("waiting", waiting)]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # see test_contract
def test_a_stream_that_breaks_before_its_first_piece(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """The event has the status that went out: a WSGI server has sent none yet and answers 500 by itself."""
    with serving(ROOT_URLCONF=__name__) as base_url:
        answer = exchange(base_url, "GET", "/stillborn")
    gc.collect()
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"]) == ("failed", answer.status)
    assert event["errorMessage"] == "broke at once"


@pytest.mark.skipif(not LISTENS, reason="this Django does not listen for a caller that goes away")
def test_a_caller_that_goes_away_while_an_async_view_waits(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """Django cancels the view; the event says that the caller was gone before there was an answer."""
    with (
        sited(STACK, client, ROOT_URLCONF=__name__),
        serve_asgi(asgi(STACK, client)) as base_url,
    ):
        with Connection(base_url) as connection:
            connection.send(request_bytes("GET", "/waiting"))
            assert STARTED.wait(30)
        event = receiver.event()
    assert event["status"] == "warning"
    assert event["metadata"]["replaystack"]["bodies"]["disconnected"] is True
    assert not {"statusCode", "errorName"} & set(event)


def test_who_asks_may_be_looked_up_in_the_database(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """`get_user` may do what Django forbids in an event loop, as `request.user` does."""

    @async_unsafe  # type: ignore[untyped-decorator]  # Django has no types
    def look_up(request: Any) -> str:
        return "ada"

    with serving({"get_user": look_up}) as base_url:
        for place in ("/ok", "/stream", "/fail", "/deferred"):
            exchange(base_url, "GET", place)
    assert client.flush()
    assert [event["metadata"]["replaystack"]["user"] for event in receiver.events(4)] == ["ada"] * 4


def test_a_mounted_site(client: ReplayStackClient, receiver: Receiver) -> None:
    """Below a prefix (SCRIPT_NAME, root_path): path, route and ignored paths know of it."""
    handler = wsgi(STACK, client, {"ignored_paths": ["/teapot"]})

    def below(environ: dict[str, Any], start_response: Any) -> Any:
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/shop", environ["PATH_INFO"].removeprefix("/shop")
        return handler(environ, start_response)

    with sited(STACK, client), serve_wsgi(below) as base_url:
        exchange(base_url, "GET", "/shop/items/7")
        exchange(base_url, "GET", "/shop/teapot")
    asgi_handler = asgi(STACK, client, {"ignored_paths": ["/teapot"]})

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await asgi_handler({**scope, "root_path": "/shop"}, receive, send)

    with sited(STACK, client), serve_asgi(mounted) as base_url:
        exchange(base_url, "GET", "/shop/items/7")
        exchange(base_url, "GET", "/shop/teapot")
    assert client.flush()
    events = receiver.events(2)
    assert len(events) == 2
    for event in events:
        assert (event["endpoint"], event["statusCode"]) == ("/shop/items/7", 200)
        assert event["requestUrl"] == "http://shop.example:8000/shop/items/7"
        assert event["metadata"]["replaystack"]["route"] == "/shop/items/<int:item_id>"
