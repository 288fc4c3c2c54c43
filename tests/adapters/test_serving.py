"""What every adapter must do on a real server: streams, leavers, uploads, options, bad receivers, secrets.

`contract` compares one answer with the bare application's. Here are the promises that need more than one
request, a gate, a receiver that misbehaves, or options. A framework's own promises are in its own folder.
"""

from __future__ import annotations

import gc
import hashlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.adapters.planted import BODIES, post_secrets
from tests.adapters.stands import EACH_STAND, Stand, find_stand
from tests.adapters.upload import MEGABYTES, upload_peak
from tests.receiver import Receiver, Reply
from tests.wire_client import Connection, exchange, request_bytes

from replaystack import ReplayStackClient, get_breadcrumbs
from replaystack.testing import assert_no_secret

if TYPE_CHECKING:
    from replaystack.testing import Canaries

LARGE = bytes(range(256)) * 20_000


@pytest.fixture(params=EACH_STAND)
def stand(request: pytest.FixtureRequest) -> Stand:
    """Take one stand after the other."""
    return find_stand(request.param)


# -- streams -------------------------------------------------------------------------------------


def test_the_first_event_of_a_stream_arrives_before_the_second_is_produced(
    stand: Stand, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Streaming passes through as it is made; nothing is held back."""
    gate = stand.make_gate()
    with stand.serve(client, gate=gate) as base_url, Connection(base_url) as connection:
        connection.send(request_bytes("GET", "/sse"))
        connection.read_until(b"data: one of /sse\n\n")
        gate.open()  # only now is the second event produced
        assert b"data: two" in connection.read_all().data
    assert client.flush()
    event = receiver.event()
    assert event["status"] == "success"
    assert event["responsePayload"] == {"captured": False, "reason": "Streaming response body not captured"}
    assert event["metadata"]["replaystack"]["bodies"]["response"]["streamed"] is True


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # Django's: see its test_contract
def test_a_failure_in_the_middle_counts_the_time_to_the_last_byte(
    stand: Stand, client: ReplayStackClient, receiver: Receiver
) -> None:
    """It is failed, although the status line said 200, and took as long as it took."""
    gate = stand.make_gate()
    with stand.serve(client, gate=gate) as base_url, Connection(base_url) as connection:
        connection.send(request_bytes("GET", "/midstream"))
        connection.read_until(b"first")
        began = time.monotonic()
        while time.monotonic() - began < 0.03:  # what the answer then waits for, at least
            threading.Event().wait(0.005)
        waited_ms = int((time.monotonic() - began) * 1000)
        gate.open()
        connection.read_all()
    gc.collect()  # so that a forgotten body is found here, where that is expected
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"]) == ("failed", 200)
    assert event["errorMessage"] == "broke in the middle"
    assert event["executionTimeMs"] >= waited_ms


def test_a_caller_that_goes_away_is_an_event_of_its_own_kind(
    stand: Stand, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A disconnect in the middle of a stream is neither lost nor called a failure of the application."""
    if not stand.notices_leaving:
        pytest.skip("this version of the framework does not listen for a caller that goes away")
    captured = threading.Event()
    with stand.serve(client, act=lambda: not captured.is_set()) as base_url:
        with Connection(base_url) as connection:
            connection.send(request_bytes("GET", "/endless"))
            connection.read_until(b"xxxx")
        try:
            event = receiver.event()
        finally:
            captured.set()
    bodies = event["metadata"]["replaystack"]["bodies"]
    assert event["status"] == "warning"
    assert bodies["disconnected"] is True
    assert bodies["response"]["incomplete"] is True
    assert "errorName" not in event


# -- scopes --------------------------------------------------------------------------------------


def test_requests_at_the_same_time_do_not_share_breadcrumbs(
    stand: Stand, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Each request has a scope of its own, however many run at once."""
    names = [f"r{number}" for number in range(24)]
    with stand.serve(client) as base_url:
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
        said = [crumb["message"] for crumb in event["breadcrumbs"]]
        assert said == ["HTTP request started", f"before {name}", f"after {name}", "HTTP request finished"]
    assert get_breadcrumbs() == []


# -- uploads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/upload", "/unparsed"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_upload_arrives_whole(
    *, path: str, chunked: bool, stand: Stand, client: ReplayStackClient, receiver: Receiver
) -> None:
    """The application reads every byte of what passes, with a length and without, in pieces or at once."""
    if chunked and not stand.reads_chunks:
        pytest.skip("this framework reads bodies with a length only")
    sent = LARGE if not chunked else f"{len(LARGE):x}\r\n".encode() + LARGE + b"\r\n0\r\n\r\n"
    headers = {"Content-Type": "application/octet-stream"}
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    with stand.serve(client) as base_url:
        answer = json.loads(exchange(base_url, "POST", path, headers, sent).body)
    assert answer["size"] == len(LARGE)
    assert answer.get("sha256") == (hashlib.sha256(LARGE).hexdigest() if path == "/upload" else None)
    assert client.flush()
    event = receiver.event()
    assert event["requestPayload"]["__omitted"] is True
    measured = event["metadata"]["replaystack"]["bodies"]["request"]
    assert measured["totalBytes"] == len(LARGE)
    assert "unread" not in measured


def test_an_upload_costs_bounded_memory(stand: Stand, client: ReplayStackClient, receiver: Receiver) -> None:
    """64 MB pass, read in pieces: at most 2 x max_payload_bytes more than bare, and every byte arrives."""
    peaks, answers = [], []
    for watching in (None, client):
        with stand.serve(watching) as base_url:
            exchange(base_url, "POST", "/upload", (), b"x")  # so that what is made once is made
            assert client.flush()
            peak, answer = upload_peak(base_url)
        peaks.append(peak)
        answers.append(answer.comparable())
    assert answers[0] == answers[1]
    assert json.loads(answer.body)["size"] == MEGABYTES * 1024 * 1024
    assert peaks[1] - peaks[0] <= 2 * client.config.max_payload_bytes
    assert client.flush()
    event = receiver.events(2)[-1]
    assert event["requestPayload"]["originalSizeBytes"] == MEGABYTES * 1024 * 1024
    measured = event["metadata"]["replaystack"]["bodies"]["request"]
    assert measured["totalBytes"] == MEGABYTES * 1024 * 1024
    assert measured["capturedBytes"] <= client.config.max_payload_bytes


# -- options -------------------------------------------------------------------------------------


def test_every_option_has_its_effect(stand: Stand, client: ReplayStackClient, receiver: Receiver) -> None:
    """API.md section 5, option by option."""
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
        "get_user": stand.asked_user,
        "trusted_proxies": ["127.0.0.0/8"],
    }
    headers = {
        "X-Request-Id": "req-1",
        "Authorization": "Basic dXNlcjpwYXNz",
        "Content-Type": "application/json",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.public",
    }
    with stand.serve(client, options) as base_url:
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
    stand: Stand, client: ReplayStackClient, receiver: Receiver
) -> None:
    """X-Forwarded-Host of any caller is not believed: a replay would go there."""
    with stand.serve(client) as base_url:
        exchange(base_url, "GET", "/ok", {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "6.6.6.6"})
    assert client.flush()
    event = receiver.event()
    assert event["requestUrl"] == "http://shop.example:8000/ok"
    assert event["sourceIp"] == "127.0.0.1"


def test_raising_options_fall_back(stand: Stand, client: ReplayStackClient, receiver: Receiver) -> None:
    """A defect in the user's callables costs neither the request nor the event."""

    def broken(_: Any) -> Any:
        raise RuntimeError("option")

    options = {"get_trace_id": broken, "should_capture": broken, "get_user": broken}
    with stand.serve(client, options) as base_url:
        answer = exchange(base_url, "GET", "/ok")
    assert answer.status == 200
    assert client.flush()
    assert receiver.event()["traceId"] == answer.headers["x-trace-id"]


def test_a_streamed_body_is_captured_on_request(
    stand: Stand, client: ReplayStackClient, receiver: Receiver
) -> None:
    """capture_streaming_body keeps what a streamed answer said."""
    with stand.serve(client, {"capture_streaming_body": True}) as base_url:
        exchange(base_url, "GET", "/stream")
    assert client.flush()
    assert receiver.event()["responsePayload"] == "firstotherthird"


# -- clients and receivers -----------------------------------------------------------------------


def _own_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("replaystack")}


def test_a_disabled_client_is_a_pure_pass_through(stand: Stand, receiver: Receiver) -> None:
    """enabled=False: no header, no event, no thread of ours."""
    before = _own_threads()
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, enabled=False) as disabled:
        with stand.serve(disabled) as base_url:
            answers = [exchange(base_url, "GET", path) for path in ("/ok", "/fail", "/handled")]
            assert _own_threads() <= before
        assert [answer.status for answer in answers] == [200, 500, 500]
        assert not any("x-trace-id" in answer.headers for answer in answers)
        assert disabled.stats().captured == 0
    assert receiver.requests() == []


