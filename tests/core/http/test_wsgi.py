"""The WSGI middleware: what PEP 3333 allows an application and a server to do, seen and left as it is."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

import pytest
from tests.core.http.wsgi_side import PLAIN, Server, answering

from replaystack import CaptureFailure
from replaystack.http import WsgiMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.core.http.conftest import Collected

    Environ = Callable[..., dict[str, Any]]
    App = Callable[[dict[str, Any], Any], Iterable[bytes]]


@pytest.mark.parametrize("result", [[b"one", b"two"], (b"onetwo",), []])
def test_lists_and_tuples_are_returned_as_the_same_object(
    result: Any, collected: Collected, environ: Environ, server: Server
) -> None:
    """A server may look at what it gets; the body is captured all the same, and is no stream."""
    app = WsgiMiddleware(answering(result), collected.client().recorder)
    assert app(environ(), server.start_response) is result
    event = collected.one()
    assert event.get("responsePayload") == ("onetwo" if result else None)
    assert event["status"] == "success"


def test_a_file_for_the_server_is_returned_as_the_same_object(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """What the server sends by itself is not read by us."""
    file = FileWrapper(io.BytesIO(b"0123456789"))
    app = WsgiMiddleware(answering(file, [("Content-Length", "10")]), collected.client().recorder)
    assert app(environ(**{"wsgi.file_wrapper": FileWrapper}), server.start_response) is file
    assert file.filelike.tell() == 0
    event = collected.one()
    assert "responsePayload" not in event
    assert event["metadata"]["replaystack"]["bodies"]["response"] == {"capturedBytes": 0, "totalBytes": 10}


def test_a_file_wrapper_that_is_a_function_is_recognised(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """UWSGI's wrapper returns the file itself: only the call tells."""
    file = io.BytesIO(b"0123456789")

    def send_file(filelike: Any, block_size: int = 8192) -> Any:
        return filelike

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", PLAIN)
        return environ["wsgi.file_wrapper"](file, 4096)

    watched = WsgiMiddleware(app, collected.client().recorder)
    assert watched(environ(**{"wsgi.file_wrapper": send_file}), server.start_response) is file
    assert file.tell() == 0
    assert collected.one()["status"] == "success"


