from __future__ import annotations

import json
import socket
import uuid
import zlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.server.samples import an_event
from tests.wire_client import Connection

from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack_server.testing import RunningServer

EVENTS = "/api/v1/ingest/events"
BULK = "/api/v1/ingest/bulk-events"


def stored(reader: httpx.Client, event_id: str) -> Any:
    """Return an event as it was stored."""
    return reader.get(f"/api/v1/events/{event_id}").json()["data"]["event"]


@pytest.fixture(scope="module")
def small() -> Iterator[RunningServer]:
    """Run a server with limits that are quick to pass."""
    with running_server(max_body_bytes=20_000, max_bulk_bytes=10_000, max_bulk_events=3) as running:
        yield running


class TestKeys:
    """Who may send."""

    @pytest.mark.parametrize("header", ["x-replaystack-api-key", "x-tracereplay-api-key"])
    def test_either_header_alone_is_enough(
        self, server: RunningServer, stranger: httpx.Client, header: str
    ) -> None:
        """A sender that knows one of the two header names is let in."""
        answer = stranger.post(EVENTS, json=an_event(), headers={header: server.key})
        assert answer.status_code == 201
        assert answer.json()["success"] is True

    @pytest.mark.parametrize(
        "headers", [{}, {"x-replaystack-api-key": "rs_live_wrong"}, {"x-replaystack-api-key": ""}]
    )
    def test_without_a_valid_key_nothing_is_read(
        self, stranger: httpx.Client, headers: dict[str, str]
    ) -> None:
        """A missing or wrong key is answered 401 whatever the body is."""
        answer = stranger.post(EVENTS, content=b"no json at all", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["success"] is False

    def test_the_read_token_is_no_ingest_key(self, server: RunningServer, stranger: httpx.Client) -> None:
        """Reading and sending are separate rights, in both directions."""
        token, key = server.token, server.key
        assert (
            stranger.post(EVENTS, json=an_event(), headers={"x-replaystack-api-key": token}).status_code
            == 401
        )
        assert stranger.get("/api/v1/events", headers={"authorization": f"Bearer {key}"}).status_code == 401


class TestOneEvent:
    """`POST /api/v1/ingest/events`."""

    def test_unknown_keys_and_long_numbers_are_kept(self, sender: httpx.Client, reader: httpx.Client) -> None:
        """What the receiver does not know is stored as it was sent, digits beyond 64 bits included."""
        payload = {"id": 123456789012345678901234567890, "price": 1.10, "text": "ñ → 日本 \u0000"}
        event = an_event(requestPayload=payload, futureKey={"a": [None, True]})
        event_id = sender.post(EVENTS, json=event).json()["data"]["eventId"]
        kept = stored(reader, event_id)
        assert kept["requestPayload"]["id"] == payload["id"]
        assert kept["requestPayload"]["price"] == 1.10
        assert kept["requestPayload"]["text"].startswith("ñ → 日本")
        assert kept["futureKey"] == {"a": [None, True]}

    def test_the_answer_names_the_event(self, sender: httpx.Client) -> None:
        """The sender's own event id comes back; without one the receiver makes one."""
        event = an_event()
        answer = sender.post(EVENTS, json=event).json()
        assert answer["data"]["eventId"] == event["metadata"]["replaystack"]["eventId"]
        made = sender.post(EVENTS, json={"eventType": "custom", "status": "success"}).json()["data"][
            "eventId"
        ]
        assert uuid.UUID(made)

    def test_a_repeat_is_answered_success_and_the_first_is_kept(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """Sending an event id again, in any case of letters, stores nothing and is no error."""
        event_id = str(uuid.uuid4())
        first = an_event(serviceName=service, endpoint="/first", reserved={"eventId": event_id})
        second = an_event(serviceName=service, endpoint="/second", reserved={"eventId": event_id.upper()})
        answers = [sender.post(EVENTS, json=event) for event in (first, second, first)]
        assert [answer.status_code for answer in answers] == [201, 200, 200]
        assert all(answer.json()["success"] for answer in answers)
        listed = reader.get("/api/v1/events", params={"service": service}).json()["data"]["events"]
        assert [row["endpoint"] for row in listed] == ["/first"]

    def test_null_is_the_same_as_absent(self, sender: httpx.Client) -> None:
        """A sender that writes out its unknown values as null is understood."""
        event = dict.fromkeys(
            ["method", "endpoint", "statusCode", "stackFrames", "metadata", "requestHeaders"]
        )
        assert (
            sender.post(EVENTS, json={**event, "eventType": "cron", "status": "pending"}).status_code == 201
        )

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"statusCode": "abc"}, 'statusCode: expected an integer, got "abc"'),
            ({"statusCode": True}, "statusCode: expected an integer, got true"),
            ({"statusCode": 10**30}, "statusCode: expected "),
            ({"executionTimeMs": -1}, "executionTimeMs: expected at least 0"),
            ({"status": "ok"}, 'status: expected one of success, failed, warning, pending, got "ok"'),
            ({"eventType": None}, "eventType: expected one of api, queue, webhook, custom, cron, got null"),
            ({"endpoint": 7}, "endpoint: expected a string, got 7"),
            ({"requestHeaders": []}, "requestHeaders: expected an object, got a list"),
            (
                {"stackFrames": [{}, {"lineNumber": "1"}]},
                'stackFrames[1].lineNumber: expected an integer, got "1"',
            ),
            ({"breadcrumbs": ["x"]}, 'breadcrumbs[0]: expected an object, got "x"'),
            ({"metadata": "x"}, 'metadata: expected an object, got "x"'),
            ({"reserved": {"eventId": "1"}}, 'metadata.replaystack.eventId: expected a UUID, got "1"'),
            (
                {"reserved": {"timestamp": "soon"}},
                "metadata.replaystack.timestamp: expected a time in ISO 8601",
            ),
        ],
        ids=lambda value: None if isinstance(value, dict) else value.partition(":")[0],
    )
    def test_a_wrong_key_is_named_by_its_path(
        self, sender: httpx.Client, changes: dict[str, Any], message: str
    ) -> None:
        """A refusal says where, what was expected and what came."""
        answer = sender.post(EVENTS, json=an_event(**changes))
        assert answer.status_code == 422
        assert message in answer.json()["message"]

    def test_a_missing_key_is_named(self, sender: httpx.Client) -> None:
        """Type and status are all that an event cannot do without."""
        answer = sender.post(EVENTS, json={})
        assert answer.status_code == 422
        assert answer.json()["message"] == "eventType: is required; status: is required"

    def test_a_refusal_does_not_repeat_a_secret(self, sender: httpx.Client) -> None:
        """The value quoted in an error message is masked and cut, because senders log messages."""
        secret = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
        message = sender.post(EVENTS, json=an_event(statusCode=f"{secret} {'x' * 500}")).json()["message"]
        assert secret not in message
        assert len(message) < 200

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"", "body: not JSON at line 1 column 1"),
            (b'{"a": }', "body: not JSON at line 1 column 7"),
            (b"[]", "body: expected one event as a JSON object"),
            (b'{"eventType": "api", "status": "failed", "x": NaN}', "body: NaN is not JSON"),
            (b'{"x": "\xff"}', "body: not UTF-8 at byte 7"),
            (b"[" * 100_000, "body: nested too deeply"),
            (b'{"x": ' + b"9" * 5000 + b"}", "body: a number is too long"),
        ],
        ids=["empty", "syntax", "list", "nan", "utf-8", "depth", "digits"],
    )
    def test_what_is_no_json_object_is_refused(self, sender: httpx.Client, body: bytes, message: str) -> None:
        """Hostile and broken bodies are answered 400 with the place where they break."""
        answer = sender.post(EVENTS, content=body)
        assert (answer.status_code, message in answer.json()["message"]) == (400, True), answer.text

    def test_a_text_in_another_encoding_of_json_is_understood(self, sender: httpx.Client) -> None:
        """A byte order mark and lone surrogates, as some senders write them, lose no event."""
        body = b"\xef\xbb\xbf" + json.dumps(an_event(errorMessage="half \ud83d of a pair")).encode()
        assert sender.post(EVENTS, content=body).status_code == 201


