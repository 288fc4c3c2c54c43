"""On real servers: streams, disconnects, uploads, options, bad receivers, sync mode, a container's stop."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.adapters.upload import MEGABYTES, upload_peak
from tests.flask.application import Gate, build_app
from tests.receiver import Receiver, Reply
from tests.wire_client import Connection, exchange, request_bytes
from tests.wsgi_server import serve, serve_gunicorn

from replaystack import ReplayStackClient, get_breadcrumbs
from replaystack_flask import setup_flask

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Serving = Callable[..., AbstractContextManager[str]]


def test_the_first_event_of_a_stream_arrives_before_the_second_is_produced(
    serving: Serving, gate: Gate, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Streaming passes through as it is made, inside of the request's context."""
    with serving() as base_url, Connection(base_url) as connection:
        connection.send(request_bytes("GET", "/sse"))
        assert connection.read_until(b"data: one of /sse\n\n")
        gate.open()  # only now is the second event produced
        assert b"data: two" in connection.read_all().data
    assert client.flush()
    event = receiver.event()
    assert event["responsePayload"] == {"captured": False, "reason": "Streaming response body not captured"}
    assert event["status"] == "success"


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


def test_a_failure_in_the_middle_counts_the_time_to_the_last_byte(
    serving: Serving, gate: Gate, client: ReplayStackClient, receiver: Receiver
) -> None:
    """It is failed, although the status line said 200, and took as long as it took."""
    with serving() as base_url, Connection(base_url) as connection:
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


