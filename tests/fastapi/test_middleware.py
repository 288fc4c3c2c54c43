"""What is FastAPI's own: idle streams, background tasks, nesting, ways to install, sync mode."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route
from tests.asgi_server import serve
from tests.fastapi.application import KNOWS_RANGES, build_app
from tests.receiver import Receiver
from tests.wire_client import Connection, exchange, request_bytes

from replaystack import CaptureFailure, ReplayStackClient
from replaystack_fastapi import FastAPIMiddlewareOptions, ReplayStackMiddleware, setup_fastapi

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Message, Receive, Scope, Send

    Serving = Callable[..., AbstractContextManager[str]]


def test_a_caller_that_leaves_while_nothing_is_sent_is_noticed(
    instrumented: Serving, receiver: Receiver
) -> None:
    """A disconnect from a stream that waits is neither lost nor called a failure of the application."""
    with instrumented() as base_url:
        with Connection(base_url) as connection:
            connection.send(request_bytes("GET", "/sse"))
            connection.read_until(b"data: one of /sse\n\n")  # the gate of the second stays shut
        event = receiver.event()
    bodies = event["metadata"]["replaystack"]["bodies"]
    assert event["status"] == "warning"
    assert bodies["disconnected"] is True
    assert bodies["response"]["incomplete"] is True
    assert "errorName" not in event


def test_a_failing_background_task_is_a_separate_event(
    instrumented: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """What breaks after the answer does not turn a good answer into a bad one."""
    with instrumented() as base_url:
        answer = exchange(base_url, "GET", "/background")
    assert answer.status == 200
    assert client.flush()
    request, late = sorted(receiver.events(2), key=lambda event: event["eventType"])
    assert (request["status"], request["statusCode"]) == ("success", 200)
    assert late["eventType"] == "custom"
    assert late["errorName"] == "LookupError"
    assert late["metadata"]["replaystack"]["parentTraceId"] == request["traceId"]


def test_the_frameworks_own_500_carries_the_trace_id_and_is_captured(
    instrumented: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """setup_fastapi sits outside of the error handling: one event with answer and exception."""
    with instrumented() as base_url:
        answer = exchange(base_url, "GET", "/fail")
    assert answer.status == 500
    assert client.flush()
    event = receiver.event()
    assert answer.headers["x-trace-id"] == event["traceId"]
    assert event["responsePayload"] == "Internal Server Error"
    assert event["errorName"] == "ValueError"


def test_plain_add_middleware_sees_the_exception_but_not_the_answer(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """The documented limit of the framework's own way to add a middleware."""
    app = build_app()
    app.add_middleware(ReplayStackMiddleware, client=client)
    with serve(app) as base_url:
        answer = exchange(base_url, "GET", "/fail")
    assert answer.status == 500
    assert "x-trace-id" not in answer.headers
    assert client.flush()
    event = receiver.event()
    assert (event["statusCode"], event["errorName"]) == (500, "ValueError")
    assert "responseHeaders" not in event


def test_installed_twice_is_once(client: ReplayStackClient, receiver: Receiver) -> None:
    """The outermost middleware captures; the others of the same client stand back."""
    app = build_app()
    setup_fastapi(app, client)
    setup_fastapi(app, client)
    app.add_middleware(ReplayStackMiddleware, client=client)
    with serve(app) as base_url:
        exchange(base_url, "GET", "/ok")
        setup_fastapi(app, client)
        exchange(base_url, "GET", "/ok")
    assert client.flush()
    assert len(receiver.events(2)) == 2


def test_two_clients_each_capture_once(client: ReplayStackClient, receiver: Receiver) -> None:
    """One exchange per client and request, also with several clients."""
    with Receiver() as other, ReplayStackClient(api_key="k2", endpoint=other.origin) as second:
        app = build_app()
        setup_fastapi(app, client)
        setup_fastapi(app, second)
        with serve(app) as base_url:
            answer = exchange(base_url, "GET", "/ok")
        assert client.flush()
        assert second.flush()
        assert len(other.events()) == 1
    assert len(receiver.events()) == 1
    assert answer.headers["x-trace-id"] == receiver.event()["traceId"]


def test_installing_into_a_running_application_works(client: ReplayStackClient, receiver: Receiver) -> None:
    """An application that has served already can be instrumented all the same."""
    app = build_app()
    with serve(app) as base_url:
        exchange(base_url, "GET", "/ok")
        setup_fastapi(app, client)
        exchange(base_url, "GET", "/items/3")
    assert client.flush()
    assert receiver.event()["endpoint"] == "/items/3"


