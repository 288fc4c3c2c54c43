"""A websocket is one exchange: what is counted, how it ends, what the caller sees of us (a header)."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Mount, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.asgi_server import serve
from tests.fastapi.messages import call
from tests.fastapi.sockets import build_app, open_socket
from tests.receiver import Receiver
from websockets.exceptions import ConnectionClosed, InvalidStatus

from replaystack import ReplayStackClient
from replaystack_fastapi import FastAPIMiddlewareOptions, ReplayStackMiddleware, setup_fastapi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message, Receive, Scope, Send

Event = dict[str, Any]

DENIALS = pytest.mark.skipif(
    not hasattr(WebSocket, "send_denial_response"), reason="starlette denies with an answer since 0.37"
)


@contextmanager
def watched(client: ReplayStackClient, **options: Any) -> Iterator[str]:
    """Serve the application with our middleware around it; yields the URL of its websockets."""
    app = build_app(client)
    setup_fastapi(app, client, FastAPIMiddlewareOptions(**options))
    with serve(app, ws="websockets-sansio") as base_url:
        yield base_url.replace("http", "ws", 1)


def numbers(event: Event) -> dict[str, Any]:
    """Return what the event says of the websocket."""
    found: dict[str, Any] = event["metadata"]["replaystack"]["websocket"]
    return found


def test_a_conversation_is_one_event(client: ReplayStackClient, receiver: Receiver) -> None:
    """From the handshake to the close: counted, not kept."""
    with watched(client) as base_url:
        headers = {"Authorization": "Bearer CANARY-token", "X-Trace-Id": "call-7"}
        with open_socket(
            f"{base_url}/echo/7?token=CANARY-query", additional_headers=headers, subprotocols=["chat"]
        ) as socket:
            assert socket.response is not None
            assert socket.response.headers["x-trace-id"] == "call-7"
            socket.send("CANARY-mess\u00e4ge")
            assert socket.recv() == "CANARY-mess\u00e4ge"
            assert socket.recv() == b"12345"
            assert receiver.taken() == []
            socket.send("bye")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "bye password=CANARY-reason")
        event = receiver.event()
    assert (event["eventType"], event["status"], event["statusCode"]) == ("api", "success", 101)
    assert (event["method"], event["endpoint"]) == ("GET", "/echo/7")
    assert event["requestUrl"].startswith("ws://127.0.0.1:")
    assert (event["traceId"], event["authMode"]) == ("call-7", "bearer")
    assert event["metadata"]["replaystack"]["route"] == "/echo/{room}"
    assert numbers(event) == {
        "receivedMessages": 2,
        "receivedBytes": 18,
        "sentMessages": 2,
        "sentBytes": 20,
        "closeCode": 1000,
        "closeReason": "bye password=[MASKED]",
        "closedBy": "application",
        "subprotocol": "chat",
    }
    assert not {"requestPayload", "responsePayload", "errorName"} & set(event)
    assert [crumb["message"] for crumb in event["breadcrumbs"]] == [
        "Websocket started",
        "entered 7",
        "Websocket finished",
    ]
    assert "CANARY" not in json.dumps(event)


@pytest.mark.parametrize("path", ["/echo/1", "/polite"])
def test_a_caller_that_leaves_in_order_is_no_failure(
    path: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Whether the application catches WebSocketDisconnect or lets it through: one event, a success."""
    with watched(client) as base_url:
        with open_socket(f"{base_url}{path}") as socket:
            socket.close(1001, "page left")
        receiver.events()
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"]) == ("success", 101)
    assert (numbers(event)["closeCode"], numbers(event)["closedBy"]) == (1001, "caller")
    assert "errorName" not in event