def test_a_caller_that_goes_away_is_an_event_of_its_own_kind(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """A disconnect in the middle of a stream is neither lost nor called a failure of the application."""
    app = build_app(client=client)
    gone = threading.Event()

    @app.get("/endless")
    def endless() -> Any:
        def pieces() -> Any:
            while not gone.is_set():
                yield b"x" * 65536

        return app.response_class(pieces(), mimetype="text/plain")

    setup_flask(app, client)
    with serve(app) as base_url:
        with Connection(base_url) as connection:
            connection.send(request_bytes("GET", "/endless"))
            connection.read_until(b"xxxx")
        event = receiver.event()
        gone.set()
    bodies = event["metadata"]["replaystack"]["bodies"]
    assert event["status"] == "warning"
    assert bodies["disconnected"] is True
    assert bodies["response"]["incomplete"] is True
    assert "errorName" not in event


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


def test_an_upload_costs_bounded_memory(client: ReplayStackClient, receiver: Receiver) -> None:
    """64 MB pass, read in pieces: at most 2 x max_payload_bytes more than bare, and every byte arrives."""
    peaks, answers = [], []
    for watched in (False, True):
        app = build_app()
        if watched:
            setup_flask(app, client)
        with serve(app) as base_url:
            exchange(base_url, "POST", "/upload", (), b"x")  # so that what is made once is made
            assert client.flush()
            peak, answer = upload_peak(base_url)
        peaks.append(peak)
        answers.append(answer.comparable())
    assert answers[0] == answers[1]
    assert json.loads(answer.body)["size"] == MEGABYTES * 1024 * 1024
    assert peaks[1] - peaks[0] <= 2 * client.config.max_payload_bytes
    assert client.flush()
    payload = receiver.events(2)[-1]["requestPayload"]
    assert payload["originalSizeBytes"] == MEGABYTES * 1024 * 1024


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_upload_arrives_whole(*, chunked: bool, serving: Serving, receiver: Receiver) -> None:
    """The application reads every byte of what passes, with a length and without."""
    body = bytes(range(256)) * 2_000
    sent = body if not chunked else f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    headers = {"Content-Type": "application/octet-stream"}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    with serving() as base_url:
        answer = exchange(base_url, "POST", "/upload", headers, sent)
        assert json.loads(answer.body)["sha256"] == hashlib.sha256(body).hexdigest()
        event = receiver.event()
    measured = event["metadata"]["replaystack"]["bodies"]["request"]
    assert measured["totalBytes"] == len(body)
    assert "unread" not in measured


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


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_a_container_stop_loses_nothing(worker: str, receiver: Receiver) -> None:
    """SIGTERM to gunicorn right after the answers: every request's event arrives."""
    environment = {"REPLAYSTACK_ENDPOINT": receiver.origin}
    with serve_gunicorn("tests.flask.application:instrumented()", worker, environment) as base_url:
        for number in range(10):
            exchange(base_url, "GET", f"/items/{number}")
    assert sorted(event["endpoint"] for event in receiver.taken()) == [f"/items/{n}" for n in range(10)]


def test_sync_mode_in_a_worker(receiver: Receiver) -> None:
    """async_send=False on gunicorn: answers as ever, and each event is out before the next request."""
    environment = {"REPLAYSTACK_ENDPOINT": receiver.origin, "TESTS_SYNC": "1"}
    with serve_gunicorn("tests.flask.application:instrumented()", "sync", environment) as base_url:
        for number, path in enumerate(["/ok", "/fail", "/nothing", "/stream", "/file"]):
            exchange(base_url, "GET", path)
            exchange(base_url, "GET", "/health")  # the worker is done with the one before
            assert len(receiver.taken()) == number + 1


def test_every_option_has_its_effect(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """API.md section 5, option by option."""
    seen: list[dict[str, Any]] = []

    def decide(info: dict[str, Any]) -> bool:
        seen.append(info)
        return bool(info["statusCode"] != 418)

    with serving(
        capture_request_body=False,
        capture_response_body=False,
        capture_headers=False,
        ignored_paths=["/items/*"],
        get_trace_id=lambda request: request.headers.get("x-request-id"),
        should_capture=decide,
        get_user=lambda request: request.args.get("user"),
        trusted_proxies=["127.0.0.0/8"],
    ) as base_url:
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

    with serving(get_trace_id=broken, should_capture=broken, get_user=broken) as base_url:
        answer = exchange(base_url, "GET", "/ok")
    assert answer.status == 200
    assert client.flush()
    assert receiver.event()["traceId"] == answer.headers["x-trace-id"]


def test_a_streamed_body_is_captured_on_request(
    serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """capture_streaming_body keeps what a streamed answer said."""
    with serving(capture_streaming_body=True) as base_url:
        exchange(base_url, "GET", "/stream")
    assert client.flush()
    assert receiver.event()["responsePayload"] == "firstotherthird"


def test_a_disabled_client_is_a_pure_pass_through(receiver: Receiver) -> None:
    """enabled=False: no header, no event."""
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, enabled=False) as client:
        app = build_app()
        setup_flask(app, client)
        with serve(app) as base_url:
            answers = [exchange(base_url, "GET", path) for path in ("/ok", "/fail", "/handled")]
        assert [answer.status for answer in answers] == [200, 500, 500]
        assert not any("x-trace-id" in answer.headers for answer in answers)
        assert client.stats().captured == 0
    assert receiver.requests() == []


@pytest.mark.parametrize("fault", ["hang", "reset", "rubbish", "drip"])
def test_the_application_notices_nothing_of_a_bad_receiver(fault: Any) -> None:
    """Requests are answered while the receiver hangs, resets, drips or talks rubbish."""
    with Receiver() as receiver:
        receiver.reply = Reply(misbehave=fault)
        client = ReplayStackClient(api_key="k", endpoint=receiver.origin, timeout_seconds=0.2)
        app = build_app()
        setup_flask(app, client)
        with serve(app) as base_url:
            assert [exchange(base_url, "GET", "/ok").status for _ in range(20)] == [200] * 20
        client.close(0)
        stats = client.stats()
        assert (stats.captured, stats.delivered) == (20, 0)
        receiver.released.set()
        receiver.reply = Reply()
        assert client.close(10)
        assert client.stats().delivered == 20