def test_another_iterable_keeps_its_length_and_is_closed_once(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """Servers rely on len() where there is one; close() reaches the application's object."""

    class Sized:
        closed = 0

        def __len__(self) -> int:
            return 1

        def __iter__(self) -> Iterator[bytes]:
            yield b"whole"

        def close(self) -> None:
            self.closed += 1

    result = Sized()
    watched = WsgiMiddleware(answering(result), collected.client().recorder)
    body: Any = watched(environ(), server.start_response)
    assert len(body) == 1
    assert list(body) == [b"whole"]
    body.close()
    assert result.closed == 1
    assert collected.one()["responsePayload"] == "whole"
    other = WsgiMiddleware(answering(iter((b"x",))), collected.client().recorder)
    assert Server().run(other, environ()) == b"x"
    assert not hasattr(other(environ(), Server().start_response), "__len__")


def test_a_generator_application_and_the_write_of_old(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """start_response at the first piece; `write` before the iterable: both are seen."""

    def lazy(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        yield b"lazy"

    def written(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [*PLAIN, ("Content-Length", "7")])(b"wri")
        return iter((b"tten",))

    recorder = collected.client().recorder
    assert server.run(WsgiMiddleware(lazy, recorder), environ(path="/lazy")) == b"lazy"
    assert Server().run(WsgiMiddleware(written, recorder), environ(path="/written")) == b"written"
    payloads = {event["endpoint"]: event["responsePayload"] for event in collected.all()}
    assert payloads == {"/lazy": "lazy", "/written": "written"}


def test_the_applications_own_header_list_stays_as_it_is(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """One list may serve many answers: x-trace-id goes into a list of our own."""
    headers = [("Content-Type", "text/plain")]
    server.run(WsgiMiddleware(answering([b"x"], headers), collected.client().recorder), environ())
    assert headers == [("Content-Type", "text/plain")]
    ((_, sent, _),) = server.heads
    assert sent == [*headers, ("x-trace-id", collected.one()["traceId"])]


def test_what_is_against_the_rules_is_the_servers_to_judge(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """Headers that are no list reach the server as the same object."""
    headers: Any = (("Content-Type", "text/plain"),)
    server.run(WsgiMiddleware(answering([b"x"], headers), collected.client().recorder), environ())
    assert server.heads[0][1] is headers
    assert collected.one()["status"] == "success"


def test_an_error_page_by_exc_info(collected: Collected, environ: Environ, server: Server) -> None:
    """PEP 3333's own way to replace an answer that has begun: one event with page and exception."""
    error = ValueError("broke")

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", PLAIN)
        start_response("500 Oops", PLAIN, (ValueError, error, None))
        return [b"sorry"]

    assert server.run(WsgiMiddleware(app, collected.client().recorder), environ()) == b"sorry"
    assert server.heads[1][2] == (ValueError, error, None)
    event = collected.one()
    assert (event["status"], event["statusCode"], event["errorName"]) == ("failed", 500, "ValueError")
    assert event["responsePayload"] == "sorry"


def test_an_exception_before_the_first_piece_is_answered_by_the_server(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """The head that the application gave never goes out: it is not in the event either."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", PLAIN)
        raise LookupError("nothing there")
        yield b""

    with pytest.raises(LookupError, match="nothing there"):
        server.run(WsgiMiddleware(app, collected.client().recorder), environ())
    event = collected.one()
    assert (event["status"], event["statusCode"], event["errorName"]) == ("failed", 500, "LookupError")
    assert "responseHeaders" not in event


def test_a_server_that_closes_early_says_that_the_caller_is_gone(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """close() before the end, with and without all bytes that were promised."""
    recorder = collected.client().recorder
    for path, headers in (("/cut", PLAIN), ("/whole", [("Content-Length", "3")])):
        result: Any = WsgiMiddleware(answering(iter((b"one", b"")), headers), recorder)(
            environ(path=path), server.start_response
        )
        assert next(result) == b"one"
        result.close()
    cut, whole = sorted(collected.all(), key=lambda event: str(event["endpoint"]))
    assert cut["status"] == "warning"
    assert cut["metadata"]["replaystack"]["bodies"]["disconnected"] is True
    assert "errorName" not in cut
    assert whole["status"] == "success"
    assert whole["responsePayload"] == "one"


def test_a_server_that_never_closes_loses_nothing(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """Against the rules, and common in middlewares: the event comes when the answer is forgotten."""
    for mode in (True, False):
        recorder = collected.client(async_send=mode).recorder
        result: Any = WsgiMiddleware(answering(iter((b"one", b"two"))), recorder)(
            environ(), server.start_response
        )
        next(result)
        del result
    assert [event["status"] for event in collected.all()] == ["warning"] * 2


def test_what_close_raises_is_an_event_of_its_own(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """The answer was complete: what its clean-up does is something else, and goes on to the server."""

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter((b"done",))

        def close(self) -> None:
            raise KeyError("clean-up")

    with pytest.raises(KeyError, match="clean-up"):
        server.run(WsgiMiddleware(answering(Body()), collected.client().recorder), environ())
    request, late = sorted(collected.all(), key=lambda event: str(event["eventType"]))
    assert (request["status"], request["responsePayload"]) == ("success", "done")
    assert (late["eventType"], late["errorName"]) == ("custom", "KeyError")
    assert late["metadata"]["replaystack"]["parentTraceId"] == request["traceId"]


@pytest.mark.parametrize("where", ["call", "body"])
def test_an_interrupt_goes_on_and_is_not_waited_for(
    where: str, collected: Collected, environ: Environ, server: Server
) -> None:
    """A worker that is being stopped must not sit in a delivery, in sync mode either."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        if where == "call":
            raise SystemExit(1)
        start_response("200 OK", PLAIN)
        return raising()

    def raising() -> Iterator[bytes]:
        yield b"one"
        raise SystemExit(1)

    client = collected.client(async_send=False)
    with pytest.raises(SystemExit):
        server.run(WsgiMiddleware(app, client.recorder), environ())
    assert collected.events == []
    event = collected.one()
    assert (event["status"], event["errorName"]) == ("failed", "SystemExit")


def test_sync_mode_sends_once_the_answer_is_closed(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """The caller of this request waits for nothing: the last byte is out before we send."""
    client = collected.client(async_send=False)
    result: Any = WsgiMiddleware(answering(iter((b"one", b"two"))), client.recorder)(
        environ(), server.start_response
    )
    assert list(result) == [b"one", b"two"]
    assert collected.events == []
    result.close()
    assert len(collected.events) == 1


def test_sync_mode_sends_before_a_list_is_returned(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """Nothing tells of a list's end; documented, and the event is not lost."""
    client = collected.client(async_send=False)
    WsgiMiddleware(answering([b"x"]), client.recorder)(environ(), server.start_response)
    assert len(collected.events) == 1


def test_sync_mode_sends_a_failure_before_it_is_raised(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """The server's error handling may end the process."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        raise CaptureFailure("declined", {"reason": "card"}, 402)

    client = collected.client(async_send=False)
    with pytest.raises(CaptureFailure, match="declined"):
        WsgiMiddleware(app, client.recorder)(environ(), server.start_response)
    (event,) = collected.events
    assert (event["statusCode"], event["responsePayload"]) == (402, {"reason": "card"})


def test_a_broken_pipe_is_no_failure_of_the_application(
    collected: Collected, environ: Environ, server: Server
) -> None:
    """`write` raises what the connection did; that is the caller's going."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", PLAIN)(b"x")

    def refusing(*_: Any) -> Any:
        def write(data: bytes) -> None:
            raise BrokenPipeError("gone")

        return write

    with pytest.raises(BrokenPipeError):
        WsgiMiddleware(app, collected.client().recorder)(environ(), refusing)
    event = collected.one()
    assert (event["status"], event["statusCode"]) == ("warning", 200)
    assert "errorName" not in event
