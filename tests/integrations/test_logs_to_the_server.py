"""Logs all the way: our client, our receiver, and what a reader of the receiver is shown."""

from __future__ import annotations

from typing import Any

import httpx

from replaystack import ReplayStackClient, run_with_replaystack_context
from replaystack_server.testing import running_server

PERSONAL = "call me on +49 151 23456789"


def test_what_is_logged_is_found_by_each_road_once_and_without_secrets() -> None:
    """An entry that travels by itself and within an event is one entry, masked, in its flow and event."""
    with running_server() as server, ReplayStackClient(api_key=server.key, endpoint=server.url) as client:
        with run_with_replaystack_context():
            client.log.info("order taken", order_id=7, password="hunter2-hunter2")
            client.logger("conversation_logger").info("caller said", text=PERSONAL, is_pii=True)
            flow = client.flow("checkout")
            flow.info("cart").error("payment", ValueError("token=sk_live_51HabcdefghijklmnopQRST"))
            client.capture_event(endpoint="/orders", status="failed")
        client.log.warning("after the event")
        assert client.flush(30)
        logs = client.stats().logs
        assert logs is not None
        assert (logs.captured, logs.delivered, dict(logs.dropped)) == (5, 5, {})

        def read(path: str) -> Any:
            headers = {"authorization": f"Bearer {server.token}"}
            return httpx.get(server.url + path, headers=headers, timeout=30).raise_for_status().json()

        entries = read("/v1/logs")["logs"]
        assert [entry["message"] for entry in entries] == [
            *("after the event", "payment", "cart", "caller said", "order taken")
        ]
        assert [entry["isPii"] for entry in entries] == [False, False, False, True, False]
        assert entries[-1]["data"] == {"order_id": 7, "password": "[MASKED]"}
        (event,) = read("/api/v1/events")["data"]["events"]
        assert [entry.get("eventId") for entry in entries[1:3]] == [event["eventId"]] * 2
        (found,) = read("/api/v1/flows")["data"]["flows"]
        assert (found["flowId"], found["logCount"], found["status"]) == (flow.id, 2, "error")
        detail = read(f"/api/v1/events/{event['eventId']}")
        assert "order taken" in str(detail)
        for road in (entries, detail, found):
            assert "hunter2-hunter2" not in str(road)
            assert "sk_live_51H" not in str(road)
