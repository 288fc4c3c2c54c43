"""ASGI message by message, from a server made by hand: what passes untouched, and where it ends."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from tests.fastapi.messages import EMPTY, START, call, says, sent_by

from replaystack import ReplayStackClient
from replaystack_fastapi import ReplayStackMiddleware, setup_fastapi

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from tests.receiver import Receiver


def own(event: dict[str, Any]) -> dict[str, Any]:
    """Return `metadata.replaystack`."""
    found: dict[str, Any] = event["metadata"]["replaystack"]
    return found


def test_other_scopes_pass_untouched(client: ReplayStackClient) -> None:
    """Unknown scopes reach the application as the same objects; of the lifespan's all but `send`."""
    seen: list[tuple[Any, Any, Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def receive() -> Message:
        return {"type": "x"}

    async def send(message: Message) -> None:
        """Take it."""

    middleware = ReplayStackMiddleware(app, client)
    for kind in ("lifespan", "telepathy"):
        scope = {"type": kind, "path": "/"}
        asyncio.run(middleware(scope, receive, send))
        assert seen[-1][0] is scope
        assert seen[-1][1] is receive
        assert kind == "lifespan" or seen[-1][2] is send
        assert scope == {"type": kind, "path": "/"}


def test_the_lifespans_messages_are_the_same_objects(client: ReplayStackClient) -> None:
    """Startup, shutdown, their failures and what nobody knows."""
    messages: list[Message] = [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.startup.failed", "message": "no database"},
        {"type": "lifespan.telepathy"},
        {"type": "lifespan.shutdown.complete"},
        {"type": "lifespan.shutdown.failed", "message": "stuck"},
    ]
    arrived = call(says(*messages), client, type="lifespan")
    assert len(arrived) == len(messages)
    assert all(there is here for there, here in zip(arrived, messages, strict=True))


def test_unknown_messages_of_a_request_pass_untouched(client: ReplayStackClient, receiver: Receiver) -> None:
    """In both directions, before, within and after the answer."""
    coming: list[Message] = [{"type": "http.telepathy", "body": 7}, EMPTY]
    body: Message = {"type": "http.response.body", "body": b"ok"}
    going: list[Message] = [
        {"type": "http.response.early_hint", "links": [b"</s.css>"]},
        {"type": "http.response.push", "path": "/s.css", "headers": []},
        {"type": "http.response.debug", "info": {"template": object()}},
        START,
        {"type": "http.response.telepathy", "headers": 7},
        body,
        {"type": "http.response.telepathy"},
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in coming:
            assert await receive() is message
        await says(*going)(scope, receive, send)

    arrived = call(app, client, *coming)
    assert len(arrived) == len(going)
    assert all(there is here for there, here in zip(arrived, going, strict=True))
    assert client.flush()
    assert receiver.event()["responsePayload"] == "ok"


def test_trailers_belong_to_the_answer(receiver: Receiver) -> None:
    """With trailers announced the answer ends with the last of them: nobody waits for us in between."""
    delivered: list[tuple[str, int]] = []

    async def server_sends(message: Message) -> None:
        delivered.append((message["type"], len(receiver.taken())))

    app = says(
        {**START, "trailers": True},
        {"type": "http.response.body", "body": b"ok"},
        {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": True},
        {"type": "http.response.trailers", "headers": [(b"x-more", b"2")]},
    )

    async def receive() -> Message:
        return EMPTY

    with ReplayStackClient(api_key="k", endpoint=receiver.origin, async_send=False) as client:
        asyncio.run(ReplayStackMiddleware(app, client)({"type": "http", "path": "/x"}, receive, server_sends))
    assert [kind.rpartition(".")[2] for kind, _ in delivered] == ["start", "body", "trailers", "trailers"]
    assert {count for _, count in delivered} == {0}
    assert receiver.event()["responsePayload"] == "ok"


@pytest.mark.parametrize(
    "parts",
    [
        [{"type": "http.response.pathsend", "path": "/tmp/x"}],
        [{"type": "http.response.zerocopysend", "file": 1, "count": 9}],
        [
            {"type": "http.response.zerocopysend", "file": 1, "more_body": True},
            {"type": "http.response.zerocopysend", "file": 1},
        ],
        [
            {"type": "http.response.body", "body": b"head", "more_body": True},
            {"type": "http.response.zerocopysend", "file": 1, "more_body": True},
            {"type": "http.response.body", "body": b"tail"},
        ],
    ],
    ids=["pathsend", "zerocopysend", "two pieces", "between bytes"],
)
def test_what_the_server_sends_by_itself_passes(
    parts: list[Message], client: ReplayStackClient, receiver: Receiver
) -> None:
    """The extensions for files: same objects, and the exchange ends with the last."""
    late: Message = {"type": "http.response.telepathy"}
    ended: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await says(START, *parts)(scope, receive, send)
        ended.append(client.stats().captured)
        await send(late)

    arrived = call(app, client)
    assert all(there is here for there, here in zip(arrived, [START, *parts, late], strict=True))
    assert ended == [1]
    assert client.flush()
    event = receiver.event()
    assert event["status"] == "success"
    assert "incomplete" not in own(event).get("bodies", {}).get("response", {})


def test_a_file_response_uses_pathsend_where_the_server_has_it(
    client: ReplayStackClient, receiver: Receiver, tmp_path: Path
) -> None:
    """What starlette itself makes of the extension."""
    file = tmp_path / "report.txt"
    file.write_text("0123456789")

    async def view(request: Request) -> FileResponse:
        return FileResponse(file)

    app = Starlette(routes=[Route("/file", view)])
    setup_fastapi(app, client)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/file",
        "headers": [],
        "query_string": b"",
        "extensions": {"http.response.pathsend": {}},
    }
    arrived = sent_by(app, scope)
    assert {message["type"] for message in arrived} <= {
        "http.response.start",
        "http.response.pathsend",
        "http.response.body",  # starlette 0.27 does not know the extension
    }
    assert client.flush()
    assert (receiver.event()["status"], receiver.event()["statusCode"]) == ("success", 200)


@pytest.mark.filterwarnings("ignore:Using `httpx` with")
def test_the_debug_extension_reaches_the_test_client(client: ReplayStackClient) -> None:
    """Starlette's test client shows the template of an answer; it still does."""

    class Templated(Response):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            assert "http.response.debug" in scope["extensions"]
            await send({"type": "http.response.debug", "info": {"template": "t", "context": {"a": 1}}})
            await super().__call__(scope, receive, send)

    async def view(request: Request) -> Response:
        return Templated("hi")

    app = Starlette(routes=[Route("/", view)])
    setup_fastapi(app, client)
    answer = _test_client(app).get("/")
    assert answer.text == "hi"
    assert (answer.template, answer.context) == ("t", {"a": 1})


def _test_client(app: ASGIApp) -> Any:
    from starlette.testclient import TestClient

    return TestClient(app)


def test_a_request_of_http_2(client: ReplayStackClient, receiver: Receiver) -> None:
    """Its server makes a Host header of :authority and leaves cookies in pieces; names are in lower case."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(dict(scope))
        await says({**START, "headers": []}, {"type": "http.response.body", "body": b"ok"})(
            scope, receive, send
        )

    headers = [
        [b"host", b"shop.example"],
        [b"cookie", b"session=CANARY-one"],
        [b"cookie", b"theme=CANARY-two"],
        [b"x-note", b"first"],
        [b"x-note", b"second"],
    ]
    arrived = call(
        app,
        client,
        http_version="2",
        method="GET",
        scheme="https",
        path="/caf\u00e9",
        raw_path=b"/caf%C3%A9",
        query_string=b"q=1",
        headers=headers,
        server=("127.0.0.1", 8443),
        client=("203.0.113.7", 1),
    )
    assert seen[0]["headers"] is headers
    assert [name for name, _ in arrived[0]["headers"]] == [b"x-trace-id"]
    assert client.flush()
    event = receiver.event()
    assert event["requestUrl"] == "https://shop.example/caf%C3%A9?q=1"
    assert event["endpoint"] == "/caf\u00e9"
    assert event["requestHeaders"]["x-note"] == ["first", "second"]
    assert "CANARY" not in json.dumps(event)
    assert sorted(own(event)["cookieNames"]) == ["session", "theme"]


def test_a_server_that_says_little_is_enough(client: ReplayStackClient, receiver: Receiver) -> None:
    """No headers, no query, no server, no peer: the specification allows it."""
    call(says({"type": "http.response.start", "status": 204}, {"type": "http.response.body"}), client)
    assert client.flush()
    event = receiver.event()
    assert (event["statusCode"], event["method"], event["endpoint"]) == (204, "GET", "/x")


def test_the_span_that_is_current_gives_the_trace(client: ReplayStackClient, receiver: Receiver) -> None:
    """A span around our middleware and ReplayStack share a trace id; what the caller says goes first."""
    trace = pytest.importorskip("opentelemetry.trace")
    context = trace.SpanContext(0xABCDEF, 0x123, is_remote=False)
    app = says({**START, "headers": []}, {"type": "http.response.body", "body": b"ok"})
    with trace.use_span(trace.NonRecordingSpan(context)):
        arrived = call(app, client)
        call(app, client, headers=[(b"x-trace-id", b"caller-1")])
    assert dict(arrived[0]["headers"])[b"x-trace-id"] == f"{0xABCDEF:032x}".encode()
    assert client.flush()
    assert [event["traceId"] for event in receiver.events(2)] == [f"{0xABCDEF:032x}", "caller-1"]
