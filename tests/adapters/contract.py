"""What every adapter must pass: the scenarios of house rule 9, whatever the framework.

A framework brings an application with the routes below and a way to serve it, bare and
instrumented. Each scenario is one request, sent to both: the answers must be the same bytes,
and the instrumented one must leave the events that `check` describes.

| route | does |
|---|---|
| GET /ok | 200, JSON `{"ok": true}` |
| GET /items/{id} | 200, JSON `{"id": ...}`; a route with a pattern |
| POST /echo | reads the JSON body, answers it |
| POST /twice | reads the body twice, answers both lengths |
| POST /unread | answers 200 without reading |
| POST /partly | reads one piece, answers its first ten characters |
| POST /unparsed | reads the body as bytes, answers its size |
| POST /form | answers the form's field `user` and the names of its files |
| POST /upload | reads in pieces, answers size and sha256 |
| GET /teapot | the framework's own way to answer 418 |
| GET /fail | raises ValueError("no such order: password=hunter2-CANARY") from OSError |
| GET /handled | raises an error for which the application has a handler that answers 500 |
| GET /refused | raises an error for which the application has a handler that answers 409 |
| GET /declined | raises CaptureFailure("declined", {"reason": "card", "cvv": "123"}, 402) |
| GET /sorry | raises such a CaptureFailure of a class for which there is a handler that answers 402 |
| GET /stream | three chunks, no Content-Length |
| GET /sse | an event-stream of two events, the first `data: one of /sse` |
| GET /file | a file, by the framework's own way to send one, Range understood |
| GET /midstream | one chunk, then raises RuntimeError("broke in the middle") |
| GET /logged | writes a line to ReplayStack's logger "orders", then answers `{"ok": true}` |
| GET /nothing | 204 |
| GET /cached | 304 with an ETag |
| GET /correlated | calls `set_correlation_id("order-7")`, then does what /logged does |
| GET /cookie | 200 with two Set-Cookie headers |
| GET /own-trace | answers with an x-trace-id of its own |
| GET /health | 200, an ignored path |

`test_serving` asks for three more:

| route | does |
|---|---|
| GET /crumb/{name} | leaves the breadcrumbs `before {name}` and `after {name}` |
| GET /act | calls what the test gave (`stands.Serve`), then answers `{"ok": true}` |
| GET /endless | streams 64 KiB pieces for as long as a call of that returns something true |
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SCENARIOS", "Scenario"]

Event = dict[str, Any]

JSON = {"Content-Type": "application/json"}
SECRETS = (
    "CANARY-authorization",
    "CANARY-key",
    "CANARY-cookie",
    "CANARY-query",
    "CANARY-body",
    "CANARY-card",
)
LARGE = b"x" * 3_000_000


@dataclass(frozen=True)
class Scenario:
    """One request and what must be true of its one event (or that there is none)."""

    name: str
    method: str
    path: str
    check: Callable[[Event], None] | None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    same_bytes: bool = True
    correlation: str | None = None
    """The `x-correlation-id` of the answer; a caller who sends none gets none."""


def _own(event: Event) -> dict[str, Any]:
    own: dict[str, Any] = event["metadata"]["replaystack"]
    return own


def check_ok(event: Event) -> None:
    assert event["eventType"] == "api"
    assert event["status"] == "success"
    assert event["method"] == "GET"
    assert event["endpoint"] == "/ok"
    assert event["statusCode"] == 200
    assert event["executionTimeMs"] >= 0
    assert event["requestUrl"] == "http://shop.example:8000/ok?page=2"
    assert event["responsePayload"] == {"ok": True}
    assert event["sourceIp"] == "127.0.0.1"
    assert event["userAgent"] == "contract"
    assert event["authMode"] == "none"
    assert [crumb["message"] for crumb in event["breadcrumbs"]] == [
        "HTTP request started",
        "HTTP request finished",
    ]
    assert "requestPayload" not in event
    assert "errorName" not in event
    own = _own(event)
    assert own["eventId"]
    assert isinstance(own["sequence"], int)
    assert own["masking"]["policy"]


def check_route(event: Event) -> None:
    assert event["endpoint"] == "/items/7"
    assert "items" in _own(event)["route"]
    assert "7" not in _own(event)["route"]


def check_logged(event: Event) -> None:
    (line,) = event["logs"]
    assert (line["level"], line["message"]) == ("warning", "out of stock")
    assert (line["metadata"]["sku"], line["metadata"]["password"]) == ("TEA-001", "[MASKED]")
    assert line["metadata"]["replaystack"]["logger"] == "orders"
    assert line["metadata"]["replaystack"]["correlationId"] == event["traceId"]


def check_correlated(correlation: str) -> Callable[[Event], None]:
    def check(event: Event) -> None:
        (line,) = event["logs"]
        assert line["metadata"]["replaystack"]["correlationId"] == correlation
        assert event["traceId"] != correlation

    return check


def check_missing(event: Event) -> None:
    assert (event["status"], event["statusCode"]) == ("warning", 404)
    assert "errorName" not in event


def check_teapot(event: Event) -> None:
    assert (event["status"], event["statusCode"]) == ("warning", 418)


def check_echo(event: Event) -> None:
    assert event["requestPayload"] == {"item": "tea", "password": "[MASKED]"}
    assert event["responsePayload"] == {"item": "tea", "password": "[MASKED]"}
    assert _own(event)["bodies"]["request"]["contentType"] == "application/json"


def check_failed(event: Event) -> None:
    assert (event["status"], event["statusCode"]) == ("failed", 500)
    assert event["errorName"] == "ValueError"
    assert event["errorMessage"] == "no such order: password=[MASKED]"
    assert "hunter2-CANARY" not in json.dumps(event)
    assert event["stackFrames"][-1]["functionName"] == "fail"
    assert "Traceback" in event["stackTrace"]
    assert [cause["errorName"] for cause in _own(event)["causes"]] == ["OSError"]
    assert event["breadcrumbs"][-1]["message"] == "Unhandled exception captured"


def check_handled(event: Event) -> None:
    assert (event["status"], event["statusCode"]) == ("failed", 500)
    assert event["errorName"] == "HandledError"
    assert event["responsePayload"] == {"handled": True}


def check_refused(event: Event) -> None:
    assert (event["status"], event["statusCode"]) == ("warning", 409)
    assert "errorName" not in event


def check_declined(event: Event) -> None:
    assert (event["status"], event["statusCode"]) == ("failed", 402)
    assert event["errorMessage"] == "declined"
    assert event["responsePayload"] == {"reason": "card", "cvv": "[MASKED]"}


def check_stream(event: Event) -> None:
    assert event["responsePayload"] == {"captured": False, "reason": "Streaming response body not captured"}
    assert _own(event)["bodies"]["response"]["streamed"] is True
    assert _own(event)["bodies"]["response"]["totalBytes"] == 15


def check_sse(event: Event) -> None:
    assert event["status"] == "success"
    assert event["responsePayload"] == {"captured": False, "reason": "Streaming response body not captured"}
    assert _own(event)["bodies"]["response"]["streamed"] is True


def check_file(event: Event) -> None:
    assert (event["status"], event["statusCode"]) == ("success", 200)
    assert "incomplete" not in _own(event)["bodies"]["response"]


def check_range(event: Event) -> None:
    assert (event["status"], event["statusCode"]) == ("success", 206)
    assert _own(event)["bodies"]["response"]["totalBytes"] == 10


def check_midstream(event: Event) -> None:
    assert event["status"] == "failed"
    assert event["statusCode"] == 200
    assert event["errorMessage"] == "broke in the middle"
    assert _own(event)["bodies"]["response"]["incomplete"] is True


def check_unread(event: Event) -> None:
    assert event["statusCode"] == 200
    assert _own(event)["bodies"]["request"]["unread"] is True
    assert "requestPayload" not in event


def check_partly(event: Event) -> None:
    assert event["statusCode"] == 200
    assert _own(event)["bodies"]["request"]["totalBytes"] == 2000


def check_multipart(event: Event) -> None:
    text = json.dumps(event)
    assert "ada" in text
    assert "CANARY" not in text
    assert event["responsePayload"] == {"user": "ada", "files": ["photo"]}


def check_twice(event: Event) -> None:
    assert event["requestPayload"] == {"a": 1}
    assert event["responsePayload"] == [8, 8]


def check_upload(event: Event) -> None:
    assert event["requestPayload"]["__truncated"] is True
    assert event["requestPayload"]["originalSizeBytes"] == len(LARGE)
    assert _own(event)["bodies"]["request"]["capturedBytes"] <= 16 * 1024


def check_bodiless(event: Event) -> None:
    assert "responsePayload" not in event
    assert event["status"] == "success"


def check_cookie(event: Event) -> None:
    assert event["responseHeaders"]["set-cookie"] == ["[MASKED]", "[MASKED]"] or (
        event["responseHeaders"]["set-cookie"] == "[MASKED]"
    )
    assert "CANARY" not in json.dumps(event)
    assert _own(event)["cookieNames"]


def check_secrets(event: Event) -> None:
    text = json.dumps(event)
    assert not [secret for secret in SECRETS if secret in text]
    assert event["authMode"] == "bearer"
    assert event["authScheme"] == "Bearer"
    assert event["requestHeaders"]["authorization"] == "[MASKED]"
    assert event["requestHeaders"]["x-api-key"] == "[MASKED]"
    assert event["requestPayload"]["user"] == "ada"
    assert "page=2" in event["requestUrl"]


def check_form(event: Event) -> None:
    assert event["requestPayload"] == {"user": "ada", "password": "[MASKED]"}


def check_trace(event: Event) -> None:
    assert event["traceId"] == "trace-42"


def check_traceparent(event: Event) -> None:
    assert event["traceId"] == "0af7651916cd43dd8448eb211c80319c"


def check_bad_trace(event: Event) -> None:
    assert len(event["traceId"]) == 36


SECRET_BODY = json.dumps(
    {"user": "ada", "password": "CANARY-body", "card": {"card_number": "CANARY-card", "cvv": "987"}}
).encode()

MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nada\r\n'
    b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nCANARY-form\r\n'
    b'--b\r\nContent-Disposition: form-data; name="photo"; filename="p.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG-CANARY\r\n--b--\r\n"
)

SCENARIOS = [
    Scenario("success", "GET", "/ok?page=2", check_ok, (("User-Agent", "contract"),)),
    Scenario("route pattern", "GET", "/items/7", check_route),
    Scenario("unknown path stays 404", "GET", "/no/such/path", check_missing),
    Scenario("http error", "GET", "/teapot", check_teapot),
    Scenario(
        "json body", "POST", "/echo", check_echo, tuple(JSON.items()), b'{"item": "tea", "password": "x1y2"}'
    ),
    Scenario("raised exception", "GET", "/fail", check_failed),
    Scenario("exception with a handler", "GET", "/handled", check_handled),
    Scenario("exception with a handler that answers 4xx", "GET", "/refused", check_refused),
    Scenario("failure to be captured as it says", "GET", "/declined", check_declined),
    Scenario("failure to be captured, with a handler", "GET", "/sorry", check_declined),
    Scenario("server-sent events", "GET", "/sse", check_sse),
    Scenario("file", "GET", "/file", check_file),
    Scenario("part of a file", "GET", "/file", check_range, (("Range", "bytes=5-14"),)),
    Scenario("streamed answer", "GET", "/stream", check_stream),
    Scenario("failure in the middle of the body", "GET", "/midstream", check_midstream),
    Scenario("unread body", "POST", "/unread", check_unread, (), b"y" * 2000),
    Scenario("body read partly", "POST", "/partly", check_partly, (), b"y" * 2000),
    Scenario("body read twice", "POST", "/twice", check_twice, tuple(JSON.items()), b'{"a": 1}'),
    Scenario("large upload", "POST", "/upload", check_upload, (("Content-Type", "text/plain"),), LARGE),
    Scenario("HEAD", "HEAD", "/ok", check_bodiless),
    Scenario("log lines", "GET", "/logged", check_logged),
    Scenario(
        "correlation id of the caller",
        "GET",
        "/logged",
        check_correlated("cid-1"),
        (("X-Correlation-Id", "cid-1"),),
        correlation="cid-1",
    ),
    Scenario(
        "correlation id of the application",
        "GET",
        "/correlated",
        check_correlated("order-7"),
        (("X-Correlation-Id", "cid-1"),),
        correlation="order-7",
    ),
    Scenario("204", "GET", "/nothing", check_bodiless),
    Scenario("304", "GET", "/cached", check_bodiless, (("If-None-Match", '"v1"'),)),
    Scenario("cookies", "GET", "/cookie", check_cookie),
    Scenario(
        "planted secrets",
        "POST",
        "/echo?token=CANARY-query&page=2",
        check_secrets,
        (
            ("Authorization", "Bearer CANARY-authorization"),
            ("X-Api-Key", "CANARY-key"),
            ("Cookie", "session=CANARY-cookie"),
            ("Content-Type", "application/json"),
        ),
        SECRET_BODY,
    ),
    Scenario(
        "form",
        "POST",
        "/unparsed",
        check_form,
        (("Content-Type", "application/x-www-form-urlencoded"),),
        b"user=ada&password=CANARY-form",
    ),
    Scenario(
        "form with a file",
        "POST",
        "/form",
        check_multipart,
        (("Content-Type", "multipart/form-data; boundary=b"),),
        MULTIPART,
    ),
    Scenario("trace id of the caller", "GET", "/ok", check_trace, (("X-Trace-Id", "trace-42"),)),
    Scenario(
        "traceparent",
        "GET",
        "/ok",
        check_traceparent,
        (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),),
    ),
    Scenario(
        "a trace id that must not be reflected", "GET", "/ok", check_bad_trace, (("X-Trace-Id", "x" * 7000),)
    ),
    Scenario("trace id of the application", "GET", "/own-trace", lambda event: None),
    Scenario("ignored path", "GET", "/health", None),
]
