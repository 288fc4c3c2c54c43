"""Receiving logs: six formats, defaults, errors, keys, masking, once each."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.server.samples import an_event

from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from pathlib import Path

    from replaystack_server.testing import RunningServer

STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
UNKNOWN = "format must be one of json, jsonl, syslog, text, csv, obl: got 'yaml'"
PLACE = {"environment": "production"}

BODIES = {
    "json": (
        "application/json",
        '{"logs": [{"level": "info", "message": "m1"}, {"level": "warn", "message": "m2"}]}',
    ),
    "jsonl": (
        "application/x-ndjson",
        '{"level": "info", "message": "m1"}\n\n{"level": "warn", "message": "m2"}\n',
    ),
    "syslog": ("application/x-syslog", "<14>1 - h - - - - m1\n<12>1 - h - - - - m2"),
    "text": ("text/plain", "m1\nWARNING: m2\n"),
    "csv": ("text/csv", "level,message\ninfo,m1\nwarn,m2\n"),
    "obl": (
        "application/x-obl",
        """/* c */ {"format": "open-board-log-0.1", "sessions": [{"events": [
        {"type": "note", "text": "m1"}, {"type": "note", "text": "m2"}]}]}""",
    ),
}


def post(sender: httpx.Client, body: str | bytes, /, headers: Any = None, **query: Any) -> httpx.Response:
    """Send a raw body."""
    return sender.post("/v1/logs", content=body, params=query, headers=headers or {})


def logs_of(reader: httpx.Client, service: str, **query: Any) -> list[dict[str, Any]]:
    """Return the logs of one source, oldest first."""
    answer = reader.get("/v1/logs", params={"source": service, **query})
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json()["logs"]))


def entry(service: str, **fields: Any) -> dict[str, Any]:
    """Return a log that can be stored."""
    return {"level": "info", "message": "m", "source": service, "environment": "test", **fields}


class TestFormats:
    @pytest.mark.parametrize("name", BODIES)
    @pytest.mark.parametrize("by", ["query", "content-type", "sniffing"])
    def test_each_format_by_each_choice(
        self, sender: httpx.Client, reader: httpx.Client, service: str, name: str, by: str
    ) -> None:
        """`?format=`, the Content-Type and the body itself lead to the same two logs."""
        content_type, body = BODIES[name]
        query = {"source": service, **PLACE} | ({"format": name} if by == "query" else {})
        if by == "sniffing" and name in {"syslog", "text"}:
            assert name == "text" or body.startswith("<")
        headers = {"content-type": content_type} if by == "content-type" else {}
        answer = post(sender, body, headers, **query)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == {"success", "count", "timestamp"}
        assert (answer.json()["success"], answer.json()["count"]) == (True, 2)
        found = logs_of(reader, service)
        assert [log["message"].removeprefix("Note: ") for log in found] == ["m1", "m2"]
        assert {log["environment"] for log in found} == {"production"}
        if name != "obl":
            assert [log["level"] for log in found] == ["info", "warn"]

    def test_the_query_beats_the_content_type(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """What is asked for by name is what is done."""
        body = '{"level": "info", "message": "m"}'
        headers = {"content-type": "application/json"}
        assert post(sender, body, headers, format="text", source=service, **PLACE).status_code == 200
        assert logs_of(reader, service)[0]["message"] == body

    def test_a_query_is_decoded(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """A source with `&` in it stays one source."""
        odd = f"{service} & level=error"
        assert post(sender, "m", format="text", source=odd, **PLACE).status_code == 200
        (log,) = logs_of(reader, odd)
        assert (log["source"], log["level"]) == (odd, "info")

    def test_a_compressed_body(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """Gzip is taken here, too."""
        import gzip

        body = gzip.compress(b"m\n" * 100)
        headers = {"content-encoding": "gzip", "content-type": "text/plain"}
        assert post(sender, body, headers, source=service, **PLACE).json()["count"] == 100
        assert len(logs_of(reader, service)) == 100


class TestErrors:
    @pytest.mark.parametrize(
        ("query", "body", "expected"),
        [
            (
                {"format": "jsonl"},
                '{"level":"info","message":"m"}\n{"a":1}\n{broken',
                {
                    "error": "Failed to parse line 3: invalid JSON",
                    "code": "PARSE_ERROR",
                    "issues": [
                        {
                            "path": ["line", 3],
                            "message": "Expecting property name enclosed in double quotes at column 2",
                        }
                    ],
                },
            ),
            (
                {"format": "json"},
                '{"logs": [{"level": "loud", "message": "m"}]}',
                {
                    "error": "Validation error",
                    "code": "VALIDATION_ERROR",
                    "issues": [
                        {"path": ["logs", 0, "level"], "message": "expected one of debug, info, warn, error"}
                    ],
                },
            ),
            (
                {"format": "yaml"},
                "a: 1",
                {
                    "error": UNKNOWN,
                    "issues": [
                        {
                            "path": ["format"],
                            "message": UNKNOWN,
                        }
                    ],
                },
            ),
        ],
    )
    def test_exactly(self, sender: httpx.Client, query: dict[str, str], body: str, expected: Any) -> None:
        """The shapes of the vendor, with the place of what is wrong."""
        answer = post(sender, body, source="s", **PLACE, **query)
        assert (answer.status_code, answer.json()) == (400, expected)

    def test_nothing_is_half_stored(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """Ninety-nine good lines before a bad one are not stored."""
        good = '{"level": "info", "message": "m"}\n' * 99
        assert post(sender, good + "{", format="jsonl", source=service, **PLACE).status_code == 400
        assert logs_of(reader, service) == []

    @pytest.mark.parametrize("body", ["", "m\n" * 101])
    def test_none_and_too_many(
        self, sender: httpx.Client, reader: httpx.Client, service: str, body: str
    ) -> None:
        """One to a hundred."""
        assert post(sender, body, format="text", source=service, **PLACE).status_code == 400
        assert logs_of(reader, service) == []

    def test_a_body_above_the_limit(self, sender: httpx.Client) -> None:
        """A 10 MB line is answered 413, in the shape of this road."""
        answer = post(sender, b"x" * 10_000_000, format="text", source="s", **PLACE)
        assert (answer.status_code, answer.json()) == (
            413,
            {"error": "the body is larger than 8388608 bytes"},
        )

    def test_a_store_that_cannot(self, tmp_path: Path) -> None:
        """503 tells when to come back, in the header and in the body."""
        with running_server(database=tmp_path / "x.sqlite3") as server:
            server.service.store.close()
            headers = {"x-api-key": server.key, "content-type": "application/json"}
            answer = httpx.post(f"{server.url}/v1/logs", json=entry("s"), headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["retryAfter"] == 1


class TestKeys:
    @pytest.mark.parametrize(
        "header", ["x-replaystack-api-key", "x-tracereplay-api-key", "x-api-key", "authorization"]
    )
    def test_each_header_is_enough(self, server: RunningServer, stranger: httpx.Client, header: str) -> None:
        """Either of the two of events, the vendor's, or a bearer token."""
        for key, status in ((server.key, 200), ("wrong", 401)):
            value = f"Bearer {key}" if header == "authorization" else key
            for path, body in (("/v1/logs", entry("keys")), ("/v1/flows", {"name": "f"})):
                answer = stranger.post(path, json=body, headers={header: value})
                assert answer.status_code == status
                if status == 401:
                    assert answer.json() == {"error": "Invalid API key"}

    def test_none(self, stranger: httpx.Client, server: RunningServer) -> None:
        """No key or a token for reading: nothing is taken; an ingest key: nothing is read."""
        assert stranger.post("/v1/logs", json=entry("s")).json() == {"error": "Missing API key"}
        token = {"authorization": f"Bearer {server.token}"}
        assert stranger.post("/v1/logs", json=entry("s"), headers=token).status_code == 401
        key = {"authorization": f"Bearer {server.key}"}
        for path in (
            "/v1/logs",
            "/v1/logs/search?q=ab",
            "/v1/logs/x",
            "/v1/stats",
            "/v1/flows",
            "/api/v1/flows",
        ):
            for headers in (key, {}):
                answer = stranger.get(path, headers=headers)
                assert answer.status_code == 401, path
                assert "error" in answer.json() or path.startswith("/api")


