"""Callers that go away: an event of its own kind, and no failure of the application."""

from __future__ import annotations

import asyncio
import builtins
import sys
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route
from tests.fastapi.application import build_app
from tests.fastapi.messages import EMPTY, START, call, sent_by

from replaystack_fastapi import ReplayStackMiddleware, setup_fastapi

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient


def own(event: dict[str, Any]) -> dict[str, Any]:
    """Return `metadata.replaystack`."""
    found: dict[str, Any] = event["metadata"]["replaystack"]
    return found


def test_a_caller_that_leaves_during_the_upload_is_not_a_failure(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """The framework raises ClientDisconnect and makes a 500 of it, which reaches nobody."""
    app = build_app()
    setup_fastapi(app, client)
    scope: Scope = {"type": "http", "method": "POST", "path": "/upload", "query_string": b""}
    scope["headers"] = [(b"content-length", b"10")]
    first: Message = {"type": "http.request", "body": b"abc", "more_body": True}
    with pytest.raises(Exception) as raised:  # noqa: PT011 - by name: it differs in place by version
        sent_by(app, scope, first, {"type": "http.disconnect"})
    assert type(raised.value).__name__ == "ClientDisconnect"
    assert client.flush()
    event = receiver.event()
    assert event["status"] == "warning"
    assert "statusCode" not in event
    assert "errorName" not in event
    assert own(event)["bodies"]["disconnected"] is True
    assert own(event)["bodies"]["request"]["unread"] is True


@pytest.fixture
def broken_pipe() -> Send:
    """Return a `send` that fails with the second piece of the body, as servers do since ASGI 2.4."""
    count = 0

    async def send(message: Message) -> None:
        nonlocal count
        count += message["type"] == "http.response.body"
        if count == 2:
            raise OSError("the caller is gone")

    return send


def _stream(scope: Scope, app: ASGIApp, send: Send) -> None:
    coming = iter([EMPTY])

    async def receive() -> Message:
        for message in coming:
            return message
        await asyncio.Event().wait()  # the caller's side says no more
        raise AssertionError

    async def main() -> None:
        await app(scope, receive, send)

    asyncio.run(main())


def test_a_send_that_fails_is_a_caller_that_left(
    client: ReplayStackClient, receiver: Receiver, broken_pipe: Send
) -> None:
    """The answer began, so its status stays; it is incomplete, and no failure of the application."""

    async def view(request: Request) -> StreamingResponse:
        async def pieces() -> Any:
            for _ in range(3):
                yield b"piece"

        return StreamingResponse(pieces())

    app = Starlette(routes=[Route("/x", view)])
    setup_fastapi(app, client)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/x",
        "headers": [],
        "query_string": b"",
        "asgi": {"spec_version": "2.4"},
    }
    with pytest.raises(Exception):  # noqa: B017, PT011 - ClientDisconnect, or the OSError itself (0.27)
        _stream(scope, app, broken_pipe)
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"]) == ("warning", 200)
    assert own(event)["bodies"]["disconnected"] is True
    assert own(event)["bodies"]["response"]["incomplete"] is True
    assert "errorName" not in event


def test_a_failure_of_its_own_after_the_caller_left_is_one(
    client: ReplayStackClient, receiver: Receiver, broken_pipe: Send
) -> None:
    """An OSError of the application is not mistaken for the server's."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        try:
            for _ in range(2):
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
        except OSError:
            raise ConnectionError("the database is gone") from None

    with pytest.raises(ConnectionError):
        _stream({"type": "http", "path": "/x"}, ReplayStackMiddleware(app, client), broken_pipe)
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["errorName"]) == ("failed", "ConnectionError")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with Python 3.11")
def test_a_group_of_disconnects_is_a_disconnect(client: ReplayStackClient, receiver: Receiver) -> None:
    """A task group wraps what its tasks raise."""
    from starlette.requests import ClientDisconnect

    group: Any = vars(builtins)["ExceptionGroup"]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise group("tasks", [ClientDisconnect(), group("more", [ClientDisconnect()])])

    with pytest.raises(group):
        call(app, client, {"type": "http.disconnect"})
    assert client.flush()
    assert receiver.event()["status"] == "warning"


def test_a_failure_in_the_middle_has_the_time_to_its_last_byte(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """Not the time to the head: what the answer took until it broke."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await asyncio.sleep(0.05)
        raise RuntimeError("broke in the middle")

    with pytest.raises(RuntimeError):
        call(app, client)
    assert client.flush()
    event = receiver.event()
    assert event["status"] == "failed"
    assert event["executionTimeMs"] >= 49
