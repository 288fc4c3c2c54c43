from __future__ import annotations

import json
import uuid
import zlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.server.samples import an_event

from replaystack_server.receiving.intake import describe
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from pathlib import Path

# Put together here, so that no scanner takes this file for a leak.
CARD = "4111 1111 1111 " + "1111"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PASSWORD = "correct-horse-" + "battery"
SECRETS = [CARD, STRIPE, AWS, JWT, PASSWORD]


def careless_event(**changes: Any) -> dict[str, Any]:
    """Return what a sender without any masking of its own might post."""
    return an_event(
        status="failed",
        endpoint=f"/pay/{STRIPE}",
        requestUrl=f"https://user:{PASSWORD}@shop.example/pay?api_key={AWS}",
        requestHeaders={"authorization": f"Bearer {JWT}", "x-api-key-secret": STRIPE},
        requestPayload={"userPassword": PASSWORD, "note": f"card {CARD}", "list": [{"clientSecret": AWS}]},
        responsePayload=f"token {JWT} was refused",
        errorName="PaymentError",
        errorMessage=f"cannot charge {CARD} with {STRIPE}",
        stackTrace=f"Traceback ...\n  key = '{AWS}'",
        stackFrames=[
            {"functionName": "pay", "fileName": "/app.py", "lineNumber": 1, "raw": f"pay('{STRIPE}')"}
        ],
        breadcrumbs=[{"message": f"using {AWS}", "metadata": {"apiKey": STRIPE}}],
        logs=[{"level": "info", "message": f"jwt {JWT}", "metadata": {"passwordHint2": PASSWORD}}],
        metadata={"tags": [STRIPE], "dbPassword": PASSWORD, AWS: 1},
        unknownKey={"deep": {"secretKey": PASSWORD, "text": CARD}},
        **changes,
    )


def test_no_planted_secret_reaches_the_file(tmp_path: Path) -> None:
    """Whatever a careless sender posts, the database and its journals hold no secret."""
    database = tmp_path / "events.sqlite3"
    with running_server(database=database) as server:
        headers = {"x-replaystack-api-key": server.key}
        url = f"{server.url}/api/v1/ingest"
        assert httpx.post(f"{url}/events", json=careless_event(), headers=headers).status_code == 201
        batch = {"events": [careless_event(), careless_event()]}
        assert httpx.post(f"{url}/bulk-events", json=batch, headers=headers).json()["data"]["accepted"] == 2
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        with server.service.store._database.reader() as connection:  # type: ignore[attr-defined]  # the real file
            bodies = [zlib.decompress(body) for (body,) in connection.execute("SELECT body FROM documents")]
        answers = httpx.get(
            f"{server.url}/api/v1/events", headers={"authorization": f"Bearer {server.token}"}
        ).content
    assert len(bodies) == 3
    assert b"PaymentError" in files  # the haystack is the right one
    haystack = b"\n".join([files, *bodies, answers])
    for secret in SECRETS:
        assert secret.encode() not in haystack, secret
        assert json.dumps(secret).strip('"').encode() not in haystack, secret


def test_the_ingest_key_is_not_in_the_file(tmp_path: Path) -> None:
    """Who gets hold of the database cannot send with it, nor read with it."""
    with running_server(database=tmp_path / "events.sqlite3") as server:
        headers = {"x-replaystack-api-key": server.key}
        httpx.post(f"{server.url}/api/v1/ingest/events", json=an_event(), headers=headers)
        httpx.get(server.login_url)
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"/orders" in files
    for secret in (server.key, server.key.removeprefix("rs_live_"), server.token):
        assert secret.encode() not in files


@pytest.mark.parametrize(
    "payload",
    [
        {"pin": 1, "session": {"a": 1}, "auth": "on", "token": "page-2"},
        {"note": "call 4111 1111 1111 1112", "count": 3, "ok": True, "none": None},
    ],
)
def test_what_a_user_unmasked_stays(
    sender: httpx.Client, reader: httpx.Client, payload: dict[str, Any]
) -> None:
    """The second pass knows only what is certain: keys that a sender may have released stay readable."""
    event_id = sender.post("/api/v1/ingest/events", json=an_event(requestPayload=payload)).json()["data"][
        "eventId"
    ]
    assert reader.get(f"/api/v1/events/{event_id}").json()["data"]["event"]["requestPayload"] == payload


def test_the_senders_evidence_is_kept(sender: httpx.Client, reader: httpx.Client) -> None:
    """Masking at the source stays provable after the second pass, which adds what it found itself."""
    masking = {"policy": "3fa2c91d", "rules": 1, "masked": 7}
    event = an_event(errorMessage=f"key {AWS}", reserved={"masking": masking})
    event_id = sender.post("/api/v1/ingest/events", json=event).json()["data"]["eventId"]
    kept = reader.get(f"/api/v1/events/{event_id}").json()["data"]["event"]["metadata"]["replaystack"][
        "masking"
    ]
    assert (kept["policy"], kept["rules"], kept["masked"]) == ("3fa2c91d", 1, 8)


def test_a_number_that_looks_like_a_card_is_no_mistake(sender: httpx.Client, reader: httpx.Client) -> None:
    """Where masking makes a text of a number, the event is stored without that column."""
    event = an_event(executionTimeMs=int(CARD.replace(" ", "")))
    event_id = sender.post("/api/v1/ingest/events", json=event).json()["data"]["eventId"]
    kept = reader.get(f"/api/v1/events/{event_id}").json()["data"]
    assert (kept["executionTimeMs"], kept["event"]["executionTimeMs"]) == (None, "[MASKED]")


def test_an_event_that_could_not_be_masked_is_a_failed_one(service: str) -> None:
    """What masking drops as a whole is still counted and shown: as a failure with nothing in it."""
    event = describe(b'{"__unmasked_dropped":true}', str(uuid.uuid4()), 1)
    assert (event.event_type, event.status, event.endpoint) == ("custom", "failed", None)


def test_two_events_never_become_one_by_masking(
    sender: httpx.Client, reader: httpx.Client, service: str
) -> None:
    """The id that tells repeats apart is compared before any rule could change it."""
    ids = ["41111111-1111-4111-8111-111111111111", "42222222-2222-4222-8222-222222222222"]
    for event_id in ids:
        event = an_event(serviceName=service, reserved={"eventId": event_id})
        assert sender.post("/api/v1/ingest/events", json=event).status_code == 201
    rows = reader.get("/api/v1/events", params={"service": service}).json()["data"]["events"]
    assert sorted(row["eventId"] for row in rows) == ids