class TestSizes:
    """No header is believed about the length of a body."""

    def test_the_limit_of_one_event_is_8_mib(self, sender: httpx.Client) -> None:
        """A body of the limit is read, one byte more is answered 413."""
        frame = len(json.dumps(an_event(requestPayload="")))
        event = an_event(requestPayload="x" * (8 * 1024 * 1024 - frame))
        body = json.dumps(event).encode()
        assert len(body) == 8 * 1024 * 1024
        assert sender.post(EVENTS, content=body).status_code == 201
        assert sender.post(EVENTS, content=body + b" ").status_code == 413

    def test_a_body_without_a_length_is_bounded(self, small: RunningServer) -> None:
        """A chunked body is counted as it comes; the sender still hears the 413."""
        chunks = (b"x" * 1000 for _ in range(40))
        answer = httpx.post(small.url + EVENTS, content=chunks, headers={"x-replaystack-api-key": small.key})
        assert answer.status_code == 413
        assert answer.json()["message"] == "the body is larger than 20000 bytes"

    def test_an_endless_body_is_cut_off(self, small: RunningServer) -> None:
        """A sender that never stops is answered before it has finished."""
        with Connection(small.url) as connection:
            connection.send(
                f"POST {EVENTS} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-replaystack-api-key: {small.key}\r\n"
                "Transfer-Encoding: chunked\r\n\r\n".encode()
            )
            chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
            for _ in range(10):  # five times the limit, and no end in sight
                connection.send(chunk)
            assert b" 413 " in connection.read_until(b"\r\n\r\n")

    def test_a_length_that_is_never_sent_is_given_up(self) -> None:
        """A body that stays away is answered 408, so that it holds no memory for long."""
        with running_server(body_timeout_seconds=0.05) as running, Connection(running.url) as connection:
            connection.send(
                f"POST {EVENTS} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-replaystack-api-key: {running.key}\r\n"
                "Content-Length: 1000\r\n\r\n{".encode()
            )
            assert b" 408 " in connection.read_until(b"\r\n\r\n")

    def test_a_body_shorter_than_its_length_harms_nobody(
        self, server: RunningServer, sender: httpx.Client
    ) -> None:
        """A sender that hangs up in the middle leaves the server as it was."""
        with Connection(server.url) as connection:
            connection.send(
                f"POST {EVENTS} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-replaystack-api-key: {server.key}\r\n"
                "Content-Length: 1000\r\n\r\n{".encode()
            )
            connection._socket.shutdown(socket.SHUT_WR)
        assert sender.post(EVENTS, json=an_event()).status_code == 201

    def test_a_compression_that_is_not_advertised_is_refused(self, sender: httpx.Client) -> None:
        """What is not advertised is not half supported: 415 names what is."""
        body = zlib.compress(json.dumps(an_event()).encode())
        answer = sender.post(EVENTS, content=body, headers={"content-encoding": "deflate"})
        assert answer.status_code == 415
        assert "gzip" in answer.json()["message"]

    def test_a_batch_has_limits_of_its_own(self, small: RunningServer) -> None:
        """Too many bytes are answered 413, too many events 422."""
        client = httpx.Client(base_url=small.url, headers={"x-replaystack-api-key": small.key})
        with client:
            assert client.post(BULK, content=b" " * 10_001).status_code == 413
            answer = client.post(BULK, json={"events": [an_event() for _ in range(4)]})
            assert answer.status_code == 422
            assert answer.json()["message"] == "events: expected at most 3 events, got 4"