def test_a_mounted_application_keeps_its_pattern(client: ReplayStackClient, receiver: Receiver) -> None:
    """The route of a mounted application carries the prefix that it hangs under."""
    outer = Starlette(routes=[Mount("/v1", app=build_app())])
    setup_fastapi(outer, client)
    with serve(outer) as base_url:
        exchange(base_url, "GET", "/v1/items/9")
    assert client.flush()
    event = receiver.event()
    assert event["endpoint"] == "/v1/items/9"
    assert event["metadata"]["replaystack"]["route"] == "/v1/items/{item_id}"


def test_validation_errors_are_captured_with_their_detail(
    instrumented: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A 422 says in its body which field was wrong; that is what the developer needs."""
    with instrumented() as base_url:
        answer = exchange(base_url, "POST", "/validate", {"Content-Type": "application/json"}, b'{"item": 1}')
    assert answer.status == 422
    assert client.flush()
    event = receiver.event()
    assert event["status"] == "warning"
    assert {tuple(error["loc"]) for error in event["responsePayload"]["detail"]} == {
        ("body", "item"),
        ("body", "count"),
    }


def test_a_file_and_a_part_of_it_are_the_same_bytes(
    client: ReplayStackClient, receiver: Receiver, tmp_path: Path
) -> None:
    """FileResponse and Range answers pass untouched."""
    file = tmp_path / "report.txt"
    file.write_bytes(b"0123456789" * 20_000)
    bare, watched = build_app(file=file), build_app(file=file)
    setup_fastapi(watched, client)
    for headers in ({}, {"Range": "bytes=5-14"}):
        with serve(bare) as base_url:
            expected = exchange(base_url, "GET", "/file", headers)
        with serve(watched) as base_url:
            assert exchange(base_url, "GET", "/file", headers).comparable() == expected.comparable()
    assert client.flush()
    assert [event["statusCode"] for event in receiver.events(2)] == [200, 206 if KNOWS_RANGES else 200]


def test_ignored_paths_count_inside_of_a_mount_too(client: ReplayStackClient, receiver: Receiver) -> None:
    """What the application calls /health is its health, wherever it is mounted; the rest is captured."""
    inner = build_app()
    setup_fastapi(inner, client)
    outer = Starlette(routes=[Mount("/shop", app=inner)])
    with serve(outer) as base_url:
        health = exchange(base_url, "GET", "/shop/health")
        exchange(base_url, "GET", "/shop/ok")
    assert client.flush()
    assert "x-trace-id" not in health.headers
    assert receiver.event()["endpoint"].endswith("/ok")  # before 0.33 Starlette told the path inside only


def test_sync_mode_sends_before_the_call_returns_and_never_on_the_loop(receiver: Receiver) -> None:
    """async_send=False: the event is there when the ASGI call ends; the loop goes on meanwhile."""
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, async_send=False) as client:
        app = build_app()
        setup_fastapi(app, client)
        threads: list[str] = []
        original = client.recorder.exchange

        def watched(exchange: Any) -> Any:
            threads.append(threading.current_thread().name)
            return original(exchange)

        client.recorder.exchange = watched  # type: ignore[method-assign]
        names: list[str] = []

        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            names.append(threading.current_thread().name)
            await app(scope, receive, send)
            if scope["type"] == "http":
                assert len(receiver.taken()) == 1

        with serve(outer) as base_url:
            assert exchange(base_url, "GET", "/ok").status == 200
        assert threads
        assert threads[0] not in names
        assert client.stats().delivered == 1


def test_capture_failure_is_honoured(client: ReplayStackClient, receiver: Receiver) -> None:
    """The failed event carries the payload and code that the exception names; the client gets a 500."""

    async def view(request: Request) -> None:
        raise CaptureFailure("declined", response_payload={"reason": "card", "cvv": "123"}, status_code=402)

    app = Starlette(routes=[Route("/pay", view)])
    setup_fastapi(app, client)
    with serve(app) as base_url:
        assert exchange(base_url, "GET", "/pay").status == 500
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"]) == ("failed", 402)
    assert event["responsePayload"] == {"reason": "card", "cvv": "[MASKED]"}


def test_header_generators_reach_server_and_application_whole(client: ReplayStackClient) -> None:
    """ASGI allows any iterable of headers; looking at one must not use it up."""
    import asyncio

    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append([tuple(pair) for pair in scope["headers"]])
        pairs = ((b"x-trace-id", b"mine"), (b"x-other", b"1"))
        await send({"type": "http.response.start", "status": 200, "headers": (pair for pair in pairs)})
        await send({"type": "http.response.body", "body": b"ok"})

    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path": "/x",
        "headers": (pair for pair in [(b"host", b"h")]),
        "query_string": None,
    }
    asyncio.run(ReplayStackMiddleware(app, client)(scope, receive, send))
    assert seen == [[(b"host", b"h")]]
    assert [tuple(pair) for pair in sent[0]["headers"]] == [(b"x-trace-id", b"mine"), (b"x-other", b"1")]
    assert client.flush()
    assert client.stats().delivered == 1


def test_two_clients_share_trace_id_and_breadcrumbs(client: ReplayStackClient, receiver: Receiver) -> None:
    """The answer's trace id leads to the event at either receiver; a step is seen in both."""
    with Receiver() as other, ReplayStackClient(api_key="k2", endpoint=other.origin) as second:
        app = build_app(client=client)
        setup_fastapi(app, client)
        setup_fastapi(app, second)
        with serve(app) as base_url:
            answer = exchange(base_url, "GET", "/crumb/x")
        assert client.flush()
        assert second.flush()
        events = [other.event(), receiver.event()]
    assert {event["traceId"] for event in events} == {answer.headers["x-trace-id"]}
    for event in events:
        messages = [crumb["message"] for crumb in event["breadcrumbs"]]
        assert messages[:3] == ["HTTP request started", "before x", "after x"]


def test_an_interrupt_is_no_disconnect(client: ReplayStackClient, receiver: Receiver) -> None:
    """A view that ends the process is a failure of the application, not of its caller."""
    import asyncio

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise SystemExit(3)

    async def unused(*_: Any) -> Any:
        """Never called."""

    async def main() -> None:
        with pytest.raises(SystemExit):
            await ReplayStackMiddleware(app, client)(
                {"type": "http", "path": "/x", "headers": []}, unused, unused
            )

    asyncio.run(main())
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["errorName"]) == ("failed", "SystemExit")
    assert "disconnected" not in json.dumps(event)