def test_a_caller_that_vanishes_is_not_a_failure_of_the_application(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """A connection that breaks is one event. Which code it has is the server's to say (uvicorn: 1005)."""
    with watched(client) as base_url, open_socket(f"{base_url}/echo/1") as socket:
        socket.socket.shutdown(2)
        receiver.events()
    assert client.flush()
    event = receiver.event()
    assert numbers(event)["closedBy"] == "caller"
    assert "errorName" not in event


@pytest.mark.parametrize(
    ("code", "status"), [(1000, "success"), (1005, "success"), (1006, "warning"), (1012, "warning")]
)
def test_the_code_of_a_caller_that_leaves(
    code: int, status: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """An abnormal end is a warning, and says that the caller disconnected."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await receive()
        raise WebSocketDisconnect(code)

    with pytest.raises(WebSocketDisconnect):
        call(app, client, {"type": "websocket.disconnect", "code": code, "reason": ""}, type="websocket")
    assert client.flush()
    event = receiver.event()
    assert (event["status"], numbers(event)["closeCode"]) == (status, code)
    bodies = event["metadata"]["replaystack"].get("bodies", {})
    assert bodies.get("disconnected", False) == (code == 1006)
    assert "errorName" not in event


@pytest.mark.parametrize(
    ("path", "status", "ends"),
    [
        ("/fail", "failed", ("ValueError", None)),
        ("/policy", "warning", (None, 1008)),
        ("/broken", "failed", ("WebSocketException", 1011)),
    ],
)
def test_how_it_ends_decides(
    path: str, status: str, ends: tuple[str | None, int | None], client: ReplayStackClient, receiver: Receiver
) -> None:
    """An exception or an internal error is a failure, with the exception; another code a warning."""
    with watched(client) as base_url:
        with open_socket(f"{base_url}{path}") as socket:
            if path == "/fail":
                socket.send("x")
            with pytest.raises(ConnectionClosed):
                socket.recv()
        receiver.events()
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"]) == (status, 101)
    assert (event.get("errorName"), numbers(event).get("closeCode")) == ends


@pytest.mark.parametrize(
    ("path", "answer", "status"),
    [
        ("/refuse", 403, "warning"),
        pytest.param("/deny", 401, "warning", marks=DENIALS),
        ("/fail-at-once", 500, "failed"),
    ],
)
def test_a_handshake_that_is_not_taken(
    path: str, answer: int, status: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """The event has the status that the caller got."""
    with watched(client) as base_url:
        with pytest.raises(InvalidStatus) as refused, open_socket(f"{base_url}{path}"):
            pass
        receiver.events()
    assert client.flush()
    event = receiver.event()
    assert refused.value.response.status_code == event["statusCode"] == answer
    assert event["status"] == status
    if path == "/deny":
        assert refused.value.response.headers["x-trace-id"] == event["traceId"]
        assert event["responsePayload"] == {"token": "[MASKED]", "why": "no"}
    assert event.get("errorName") == ("ValueError" if status == "failed" else None)


def test_capture_failure_is_honoured(client: ReplayStackClient, receiver: Receiver) -> None:
    """The failed event says what the exception carries."""
    with watched(client) as base_url:
        with open_socket(f"{base_url}/declined") as socket, pytest.raises(ConnectionClosed):
            socket.recv()
        event = receiver.event()
    assert (event["status"], event["statusCode"]) == ("failed", 402)
    assert event["responsePayload"] == {"cvv": "[MASKED]"}


def test_what_breaks_after_the_close_is_a_separate_event(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """The exchange is over when the caller has left, like a request before its background task."""
    with watched(client) as base_url:
        with open_socket(f"{base_url}/untidy"):
            pass
        receiver.events(2)
    assert client.flush()
    socket, late = sorted(receiver.events(2), key=lambda event: event["eventType"])
    assert socket["status"] == "success"
    assert (late["eventType"], late["errorName"]) == ("custom", "LookupError")
    assert late["metadata"]["replaystack"]["parentTraceId"] == socket["traceId"]


def test_many_at_once_are_one_event_each(client: ReplayStackClient, receiver: Receiver) -> None:
    """Each websocket has a scope of its own."""

    def talk(base_url: str, number: int) -> None:
        with open_socket(f"{base_url}/echo/{number}") as socket:
            for _ in range(number):
                socket.send("x")
            for _ in range(2 * number):
                socket.recv()

    with watched(client) as base_url:
        threads = [threading.Thread(target=talk, args=(base_url, number)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        receiver.events(8)
    assert client.flush()
    events = receiver.events(8)
    seen = {
        event["endpoint"]: (numbers(event)["receivedMessages"], event["breadcrumbs"][1]["message"])
        for event in events
    }
    assert seen == {f"/echo/{number}": (number, f"entered {number}") for number in range(1, 9)}
    assert len(events) == 8


def test_options_hold_for_websockets(client: ReplayStackClient, receiver: Receiver) -> None:
    """The request that the user's callables get is starlette's HTTPConnection."""
    seen: list[Any] = []

    def trace(connection: HTTPConnection) -> str:
        seen.append(type(connection))
        return connection.headers["x-call"]

    with watched(
        client,
        ignored_paths=["/polite"],
        get_trace_id=trace,
        get_user=lambda connection: connection.query_params["user"],
        should_capture=lambda info: info["path"] != "/policy",
        trusted_proxies=["127.0.0.1"],
    ) as base_url:
        headers = {"X-Call": "c-1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.public"}
        for path in ("/polite", "/echo/1?user=ada", "/policy"):
            with open_socket(f"{base_url}{path}", additional_headers=headers) as socket:
                assert socket.response is not None
                assert ("x-trace-id" in socket.response.headers) == (path != "/polite")
        receiver.events()
    assert client.flush()
    event = receiver.event()
    assert seen[0] is HTTPConnection
    assert event["traceId"] == "c-1"
    assert event["requestUrl"] == "wss://shop.public/echo/1?user=ada"
    assert event["metadata"]["replaystack"]["user"] == "ada"


def test_sync_mode_tells_the_application_first(receiver: Receiver) -> None:
    """async_send=False: the application learns of the disconnect, then the event is sent, off the loop."""
    order: list[str] = []
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, async_send=False) as client:

        async def view(socket: WebSocket) -> None:
            await socket.accept()
            with pytest.raises(WebSocketDisconnect):
                await socket.receive_text()
            order.append(f"told, {len(receiver.taken())} sent")

        app = Starlette(routes=[WebSocketRoute("/x", view)])
        setup_fastapi(app, client)

        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, send)
            if scope["type"] == "websocket":
                order.append(f"over, {len(receiver.taken())} sent")

        with serve(outer, ws="websockets-sansio") as url, open_socket(url.replace("http", "ws", 1) + "/x"):
            pass
    assert order == ["told, 0 sent", "over, 1 sent"]


def test_a_mounted_websocket_and_two_clients(client: ReplayStackClient, receiver: Receiver) -> None:
    """One exchange per client and websocket, also where the middleware is there twice."""
    with Receiver() as other, ReplayStackClient(api_key="k2", endpoint=other.origin) as second:
        inner = build_app()
        setup_fastapi(inner, client)
        outer = Starlette(routes=[Mount("/v1", app=inner)])
        setup_fastapi(outer, client)
        setup_fastapi(outer, second)
        with serve(outer, ws="websockets-sansio") as base_url:
            with open_socket(base_url.replace("http", "ws", 1) + "/v1/echo/3"):
                pass
            receiver.events()
            other.events()
        assert client.flush()
        assert second.flush()
        events = [receiver.event(), other.event()]
    for event in events:
        assert event["metadata"]["replaystack"]["route"] == "/v1/echo/{room}"
    assert events[0]["traceId"] == events[1]["traceId"]


def test_messages_pass_as_the_same_objects(client: ReplayStackClient) -> None:
    """All but the handshake's answer, also what no specification knows."""
    received: list[Message] = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "a", "bytes": None},
        {"type": "websocket.telepathy"},
    ]
    sent: list[Message] = [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "bytes": b"b"},
        {"type": "websocket.telepathy", "headers": 7},
        {"type": "websocket.close"},
        {"type": "websocket.send", "text": "too late"},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for expected in received:
            assert await receive() is expected
        for message in sent:
            await send(message)

    arrived = call(app, client, *received, type="websocket")
    assert len(arrived) == len(sent)
    assert all(there is here for there, here in zip(arrived, sent, strict=True))


@pytest.mark.parametrize(
    ("version", "keys"),
    [("2.0", {"type"}), ("2.1", {"type", "headers"}), ("2.10", {"type", "headers"}), ("x", {"type"})],
)
def test_a_server_that_takes_no_headers_gets_none(
    version: str, keys: set[str], client: ReplayStackClient
) -> None:
    """`websocket.accept` has headers since version 2.1 of the specification."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    arrived = call(app, client, type="websocket", asgi={"spec_version": version})
    assert set(arrived[0]) == keys


def test_a_cancelled_websocket_is_captured(client: ReplayStackClient, receiver: Receiver) -> None:
    """A server that shuts down cancels: the event is there all the same."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()

    async def main() -> None:
        accepted = asyncio.Event()

        async def send(message: Message) -> None:
            accepted.set()

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        scope = {"type": "websocket", "path": "/x"}
        task = asyncio.ensure_future(ReplayStackMiddleware(app, client)(scope, receive, send))
        await accepted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"]) == ("warning", 101)
