"""The way out of the process, against a receiver that misbehaves in every way."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.core.delivery.fakes import masked
from tests.receiver import Receiver, Reply

from replaystack import ReplayStackClient
from replaystack.delivery import HttpTransport
from replaystack.sanitize import bulk_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver for one test."""
    with Receiver() as running:
        yield running


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    """Return the transport under test."""
    transport = HttpTransport()
    yield transport
    transport.close()


def test_one_connection_serves_many_requests(receiver: Receiver, transport: HttpTransport) -> None:
    """Keep-alive: a TCP (and TLS) handshake per client, not per event."""
    for number in range(10):
        assert transport.post(receiver.ingest_url, masked(number), {"x-a": "b"}, 5.0).status == 201
    assert {request.connection for request in receiver.posts()} == {0}
    assert receiver.posts()[0].headers["x-a"] == "b"


@pytest.mark.parametrize("how", ["hang", "drip", "drip-head"])
def test_an_attempt_ends_when_its_time_is_over(
    receiver: Receiver, transport: HttpTransport, how: Any
) -> None:
    """timeout_seconds bounds the whole attempt, also if a byte arrives now and then.

    The guard is ten times the promise; without the bound the receiver would hold on for 30 s.
    """
    receiver.reply = Reply(misbehave=how)
    started = time.monotonic()
    with pytest.raises(Exception, match=r"(?i)time"):
        transport.post(receiver.ingest_url, masked(1), {}, 0.5)
    assert time.monotonic() - started < 5.0


@pytest.mark.parametrize("how", ["reset", "rubbish", "close"])
def test_a_broken_answer_is_an_error_and_the_next_attempt_is_fresh(
    receiver: Receiver, transport: HttpTransport, how: Any
) -> None:
    """A broken connection costs one attempt, no more."""
    receiver.replies.append(Reply(misbehave=how))
    with pytest.raises(Exception, match=r"."):
        transport.post(receiver.ingest_url, masked(1), {}, 5.0)
    assert transport.post(receiver.ingest_url, masked(2), {}, 5.0).status == 201


def test_a_receiver_that_is_away_is_an_error(transport: HttpTransport) -> None:
    """Nobody listens: refused, at once."""
    with Receiver() as receiver:
        url = receiver.ingest_url
    with pytest.raises(OSError, match=r"."):
        transport.post(url, masked(1), {}, 5.0)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(transport: HttpTransport, status: int) -> None:
    """The key and the event never travel to another host."""
    with Receiver() as first, Receiver() as second:
        first.reply = Reply(status, {"Location": second.ingest_url})
        answer = transport.post(first.ingest_url, masked(1), {"x-replaystack-api-key": "secret"}, 5.0)
        assert answer.status == status
        assert second.requests() == []