def test_every_field_comes_back(sender: httpx.Client, reader: httpx.Client, service: str) -> None:
    """What was sent is what is read, under the same names; no more and no less."""
    identity = str(uuid.uuid4())
    sent = entry(
        service,
        id=identity,
        version="1",
        dataset="d",
        userId="u",
        sessionId="s",
        requestId="r",
        data={"k": [1]},
        errorName="E",
        errorStack="E: x",
        tags=["a", "b"],
        flowId="f-12345678",
        stepIndex=3,
        ipAddress="10.0.0.1",
        country="CH",
        timestamp=1_700_000_000_000,
        logger="shop.cart",
        isPii=False,
    )
    assert sender.post("/v1/logs", json={"logs": [sent]}).status_code == 200
    log = reader.get(f"/v1/logs/{identity}").json()["log"]
    assert log.pop("receivedAt")
    assert log == sent


def test_a_timestamp_ahead_of_the_receiver_is_its_own(
    sender: httpx.Client, reader: httpx.Client, service: str
) -> None:
    """A sender whose clock runs ahead does not stay on top of every list."""
    before = sender.post("/v1/logs", json=entry(service, timestamp=4_000_000_000_000)).json()["timestamp"]
    assert logs_of(reader, service)[0]["timestamp"] == before


class TestOnce:
    def test_an_id_is_kept_once(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """The first stays; a repeat is a success, so that a sender may try again."""
        identity = str(uuid.uuid4())
        for message in ("first", "second"):
            answer = sender.post("/v1/logs", json=[entry(service, id=identity.upper(), message=message)])
            assert answer.json()["count"] == 1
        assert [log["message"] for log in logs_of(reader, service)] == ["first"]

    def test_a_batch_that_is_sent_again(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """Raw lines have no ids: the batch gives them some."""
        headers = {"x-replaystack-batch": str(uuid.uuid4())}
        for _ in range(3):
            assert (
                post(sender, "a\nb\n", headers, format="text", source=service, **PLACE).json()["count"] == 2
            )
        post(sender, "a\n", {"x-replaystack-batch": "rubbish"}, format="text", source=service, **PLACE)
        assert [log["message"] for log in logs_of(reader, service)] == ["a", "b", "a"]

    def test_once_more_with_its_event(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """A log that came by itself and then with its event is one log, and found by both."""
        identity = str(uuid.uuid4())
        sender.post("/v1/logs", json=entry(service, id=identity))
        attached = {"level": "info", "message": "m", "metadata": {"replaystack": {"id": identity}}}
        event = an_event(serviceName=service, logs=[attached])
        sender.post("/api/v1/ingest/events", json=event)
        (log,) = logs_of(reader, service)
        assert log["eventId"] == event["metadata"]["replaystack"]["eventId"]

    def test_the_graver_word_about_privacy_wins(
        self, server: RunningServer, sender: httpx.Client, service: str
    ) -> None:
        """If one copy of a log says that it is personal, it is."""
        identity = str(uuid.uuid4())
        for is_pii in (False, True, False):
            sender.post("/v1/logs", json=entry(service, id=identity, isPii=is_pii))
        headers = {"authorization": f"Bearer {server.viewer_token}"}
        assert httpx.get(f"{server.url}/v1/logs/{identity}", headers=headers).status_code == 404


def test_masked_again(tmp_path: Path) -> None:
    """Whatever format a careless sender posts in, the file holds no secret."""
    secret = STRIPE
    with running_server(database=tmp_path / "x.sqlite3") as server:
        with httpx.Client(base_url=server.url, headers={"x-api-key": server.key}) as sender:
            structured = entry(
                secret,
                errorStack=f"key {secret}",
                tags=[secret],
                data={"apiKey": "hunter2-hunter2", secret: secret},
                logger=secret,
                userId=secret,
                errorName=secret,
            )
            assert sender.post("/v1/logs", json=structured).status_code == 200
            for name, (_, body) in BODIES.items():
                spoiled = body.replace("m1", f"m1 {secret}")
                assert post(sender, spoiled, format=name, source="x", **PLACE).status_code == 200, name
            sender.post("/v1/flows", json={"name": secret})
            refused = post(sender, f'[{{"level": "{secret}"}}]', format="json")
        headers = {"authorization": f"Bearer {server.token}"}
        answers = httpx.get(f"{server.url}/v1/logs", headers=headers).content + refused.content
        assert len(httpx.get(f"{server.url}/v1/logs", headers=headers).json()["logs"]) == 13
    haystack = answers + b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"production" in haystack
    assert secret.encode() not in haystack
    assert b"hunter2" not in haystack


class TestFlows:
    def test_a_flow_is_named(self, sender: httpx.Client) -> None:
        """The id is the name, a dash and eight characters; two are never the same."""
        answers = [sender.post("/v1/flows", json={"name": "check-out"}).json() for _ in range(2)]
        for answer in answers:
            assert answer["name"] == "check-out"
            name, _, suffix = answer["flowId"].rpartition("-")
            assert (name, len(suffix), suffix.isalnum(), suffix.lower()) == ("check-out", 8, True, suffix)
        assert answers[0]["flowId"] != answers[1]["flowId"]

    @pytest.mark.parametrize("body", ['{"name": ""}', '{"name": 3}', "[]", json.dumps({"name": "x" * 42})])
    def test_a_bad_name_has_a_path(self, sender: httpx.Client, body: str) -> None:
        """At most 41 characters, so that the id fits where a flowId must."""
        answer = sender.post("/v1/flows", content=body)
        assert answer.status_code == 400
        assert answer.json()["issues"] == [{"path": ["name"], "message": "expected 1 to 41 characters"}]

    def test_no_json(self, sender: httpx.Client) -> None:
        """Said as such."""
        assert sender.post("/v1/flows", content="{").json() == {
            "error": "invalid JSON",
            "code": "PARSE_ERROR",
        }