class TestBatch:
    """`POST /api/v1/ingest/bulk-events`."""

    def test_bad_events_are_listed_and_the_others_stored(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """One bad event takes none of its neighbours along."""
        good = [an_event(serviceName=service, endpoint=f"/{n}") for n in range(3)]
        answer = sender.post(BULK, json={"events": [good[0], {"status": "ok"}, good[1], 7, good[2]]})
        data = answer.json()["data"]
        assert (answer.status_code, data["accepted"]) == (200, 3)
        assert [entry["index"] for entry in data["rejected"]] == [1, 3]
        assert data["rejected"][0]["message"].startswith(
            "events[1].eventType: is required; events[1].status: "
        )
        assert data["rejected"][1]["message"] == "events[3]: expected an object, got 7"
        listed = reader.get("/api/v1/events", params={"service": service}).json()["data"]["events"]
        assert len(listed) == 3

    def test_repeats_count_as_accepted(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """A batch that is sent again after a lost answer succeeds again and stores nothing twice."""
        events = [an_event(serviceName=service) for _ in range(3)]
        for batch in (events, [events[0], *events]):
            assert sender.post(BULK, json={"events": batch}).json()["data"]["accepted"] == len(batch)
        listed = reader.get("/api/v1/events", params={"service": service}).json()["data"]["events"]
        assert len(listed) == 3

    @pytest.mark.parametrize("body", [{}, {"events": []}, {"events": {}}, {"events": None}])
    def test_a_batch_is_a_list_of_events(self, sender: httpx.Client, body: dict[str, Any]) -> None:
        """Anything else below `events` is refused by its name."""
        answer = sender.post(BULK, json=body)
        assert answer.status_code == 422
        assert answer.json()["message"].startswith("events: expected a list")


def test_a_store_that_cannot_take_it_says_when_to_come_back() -> None:
    """The answer is 503 with `Retry-After`, so that the sender keeps its events."""
    with running_server() as server:
        server.service.store.close()
        for path, body in ((EVENTS, an_event()), (BULK, {"events": [an_event()]})):
            answer = httpx.post(server.url + path, json=body, headers={"x-replaystack-api-key": server.key})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert answer.json()["success"] is False


class TestCapabilities:
    """What a sender may use is told, and nothing else."""

    def test_one_question_tells_them(self, stranger: httpx.Client) -> None:
        """The question needs no key and names what works."""
        answer = stranger.get("/api/v1/ingest/capabilities")
        assert answer.status_code == 200
        assert answer.json()["data"]["capabilities"] == ["bulk", "gzip", "drops", "logs", "flows", "pii"]

    def test_every_answer_of_the_ingest_side_carries_them(self, server: RunningServer) -> None:
        """Success, refusals, unknown paths and foreign hosts: the header is always there."""
        key = {"x-replaystack-api-key": server.key}
        body = json.dumps(an_event()).encode()
        answers = [
            httpx.request(method, server.url + path, headers=headers, content=content)
            for method, path, headers, content in [
                ("POST", EVENTS, key, body),
                ("POST", EVENTS, key, b"{"),
                ("POST", EVENTS, {}, body),
                ("POST", EVENTS, {**key, "host": "elsewhere.example"}, body),
                ("GET", EVENTS, key, b""),
                ("POST", "/api/v1/ingest/nothing", key, b""),
                ("GET", "/api/v1/ingest/capabilities", {}, b""),
                ("POST", "/v1/logs", key, b"{}"),
                ("POST", "/v1/flows", {}, b""),
            ]
        ]
        told = [answer.headers.get("x-replaystack-capabilities") for answer in answers]
        assert told == ["bulk, gzip, drops, logs, flows, pii"] * len(answers)

    def test_other_answers_do_not(self, stranger: httpx.Client) -> None:
        """The reading side has nothing to say to senders."""
        assert "x-replaystack-capabilities" not in stranger.get("/healthz").headers