def test_no_cookie_and_no_netrc_credential_is_sent(
    receiver: Receiver, transport: HttpTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What requests does by default for a person's browsing is not for us."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password hidden\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    receiver.reply = Reply(201, {"Set-Cookie": "track=me"})
    for number in range(2):
        transport.post(receiver.ingest_url, masked(number), {}, 5.0)
    for request in receiver.posts():
        assert not {"authorization", "cookie"} & set(request.headers)


def test_an_error_gives_neither_key_nor_query_away(transport: HttpTransport) -> None:
    """What reaches hooks and log lines is an exception of the same type, without the request."""
    import requests

    with Receiver() as receiver:
        url = receiver.ingest_url + "?gate=QUERYSECRET"
    with pytest.raises(requests.ConnectionError) as caught:
        transport.post(url, masked(1), {"x-replaystack-api-key": "KEYSECRET"}, 5.0)
    assert getattr(caught.value, "request", None) is None
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_giant_answer_is_not_read(receiver: Receiver, transport: HttpTransport) -> None:
    """An answer is at most 64 KiB to us, and the next request still works."""
    receiver.replies.append(Reply(200, body=b"x" * 5_000_000))
    assert len(transport.post(receiver.ingest_url, masked(1), {}, 5.0).body) == 65_536
    assert transport.post(receiver.ingest_url, masked(2), {}, 5.0).status == 201


def test_a_proxy_of_the_environment_is_used(
    receiver: Receiver, transport: HttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY is honoured, as users expect of requests."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", receiver.origin)
    transport.post("http://receiver.invalid/api/v1/ingest/events", masked(1), {}, 5.0)
    assert receiver.requests()[0].path == "http://receiver.invalid/api/v1/ingest/events"


def test_one_hanging_receiver_does_not_delay_another_client() -> None:
    """Each client has a pump of its own; the healthy one is done while the other still hangs."""
    with Receiver() as hanging, Receiver() as healthy:
        hanging.reply = Reply(misbehave="hang")
        stuck = ReplayStackClient(api_key="a", endpoint=hanging.origin, timeout_seconds=20)
        quick = ReplayStackClient(api_key="b", endpoint=healthy.origin)
        stuck.capture_event(endpoint="x")
        hanging.wait_for_posts(1)
        for _ in range(20):
            quick.capture_event(endpoint="y")
        assert quick.flush(20)
        assert len(healthy.taken()) == 20
        assert stuck.stats().in_flight == 1
        hanging.released.set()
        hanging.reply = Reply()
        assert stuck.close(20)
        assert quick.close()


def test_a_flush_is_bounded_against_a_stalled_receiver(receiver: Receiver) -> None:
    """flush(0.2) returns False in about that time; the promise times five is the guard."""
    receiver.reply = Reply(misbehave="hang")
    client = ReplayStackClient(api_key="a", endpoint=receiver.origin, timeout_seconds=30)
    client.capture_event(endpoint="x")
    started = time.monotonic()
    assert client.flush(0.2) is False
    assert time.monotonic() - started < 1.2
    receiver.released.set()
    receiver.reply = Reply()
    assert client.close(20)


class UserResponse:
    def __init__(self, status_code: Any = 200, payload: Any = None) -> None:
        self.status_code = status_code
        self.content = b"{}"
        self.payload = payload

    def json(self) -> Any:
        if self.payload is None:
            raise ValueError("no JSON")
        return self.payload


class UserTransportDouble:
    """What the seed's users write for their tests."""

    def __init__(self, *responses: Any) -> None:
        self.calls: list[dict[str, Any]] = []
        self.responses = list(responses)

    def post(self, url: str, json: Any, headers: Any, timeout: float) -> Any:
        self.calls.append({"url": url, "json": json, "headers": headers, "timeout": timeout})
        response = self.responses.pop(0) if self.responses else UserResponse()
        if isinstance(response, BaseException):
            raise response
        return response


def test_a_users_transport_gets_one_masked_event_per_call() -> None:
    """transport= sees dicts decoded from masked bytes, and nothing else leaves the client."""
    double = UserTransportDouble(
        UserResponse(201, {"success": True, "message": "ok", "data": {"eventId": "1"}})
    )
    with ReplayStackClient(api_key="k", transport=double, async_send=False, timeout_seconds=1.5) as client:
        response = client.capture_event(endpoint="job", request_payload={"password": "x", "n": 1})
    assert response is not None
    assert response.data == {"eventId": "1"}
    (call,) = double.calls
    assert call["url"] == "https://api.replaystack.co/api/v1/ingest/events"
    assert call["timeout"] == 1.5
    assert call["json"]["requestPayload"] == {"password": "[MASKED]", "n": 1}
    assert call["headers"]["x-replaystack-api-key"] == "k"


@pytest.mark.parametrize("response", [None, object(), UserResponse("200"), UserResponse(None)])
def test_a_users_response_without_a_status_is_no_delivery(response: Any) -> None:
    """What cannot be read as an answer is never counted as delivered."""
    double = UserTransportDouble(response, response)
    client = ReplayStackClient(api_key="k", transport=double, async_send=False)
    assert client.capture_event(endpoint="job") is None
    assert client.stats().queued == 1
    assert client.close()


def test_raise_on_error_gives_the_transports_own_exception() -> None:
    """In sync mode at the capture, in async mode at the next flush."""
    boom = OSError("boom")
    sync = ReplayStackClient(
        api_key="k",
        transport=UserTransportDouble(boom, boom),
        async_send=False,
        raise_on_error=True,
        max_retries=1,
    )
    with pytest.raises(OSError, match="boom"):
        sync.capture_event(endpoint="x")
    assert sync.close()

    double = UserTransportDouble(boom)
    later = ReplayStackClient(api_key="k", transport=double, raise_on_error=True, max_retries=0)
    assert later.capture_event(endpoint="x") is None
    with pytest.raises(OSError, match="boom"):
        later.flush(10)
    assert later.close()
    assert len(double.calls) == 2


def test_a_refusal_is_a_runtime_error_with_the_receivers_words(receiver: Receiver) -> None:
    """The original raised RuntimeError with the receiver's message; so do we."""
    receiver.reply = Reply(400, body={"success": False, "message": "events.status: unknown"})
    with (
        ReplayStackClient(
            api_key="k", endpoint=receiver.origin, async_send=False, raise_on_error=True
        ) as client,
        pytest.raises(RuntimeError, match=r"events\.status: unknown"),
    ):
        client.capture_event(endpoint="x")
    assert len(receiver.posts()) == 1


def test_on_error_gets_every_error_and_may_raise(receiver: Receiver) -> None:
    """The hook hears of each failed delivery; its own defects end there."""
    heard: list[BaseException] = []

    def hook(error: BaseException) -> None:
        heard.append(error)
        raise RuntimeError("the hook is broken")

    receiver.reply = Reply(422)
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, async_send=False, on_error=hook) as client:
        for _ in range(3):
            assert client.capture_event(endpoint="x") is None
    assert [type(error).__name__ for error in heard] == ["ReceiverRejected"] * 3


