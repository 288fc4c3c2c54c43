"""What is Flask's own on real servers: preloaded workers, bodies read in part, files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.receiver import Receiver
from tests.wire_client import Connection, exchange
from tests.wsgi_server import serve_gunicorn

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from replaystack import ReplayStackClient

    Serving = Callable[..., AbstractContextManager[str]]


def test_workers_forked_from_a_loaded_application_deliver_their_own() -> None:
    """`gunicorn --preload`: the master has captured and delivered already, then each worker does, once."""
    with Receiver(capabilities="bulk") as receiver:
        environment = {"REPLAYSTACK_ENDPOINT": receiver.origin}
        target = "tests.flask.application:preloaded()"
        with serve_gunicorn(target, "sync", environment, "--preload", workers=2) as base_url:
            made = [exchange(base_url, "GET", f"/crumb/{number}") for number in range(20)]
            events = receiver.events(21)
        # Ended by SIGTERM: nothing is sent again or left over.
        assert len(receiver.events(21)) == 21
    assert [answer.status for answer in made] == [200] * 20
    assert {event["traceId"] for event in events[1:]} == {answer.headers["x-trace-id"] for answer in made}
    own = [event["metadata"]["replaystack"] for event in events]
    assert len({part["eventId"] for part in own}) == 21
    assert own[0]["process"] not in {part["process"] for part in own[1:]}


def test_an_upload_that_breaks_off_is_no_failure_of_ours(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Werkzeug answers a caller that is gone with 400; the event says how much was read."""
    head = b"POST /unparsed HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with serving() as base_url:
        with Connection(base_url) as connection:
            connection.send(head + b"y" * 10)
        event = receiver.event()
    assert event["status"] == "warning"
    assert event["metadata"]["replaystack"]["bodies"]["request"]["unread"] is True


def test_what_was_read_of_a_body_is_captured(serving: Serving, receiver: Receiver) -> None:
    """Of a body that the application reads in part, that part."""
    with serving() as base_url:
        exchange(base_url, "POST", "/partly", {"Content-Type": "text/plain"}, b"0123456789" * 20)
        event = receiver.event()
    measured = event["metadata"]["replaystack"]["bodies"]["request"]
    assert (measured["capturedBytes"], measured["totalBytes"], measured["unread"]) == (10, 200, True)


def test_files_pass_by_the_servers_own_way(receiver: Receiver) -> None:
    """Gunicorn sends files by sendfile: headers and bytes as bare, whole and in part."""
    app = "tests.flask.application"
    environment = {"REPLAYSTACK_ENDPOINT": receiver.origin}
    with (
        serve_gunicorn(f"{app}:bare()", "sync", {}) as bare,
        serve_gunicorn(f"{app}:instrumented()", "sync", environment) as watched,
    ):
        for headers in ({}, {"Range": "bytes=5-14"}, {"Range": "bytes=99999999-"}):
            expected = exchange(bare, "GET", "/file", headers)
            assert exchange(watched, "GET", "/file", headers).comparable() == expected.comparable()
        events = receiver.events(3)
    assert [event["statusCode"] for event in events] == [200, 206, 416]
    size = Path(__file__).with_name("application.py").stat().st_size
    whole = events[0]["metadata"]["replaystack"]["bodies"]["response"]
    assert (whole["capturedBytes"], whole["totalBytes"]) == (0, size)  # the server's own business
    assert "responsePayload" not in events[0]
    assert events[1]["metadata"]["replaystack"]["bodies"]["response"]["capturedBytes"] == 10