@pytest.mark.parametrize("arguments", [(None,), ("client",), ("good", {"ignored_paths": []})])
def test_wrong_arguments_fail_where_they_are_given(
    arguments: tuple[Any, ...], client: ReplayStackClient
) -> None:
    """setup_fastapi says at once what it needs, not at the first request."""
    given: list[Any] = [client if argument == "good" else argument for argument in arguments]
    with pytest.raises(TypeError, match="setup_fastapi needs"):
        setup_fastapi(build_app(), *given)


SIGTERM = """
import os, signal, sys, threading
import uvicorn
from fastapi import FastAPI
from replaystack import ReplayStackClient
from replaystack_fastapi import setup_fastapi

app = FastAPI()
client = ReplayStackClient(api_key="k")
setup_fastapi(app, client)

@app.get("/x")
async def x():
    return {}

@app.get("/stop")
async def stop():
    os.kill(os.getpid(), signal.SIGTERM)
    return {}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")
"""


def test_a_container_stop_loses_nothing(receiver: Receiver) -> None:
    """Uvicorn ends itself by SIGTERM after its shutdown, past every exit handler: all events are there."""
    import os
    import socket
    import subprocess
    import sys

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SIGTERM, str(port)],
        env={**os.environ, "REPLAYSTACK_ENDPOINT": receiver.origin},
    )
    try:
        base_url = f"http://127.0.0.1:{port}"
        for attempt in range(300):
            try:
                exchange(base_url, "GET", "/x")
                break
            except OSError:
                assert attempt < 299
                threading.Event().wait(0.1)
        for _ in range(9):
            exchange(base_url, "GET", "/x")
        exchange(base_url, "GET", "/stop")
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    assert sorted(event["endpoint"] for event in receiver.taken()) == ["/stop"] + ["/x"] * 10


def test_a_defect_of_ours_never_reaches_the_application(
    client: ReplayStackClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks inside the kit, the answer is the application's."""
    from replaystack.diagnostics import raise_internal_errors
    from replaystack.http import Recording

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("ours")

    with serve(build_app()) as base_url:
        expected = exchange(base_url, "POST", "/echo", {"Content-Type": "application/json"}, b"{}")
    raise_internal_errors(False)
    try:
        for name in ("request_chunk", "response_start", "response_chunk", "end", "__init__"):
            with monkeypatch.context() as patch:
                patch.setattr(Recording, name, broken)
                app = build_app()
                setup_fastapi(app, client)
                with serve(app) as base_url:
                    answer = exchange(base_url, "POST", "/echo", {"Content-Type": "application/json"}, b"{}")
            assert answer.comparable() == expected.comparable(), name
    finally:
        raise_internal_errors(True)


def test_bare_starlette_works_too(client: ReplayStackClient, receiver: Receiver) -> None:
    """The same call instruments a Starlette application."""

    async def view(request: Request) -> PlainTextResponse:
        return PlainTextResponse("hi")

    async def listing(request: Request) -> JSONResponse:
        return JSONResponse([1])

    app = Starlette(routes=[Route("/hi/{name}", view), Route("/list", listing)])
    setup_fastapi(app, client, FastAPIMiddlewareOptions())
    with serve(app) as base_url:
        exchange(base_url, "GET", "/hi/ada")
        exchange(base_url, "GET", "/list")
    assert client.flush()
    first, second = receiver.events(2)
    assert first["responsePayload"] == "hi"
    assert second["responsePayload"] == [1]