@pytest.mark.parametrize("fault", ["hang", "reset", "rubbish", "drip"])
def test_the_application_notices_nothing_of_a_bad_receiver(fault: Any, stand: Stand) -> None:
    """Requests are answered while the receiver hangs, resets, drips or talks rubbish; later all is sent."""
    with Receiver() as receiver:
        receiver.reply = Reply(misbehave=fault)
        client = ReplayStackClient(api_key="k", endpoint=receiver.origin, timeout_seconds=0.2)
        with stand.serve(client) as base_url:
            assert [exchange(base_url, "GET", "/ok").status for _ in range(20)] == [200] * 20
        client.close(0)
        stats = client.stats()
        assert (stats.captured, stats.delivered) == (20, 0)
        receiver.released.set()
        receiver.reply = Reply()
        assert client.close(10)
        assert client.stats().delivered == 20


# -- secrets -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "content_type"), BODIES)
def test_no_planted_secret_reaches_the_receiver(  # noqa: PLR0917 - fixtures
    path: str,
    content_type: str,
    stand: Stand,
    client: ReplayStackClient,
    receiver: Receiver,
    replaystack_canaries: Canaries,
) -> None:
    """Whatever the body's type says, whatever route answers: 0 planted secrets on the wire."""
    with stand.serve(client) as base_url:
        post_secrets(base_url, path, content_type, replaystack_canaries)
    assert client.flush()
    event = receiver.event()
    assert event["authMode"] == "bearer"
    assert "page=2" in event["requestUrl"]
    for request in receiver.posts():
        assert_no_secret(replaystack_canaries.planted, request.body, "the wire")


def test_an_exception_full_of_secrets(
    stand: Stand, client: ReplayStackClient, receiver: Receiver, replaystack_canaries: Canaries
) -> None:
    """Message, cause, stack and breadcrumbs of an unhandled exception are masked too."""

    def explode() -> None:
        client.add_breadcrumb(replaystack_canaries.log_message(), metadata=replaystack_canaries.json_body())
        error = replaystack_canaries.exception()
        raise error

    with stand.serve(client, act=explode) as base_url:
        assert exchange(base_url, "GET", "/act").status == 500
    assert client.flush()
    event = receiver.event()
    assert event["errorName"] == "RuntimeError"
    assert len(event["metadata"]["replaystack"]["causes"]) == 1
    assert replaystack_canaries.marker in json.dumps(event)
    for request in receiver.posts():
        assert_no_secret(replaystack_canaries.planted, request.body, "the wire")
