"""Events to send, and the words of the seed about them."""

from __future__ import annotations

import json
import re
import uuid
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HOSTILE", "SEED_PAYLOAD", "an_event", "answer_of", "elements", "hostile_event", "seed_command"]

SEED_PAYLOAD = """\
{
  "traceId": "f4b1d4e3-…-…",
  "eventType": "api",
  "method": "POST",
  "endpoint": "/orders",
  "requestUrl": "https://api.example.com/orders?ref=email",
  "authMode": "bearer",
  "authScheme": "Bearer",
  "status": "failed",
  "statusCode": 500,
  "executionTimeMs": 120,
  "errorName": "TypeError",
  "errorMessage": "'NoneType' object is not subscriptable",
  "stackTrace": "Traceback...",
  "stackFrames": [
    {
      "functionName": "create_order",
      "fileName": "/app/main.py",
      "lineNumber": 18
    }
  ],
  "serviceName": "order-service",
  "environment": "production",
  "appVersion": "1.0.0",
  "commitHash": "a7f91c"
}
"""
"""The example of the seed's "Direct API Contract", to the letter."""

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)><svg/onload=alert(3)>{{7*7}}"
"""Would run, or break out, wherever one of the usual escapes is missing."""


def an_event(**changes: Any) -> dict[str, Any]:
    """Return an event that can be stored; `reserved` goes below `metadata.replaystack`."""
    reserved = {"eventId": str(uuid.uuid4()), **changes.pop("reserved", {})}
    event = {
        "eventType": "api",
        "status": "success",
        "method": "GET",
        "endpoint": "/orders",
        "statusCode": 200,
    }
    event |= changes
    metadata = event.get("metadata", {})
    event["metadata"] = {**metadata, "replaystack": reserved} if isinstance(metadata, dict) else metadata
    return event


def hostile_event(service: str) -> dict[str, Any]:
    """Return an event with `HOSTILE` in every place that takes a text."""
    frame = {"functionName": HOSTILE, "fileName": HOSTILE, "lineNumber": 1, "raw": HOSTILE}
    note = {
        "message": HOSTILE,
        "category": HOSTILE,
        "level": HOSTILE,
        "timestamp": HOSTILE,
        "metadata": {HOSTILE: HOSTILE},
    }
    log = {**note, "metadata": {HOSTILE: [HOSTILE], "replaystack": {"logger": HOSTILE}}}
    texts = (
        "traceId method endpoint requestUrl authScheme errorName errorMessage stackTrace environment "
        "appVersion commitHash sourceIp userAgent"
    )
    return {
        **dict.fromkeys(texts.split(), HOSTILE),
        "requestUrl": f"https://shop.example/{HOSTILE}",
        "eventType": "api",
        "status": "failed",
        "statusCode": 500,
        "serviceName": service,
        "requestHeaders": {HOSTILE: HOSTILE, "x-list": [HOSTILE, HOSTILE], "x-object": {HOSTILE: HOSTILE}},
        "responseHeaders": {"content-type": HOSTILE},
        "requestPayload": {
            HOSTILE: [HOSTILE, {"__truncated": True, "preview": HOSTILE, "originalSizeBytes": HOSTILE}]
        },
        "responsePayload": HOSTILE,
        "stackFrames": [frame],
        "breadcrumbs": [note],
        "logs": [log],
        HOSTILE: HOSTILE,
        "metadata": {
            HOSTILE: HOSTILE,
            "tags": [HOSTILE],
            "replaystack": {
                "eventId": str(uuid.uuid4()),
                "route": HOSTILE,
                "process": HOSTILE,
                "user": HOSTILE,
                HOSTILE: HOSTILE,
                "causes": [
                    {"relation": HOSTILE, "errorName": HOSTILE, "errorMessage": HOSTILE, "raisedAt": HOSTILE}
                ],
                "masking": {"policy": HOSTILE, "masked": HOSTILE, HOSTILE: HOSTILE},
            },
        },
    }


def seed_command(url: str, header: str, key: str, payload: Path) -> list[str]:
    """Return the seed's request as arguments for curl, with one key header alone."""
    return [
        "curl",
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--write-out",
        "\n%{http_code}",
        "--header",
        "Content-Type: application/json",
        "--header",
        f"{header}: {key}",
        "--data-binary",
        f"@{payload}",
        f"{url}/api/v1/ingest/events",
    ]


def elements(html: str) -> dict[str, int]:
    """Count the start tags of a page, as an HTML parser sees them; `on*` counts event attributes."""
    counts: dict[str, int] = {}

    class Counter(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            counts[tag] = counts.get(tag, 0) + 1
            for name, value in attrs:
                if name.startswith("on"):
                    counts["on*"] = counts.get("on*", 0) + 1
                if name in {"href", "src"} and not (value or "").startswith(("/", "#", "?")):
                    counts["foreign"] = counts.get("foreign", 0) + 1

    Counter().feed(html)
    return counts


def answer_of(output: str) -> tuple[int, dict[str, Any]]:
    """Return status and body of what `seed_command` printed."""
    match = re.fullmatch(r"(.*)\n(\d{3})", output, re.DOTALL)
    assert match is not None, output
    return int(match[2]), json.loads(match[1])
