"""The WSGI middleware: whose a request is, and what must never happen to it."""

from __future__ import annotations

import gc
import io
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from tests.core.http.wsgi_side import PLAIN, Server, answering

from replaystack import get_breadcrumbs
from replaystack.diagnostics import raise_internal_errors
from replaystack.http import MiddlewareOptions, Recording, WsgiMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.core.http.conftest import Collected

    Environ = Callable[..., dict[str, Any]]
    App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def test_breadcrumbs_of_a_generator_belong_to_its_request(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """Between the pieces the server's thread is in no scope of ours."""
    client = collected.client()

    def pieces() -> Iterator[bytes]:
        for number in range(2):
            client.add_breadcrumb(f"piece {number}")
            yield b"x"

    app = WsgiMiddleware(answering(pieces()), client.recorder)
    result: Any = app(environ(), server.start_response)
    assert get_breadcrumbs() == []
    for _ in result:
        assert get_breadcrumbs() == []
    result.close()
    messages = [crumb["message"] for crumb in collected.one()["breadcrumbs"]]
    assert messages == ["HTTP request started", "piece 0", "piece 1", "HTTP request finished"]


def test_one_exchange_per_client_and_request(collected: Collected, environ: Environ, server: Server) -> None:
    """Twice around one application is once; a second client captures too, under the same trace id."""
    client, other = collected.client(), collected.client(service_name="other")
    app: Any = answering([b"x"])
    for recorder in (client.recorder, other.recorder, client.recorder):
        app = WsgiMiddleware(app, recorder)
    server.run(app, environ())
    first, second = collected.all()
    assert {first.get("serviceName"), second.get("serviceName")} == {None, "other"}
    assert first["traceId"] == second["traceId"] == dict(server.heads[0][1])["x-trace-id"]


def test_a_request_handed_on_without_its_marks_is_known_all_the_same(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """Bridges between frameworks make a new environ; the inner adapter adds what only it knows."""
    recorder = collected.client().recorder

    class Inner(WsgiMiddleware):
        def describe(self, recording: Recording, environ: dict[str, Any]) -> None:
            recording.route = "/mounted/<name>"

    def bridge(_: dict[str, Any], start_response: Any) -> Any:
        return Inner(answering([b"x"]), recorder)(
            environ(path="/ada", SCRIPT_NAME="/mounted"), start_response
        )

    server.run(WsgiMiddleware(bridge, recorder), environ(path="/mounted/ada"))
    event = collected.one()
    assert event["endpoint"] == "/mounted/ada"
    assert event["metadata"]["replaystack"]["route"] == "/mounted/<name>"


def test_a_request_of_the_application_to_itself_is_another_one(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """A test client inside of a view makes a request of its own."""
    recorder = collected.client().recorder

    def app(given: dict[str, Any], start_response: Any) -> Any:
        if given["PATH_INFO"] == "/outer":
            Server().run(watched, environ(path="/inner"))
        start_response("200 OK", PLAIN)
        return [b"x"]

    watched = WsgiMiddleware(app, recorder)
    server.run(watched, environ(path="/outer"))
    assert [event["endpoint"] for event in collected.all()] == ["/inner", "/outer"]


def test_ignored_paths_count_inside_of_a_mount_too(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """What the application calls /health is its health, wherever it is mounted; nothing is touched."""
    given = environ("POST", "/health", SCRIPT_NAME="/shop", CONTENT_LENGTH="3")
    stream = given["wsgi.input"]
    app = WsgiMiddleware(answering([b"x"]), collected.client().recorder, MiddlewareOptions())
    server.run(app, given)
    assert given["wsgi.input"] is stream
    assert server.heads == [("200 OK", PLAIN, None)]
    assert collected.all() == []


def test_a_disabled_client_is_a_pure_pass_through(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """The environ is as the server made it, and so is everything else."""
    given = environ()
    before = dict(given)
    app = WsgiMiddleware(answering([b"x"]), collected.client(enabled=False).recorder)
    server.run(app, given)
    assert given == before
    assert server.heads == [("200 OK", PLAIN, None)]


def test_nothing_of_a_request_is_kept_alive(collected: Collected, environ: Environ, server: Server) -> None:
    """No cycles: once an event is delivered, reference counts alone free it, without the collector."""
    client = collected.client()
    seen: list[weakref.ref[Recording]] = []
    exchange = client.recorder.exchange

    def watched(recording: Any) -> Any:
        seen.append(weakref.ref(recording))
        return exchange(recording)

    client.recorder.exchange = watched  # type: ignore[assignment,method-assign]
    app = WsgiMiddleware(answering(iter((b"one", b"two"))), client.recorder)
    gc.collect()
    gc.disable()
    try:
        server.run(app, environ("POST", CONTENT_LENGTH="3", **{"wsgi.input": io.BytesIO(b"abc")}))
        assert client.flush()
        ending = time.monotonic() + 10
        while [reference() for reference in seen] != [None]:  # the sender's frame ends a moment later
            assert time.monotonic() < ending, "the recording is kept alive"
            time.sleep(0.01)
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "name",
    ["__init__", "request_chunk", "response_start", "response_chunk", "response_whole", "fail", "end"],
)
@pytest.mark.parametrize("how", ["list", "iterator", "raise"])
def test_a_defect_of_ours_never_reaches_the_application(
    name: str,
    how: str,
    *,
    collected: Collected,
    environ: Environ,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever breaks inside the kit, the answer is the application's."""

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("ours")

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read()
        if how == "raise":
            raise LookupError("theirs")
        start_response("200 OK", PLAIN)
        return [body] if how == "list" else iter((body,))

    watched = WsgiMiddleware(app, collected.client().recorder)
    given = environ("POST", CONTENT_LENGTH="3", **{"wsgi.input": io.BytesIO(b"abc")})
    monkeypatch.setattr(Recording, name, broken)
    raise_internal_errors(False)
    try:
        if how == "raise":
            with pytest.raises(LookupError, match="theirs"):
                server.run(watched, given)
        else:
            assert server.run(watched, given) == b"abc"
            assert server.heads[0][0] == "200 OK"
    finally:
        raise_internal_errors(True)
