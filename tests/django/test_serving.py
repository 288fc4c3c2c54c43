"""On real servers: streams, disconnects, scopes, options, mounted sites."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils.asyncio import async_unsafe
from tests.asgi_server import serve as serve_asgi
from tests.django.site import STACK, Gate, asgi, sited, wsgi
from tests.wire_client import Connection, exchange, request_bytes
from tests.wsgi_server import serve as serve_wsgi

from replaystack import get_breadcrumbs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.django.site import Serving
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient

GONE, STARTED = threading.Event(), threading.Event()
LISTENS = django.VERSION >= (5, 0)
DEAF = "before 5.0, Django does not listen for a caller that goes away from an ASGI server"
MARKER = {"captured": False, "reason": "Streaming response body not captured"}


def endless(request: Any) -> StreamingHttpResponse:
    """Stream until the test says that the caller is gone."""

    def pieces() -> Iterator[bytes]:
        while not GONE.is_set():
            yield b"x" * 65536

    async def asynchronously() -> AsyncIterator[bytes]:
        while not GONE.is_set():
            yield b"x" * 65536
            await asyncio.sleep(0)

    return StreamingHttpResponse(asynchronously() if hasattr(request, "scope") else pieces())


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


urlpatterns = [path("stillborn", stillborn), path("endless", endless), path("waiting", waiting)]


def test_the_first_event_of_a_stream_arrives_before_the_second_is_produced(
    serving: Serving, gate: Gate, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Streaming passes through as it is made."""
    with serving() as base_url, Connection(base_url) as connection:
        connection.send(request_bytes("GET", "/sse"))
        assert connection.read_until(b"data: one\n\n")
        gate.open()  # only now is the second event produced
        assert b"data: two" in connection.read_all().data
    assert client.flush()
    event = receiver.event()
    assert event["responsePayload"] == MARKER
    assert event["status"] == "success"


def test_a_failure_in_the_middle_counts_the_time_to_the_last_byte(
    gate: Gate, client: ReplayStackClient, receiver: Receiver
) -> None:
    """It is failed, although the status line said 200, and took as long as it took."""
    with (
        sited(STACK, client, GATE=gate),
        serve_wsgi(wsgi(STACK, client)) as base_url,
        Connection(base_url) as connection,
    ):
        connection.send(request_bytes("GET", "/midstream"))
        connection.read_until(b"first")
        began = time.monotonic()
        while time.monotonic() - began < 0.03:  # what the answer then waits for, at least
            threading.Event().wait(0.005)
        waited_ms = int((time.monotonic() - began) * 1000)
        gate.open()
        connection.read_all()
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"]) == ("failed", 200)
    assert event["errorMessage"] == "broke in the middle"
    assert event["executionTimeMs"] >= waited_ms


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


def test_a_caller_that_goes_away_is_an_event_of_its_own_kind(
    request: pytest.FixtureRequest, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A disconnect in the middle of a stream is neither lost nor called a failure of the application."""
    if request.node.callspec.params["serving"] == "asgi" and not LISTENS:
        pytest.skip(DEAF)
    GONE.clear()
    with serving(ROOT_URLCONF=__name__) as base_url:
        with Connection(base_url) as connection:
            connection.send(request_bytes("GET", "/endless"))
            connection.read_until(b"xxxx")
        try:
            event = receiver.event()
        finally:
            GONE.set()
    bodies = event["metadata"]["replaystack"]["bodies"]
    assert event["status"] == "warning"
    assert bodies["disconnected"] is True
    assert bodies["response"]["incomplete"] is True
    assert "errorName" not in event


@pytest.mark.skipif(not LISTENS, reason=DEAF)
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


def test_requests_at_the_same_time_do_not_share_breadcrumbs(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Each request has a scope of its own, however many run at once."""
    names = [f"r{number}" for number in range(24)]
    with serving() as base_url:
        threads = [
            threading.Thread(target=exchange, args=(base_url, "GET", f"/crumb/{name}")) for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert client.flush()
    events = receiver.events(len(names))
    assert len(events) == len(names)
    for event in events:
        name = event["endpoint"].rpartition("/")[2]
        messages = [crumb["message"] for crumb in event["breadcrumbs"]]
        assert messages[1:-1] == [f"before {name}", f"after {name}"]
    assert get_breadcrumbs() == []


def test_every_option_has_its_effect(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """API.md section 5, option by option, as a plain dict."""
    seen: list[dict[str, Any]] = []

    def decide(info: dict[str, Any]) -> bool:
        seen.append(info)
        return bool(info["statusCode"] != 418)

    options = {
        "capture_request_body": False,
        "capture_response_body": False,
        "capture_headers": False,
        "ignored_paths": ["/items/*"],
        "get_trace_id": lambda request: request.headers.get("x-request-id"),
        "should_capture": decide,
        "get_user": lambda request: request.GET.get("user"),
        "trusted_proxies": ["127.0.0.0/8"],
    }
    with serving(options) as base_url:
        headers = {
            "X-Request-Id": "req-1",
            "Authorization": "Basic dXNlcjpwYXNz",
            "Content-Type": "application/json",
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "shop.public",
        }
        answer = exchange(base_url, "POST", "/echo?user=ada", headers, b'{"a": 1}')
        declined = exchange(base_url, "GET", "/teapot")
        ignored = exchange(base_url, "GET", "/items/1")
    assert client.flush()
    event = receiver.event()
    assert answer.headers["x-trace-id"] == event["traceId"] == "req-1"
    assert not {"requestPayload", "responsePayload", "requestHeaders", "responseHeaders"} & set(event)
    assert (event["authMode"], event["authScheme"]) == ("basic", "Basic")
    assert event["requestUrl"] == "https://shop.public/echo?user=ada"
    assert event["sourceIp"] == "203.0.113.9"
    assert event["metadata"]["replaystack"]["user"] == "ada"
    assert declined.headers["x-trace-id"]
    assert "x-trace-id" not in ignored.headers
    assert [sorted(info) for info in seen] == [["executionTimeMs", "method", "path", "statusCode"]] * 2


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


def test_an_untrusted_peer_cannot_rewrite_the_url(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """X-Forwarded-Host of any caller is not believed: a replay would go there."""
    with serving() as base_url:
        exchange(base_url, "GET", "/ok", {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "6.6.6.6"})
    assert client.flush()
    assert receiver.event()["requestUrl"] == "http://shop.example:8000/ok"
    assert receiver.event()["sourceIp"] == "127.0.0.1"


def test_raising_options_fall_back(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """A defect in the user's callables costs neither the request nor the event."""

    def broken(_: Any) -> Any:
        raise RuntimeError("option")

    with serving({"get_trace_id": broken, "should_capture": broken, "get_user": broken}) as base_url:
        answer = exchange(base_url, "GET", "/ok")
    assert answer.status == 200
    assert client.flush()
    assert receiver.event()["traceId"] == answer.headers["x-trace-id"]


def test_a_streamed_body_is_captured_on_request(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """capture_streaming_body keeps what a streamed answer said."""
    with serving({"capture_streaming_body": True}) as base_url:
        exchange(base_url, "GET", "/stream")
    assert client.flush()
    assert receiver.event()["responsePayload"] == "firstotherthird"


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