def test_sync_captures_of_several_threads_do_not_wait_for_each_other(receiver: Receiver) -> None:
    """A hanging attempt of one request thread does not hold up another's."""
    receiver.replies.append(Reply(misbehave="hang"))
    client = ReplayStackClient(
        api_key="k", endpoint=receiver.origin, async_send=False, timeout_seconds=20, max_retries=0
    )
    stuck = threading.Thread(target=client.capture_event, kwargs={"endpoint": "first"})
    stuck.start()
    receiver.wait_for_posts(1)
    assert client.capture_event(endpoint="second") is not None
    assert client.stats().in_flight == 1
    receiver.released.set()
    stuck.join(30)
    assert client.close()


def test_other_work_is_done_while_an_answer_is_waited_for(
    receiver: Receiver, transport: HttpTransport
) -> None:
    """The one thread of a client keeps writing to the spool while a receiver hangs; the bound holds."""
    receiver.reply = Reply(misbehave="hang")
    moments: list[float] = []
    transport.while_waiting = lambda: moments.append(time.monotonic())
    with pytest.raises(Exception, match=r"(?i)time"):
        transport.post(receiver.ingest_url, masked(1), {}, 1.5)
    assert len(moments) >= 2
    receiver.released.set()
    receiver.reply = Reply()
    assert transport.post(receiver.ingest_url, masked(2), {}, 5.0).status == 201


def test_other_work_is_done_while_a_body_cannot_be_sent(transport: HttpTransport) -> None:
    """A receiver that reads nothing blocks the sending of a large body, not the work besides it."""
    moments: list[float] = []
    transport.while_waiting = lambda: moments.append(time.monotonic())
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(Exception, match=r"(?i)time"):
            transport.post(url, masked(1, bytes_of_padding=500_000), {}, 1.5)
        big = bulk_document([masked(number, bytes_of_padding=500_000) for number in range(40)])
        with pytest.raises(Exception, match=r"(?i)time"):
            transport.post(url, big, {}, 1.5)
    assert len(moments) >= 4


def test_other_work_is_done_while_a_connection_is_waited_for(transport: HttpTransport) -> None:
    """A host that does not even answer the first packet: the wait is cut into pieces, and bounded."""
    moments: list[float] = []
    transport.while_waiting = lambda: moments.append(time.monotonic())
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        fillers = []
        for _ in range(4):  # fill the queue of connections that nobody accepts
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
            fillers.append(filler)
        started = time.monotonic()
        with pytest.raises(Exception, match=r"(?i)time"):
            transport.post(f"http://127.0.0.1:{server.getsockname()[1]}/", masked(1), {}, 1.0)
        assert time.monotonic() - started < 5.0
        for filler in fillers:
            filler.close()
    assert len(moments) >= 2


def test_a_refused_connection_is_an_error_at_once(transport: HttpTransport) -> None:
    """With work to do besides, a refusal is still a refusal."""
    transport.while_waiting = lambda: None
    with Receiver() as receiver:
        url = receiver.ingest_url
    with pytest.raises(OSError, match=r"(?i)refused"):
        transport.post(url, masked(1), {}, 5.0)


def test_a_compressed_body_unpacks_to_what_was_masked(receiver: Receiver, transport: HttpTransport) -> None:
    """Gzip on the wire, byte for byte the masked document inside."""
    event = masked(1, bytes_of_padding=10_000)
    transport.post(receiver.ingest_url, event, {"Content-Encoding": "gzip"}, 5.0)
    (request,) = receiver.posts()
    assert len(request.body) < 1000
    assert gzip.decompress(request.body) == event.data
    assert request.headers["content-length"] == str(len(request.body))
