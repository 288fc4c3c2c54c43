"""Between the site and the receiver: sync mode, and files by the server's own way."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.asgi_server import serve as serve_asgi
from tests.django.site import STACK, asgi, sited, wsgi
from tests.receiver import Receiver, Reply
from tests.wire_client import Connection, exchange, request_bytes
from tests.wsgi_server import serve as serve_wsgi
from tests.wsgi_server import serve_gunicorn

from replaystack import ReplayStackClient

# Django says so of each FileResponse that an ASGI server sends.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_client_that_sends_in_the_request(kind: str) -> None:
    """async_send=False: the answer is out before its event is sent, whatever kind of answer it is."""
    build, serve = (wsgi, serve_wsgi) if kind == "wsgi" else (asgi, serve_asgi)
    with Receiver() as receiver:
        receiver.reply = Reply(misbehave="hang")
        client = ReplayStackClient(
            api_key="k", endpoint=receiver.origin, async_send=False, timeout_seconds=60, max_retries=0
        )
        with sited(STACK, client), serve(build(STACK, client)) as base_url, ExitStack() as stack:
            connections = []
            for place, end in (("/ok", b'{"ok": true}'), ("/stream", b"third"), ("/file", b"__future__")):
                connection = stack.enter_context(Connection(base_url))
                connection.send(request_bytes("GET", place))
                connection.read_until(end)  # while the receiver hangs
                connections.append(connection)
            receiver.reply = Reply()
            receiver.released.set()
            for connection in connections:
                connection.read_all()  # the server closes it when it is done with the request
        assert client.close(10)
        assert (client.stats().captured, client.stats().delivered) == (3, 3)


def test_files_pass_by_the_servers_own_way(receiver: Receiver) -> None:
    """Gunicorn sends files by sendfile: headers and bytes as bare, whole and in part."""
    site = "tests.django.site"
    environment = {"REPLAYSTACK_ENDPOINT": receiver.origin}
    with (
        serve_gunicorn(f"{site}:bare()", "sync", {}) as bare,
        serve_gunicorn(f"{site}:instrumented()", "sync", environment) as watched,
    ):
        for headers in ({}, {"Range": "bytes=5-14"}, {"Range": "bytes=99999999-"}):
            expected = exchange(bare, "GET", "/file", headers)
            assert exchange(watched, "GET", "/file", headers).comparable() == expected.comparable()
        events = receiver.events(3)
    assert [event["statusCode"] for event in events] == [200, 206, 416]
    for event in events:
        assert event["status"] == ("warning" if event["statusCode"] == 416 else "success")
        assert "responsePayload" not in event  # the server's own business


def test_a_file_is_the_same_file(client: ReplayStackClient, receiver: Receiver) -> None:
    """What the server's file wrapper gets is what the view opened, ready for sendfile."""
    wrapped: list[Any] = []
    handler = wsgi(STACK, client)

    def server(environ: dict[str, Any], start_response: Any) -> Any:
        def file_wrapper(file: Any, block_size: int) -> Any:
            wrapped.append(file)
            return iter(lambda: file.read(block_size), b"")

        environ["wsgi.file_wrapper"] = file_wrapper
        return handler(environ, start_response)

    with sited(STACK, client), serve_wsgi(server) as base_url:
        answer = exchange(base_url, "GET", "/file")
        (file,) = wrapped
        assert Path(file.name) == Path(__file__).with_name("site.py")
        file.close()  # as a server does
    assert file.fileno
    assert answer.body == Path(__file__).with_name("site.py").read_bytes()
    assert client.flush()
    event = receiver.event()
    assert event["status"] == "success"
    assert "incomplete" not in event["metadata"]["replaystack"]["bodies"]["response"]
