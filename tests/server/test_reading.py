from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from tests.server.samples import an_event

from replaystack_server.store import Cursor

if TYPE_CHECKING:
    import httpx

EVENTS = "/api/v1/events"
BULK = "/api/v1/ingest/bulk-events"


def send(sender: httpx.Client, *events: dict[str, Any]) -> None:
    """Send events."""
    assert sender.post(BULK, json={"events": events}).json()["data"]["accepted"] == len(events)


def listed(reader: httpx.Client, **parameters: Any) -> dict[str, Any]:
    """Return the data of a list."""
    answer = reader.get(EVENTS, params=parameters)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


@pytest.mark.parametrize("path", [EVENTS, f"{EVENTS}/{uuid.UUID(int=4711)}", "/api/v1/stream"])
@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Bearer", "Basic eDp5"])
def test_reading_needs_the_token(stranger: httpx.Client, path: str, authorization: str | None) -> None:
    """Without the read token or a session nothing is read."""
    headers = {} if authorization is None else {"authorization": authorization}
    answer = stranger.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["success"] is False


def test_a_row_has_what_a_list_shows(sender: httpx.Client, reader: httpx.Client, service: str) -> None:
    """The summary carries the wire's names, and null for what is unknown."""
    event = an_event(
        serviceName=service,
        status="failed",
        statusCode=500,
        executionTimeMs=12.6,
        errorName="KeyError",
        errorMessage="'x'",
        traceId="trace-1",
        environment="test",
        reserved={"timestamp": "2026-11-20T14:05:31.120Z", "route": "/orders", "process": "p", "sequence": 3},
    )
    send(sender, event)
    (row,) = listed(reader, service=service)["events"]
    assert uuid.UUID(row.pop("eventId"))
    assert Cursor.parse(row.pop("cursor")).direction == "older"
    assert row.pop("receivedAt").endswith("Z")
    assert row == {
        "timestamp": "2026-11-20T14:05:31.120Z",
        "eventType": "api",
        "status": "failed",
        "method": "GET",
        "endpoint": "/orders",
        "route": "/orders",
        "statusCode": 500,
        "executionTimeMs": 13,
        "errorName": "KeyError",
        "errorMessage": "'x'",
        "serviceName": service,
        "environment": "test",
        "traceId": "trace-1",
        "process": "p",
        "sequence": 3,
    }


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["/c", "/b/1", "/b"]),
        ({"status": "failed"}, ["/c"]),
        ({"path": "/b"}, ["/b/1", "/b"]),
        ({"path": "/b*"}, ["/b/1", "/b"]),
        ({"method": "post"}, ["/b/1"]),
        ({"q": "gateway"}, ["/c"]),
        ({"q": "CardErr gate"}, ["/c"]),
        ({"q": "blue"}, ["/b"]),
        ({"from": "2026-11-20T12:00:01Z"}, ["/c", "/b/1"]),
        ({"from": "2026-11-20T13:00:01+01:00", "to": "2026-11-20T12:00:02"}, ["/b/1"]),
        ({"status": "", "q": " ", "from": ""}, ["/c", "/b/1", "/b"]),
        ({"status": "pending"}, []),
    ],
    ids=str,
)
def test_filters(
    sender: httpx.Client, reader: httpx.Client, service: str, parameters: dict[str, str], expected: list[str]
) -> None:
    """Each filter restricts the list as documented; empty ones do not."""
    times = [{"timestamp": f"2026-11-20T12:00:0{second}Z"} for second in range(3)]
    send(
        sender,
        an_event(serviceName=service, endpoint="/b", metadata={"tags": ["blue"]}, reserved=times[0]),
        an_event(serviceName=service, endpoint="/b/1", method="POST", reserved=times[1]),
        an_event(
            serviceName=service,
            endpoint="/c",
            status="failed",
            errorName="CardError",
            errorMessage="bad gateway",
            reserved=times[2],
        ),
    )
    rows = listed(reader, service=service, **parameters)["events"]
    assert [row["endpoint"] for row in rows] == expected


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"status": "bad"}, "status: expected one of"),
        ({"from": "yesterday"}, "from: expected a time"),
        ({"to": "1969-01-01"}, "to: expected a time"),
        ({"cursor": "x"}, "cursor: not a cursor"),
        ({"limit": "101"}, "limit: "),
        ({"limit": "0"}, "limit: "),
        ({"limit": "many"}, "limit: "),
        ({"q": "x" * 301}, "q: expected at most 300 characters, got 301"),
        ({"service": "a\0b"}, "service: must not hold a NUL"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_wrong_filter_is_named(reader: httpx.Client, parameters: dict[str, str], message: str) -> None:
    """A filter that cannot be meant is answered 400 with its name."""
    answer = reader.get(EVENTS, params=parameters)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(message)


def test_walking_by_cursor_while_events_arrive(
    sender: httpx.Client, reader: httpx.Client, service: str
) -> None:
    """Over HTTP as well each event is seen once, in both directions."""
    send(sender, *(an_event(serviceName=service, endpoint=f"/{n}") for n in range(7)))
    seen: list[str] = []
    page = listed(reader, service=service, limit=3)
    pages = [page["events"]]
    while page["older"]:
        send(sender, an_event(serviceName=service, endpoint="/new"))
        page = listed(reader, service=service, limit=3, cursor=page["older"])
        pages.append(page["events"])
    seen = [row["endpoint"] for rows in pages for row in rows]
    assert seen == [f"/{n}" for n in reversed(range(7))]
    assert listed(reader, service=service, limit=3, cursor=page["newer"])["events"] == pages[1]


def test_an_unknown_event_is_404(reader: httpx.Client) -> None:
    """Whatever stands in the path."""
    for event_id in (str(uuid.uuid4()), "1", "%00", "..%2f..%2fetc"):
        answer = reader.get(f"{EVENTS}/{event_id}")
        assert answer.status_code == 404
        assert answer.json()["success"] is False


def test_health_is_open_and_tells_little(stranger: httpx.Client) -> None:
    """A probe needs no token."""
    answer = stranger.get("/healthz")
    assert (answer.status_code, set(answer.json()["data"])) == (200, {"version"})


def test_the_openapi_document_names_every_road(stranger: httpx.Client) -> None:
    """What WIRE.md promises is described, with the event's schema and the two keys."""
    document = stranger.get("/openapi.json").json()
    assert {
        "/api/v1/ingest/events",
        "/api/v1/ingest/bulk-events",
        "/api/v1/ingest/capabilities",
        "/api/v1/events",
        "/api/v1/events/{event_id}",
        "/api/v1/stream",
        "/healthz",
    } <= set(document["paths"])
    schemas = document["components"]["schemas"]
    assert schemas["Event"]["required"] == ["eventType", "status"]
    references = [
        part.split('"')[0] for part in str(document).replace("'", '"').split("#/components/schemas/")[1:]
    ]
    assert set(references) <= set(schemas)
    parameters = {parameter["name"] for parameter in document["paths"]["/api/v1/events"]["get"]["parameters"]}
    assert {"status", "service", "method", "path", "q", "from", "to", "cursor", "limit"} <= parameters
