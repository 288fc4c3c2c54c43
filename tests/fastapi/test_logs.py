"""Promises of logs inside of requests: they belong to the request's event."""

from __future__ import annotations

import asyncio

import httpx
from fastapi import FastAPI
from tests.receiver import Receiver

from replaystack import ReplayStackClient
from replaystack.testing import captured_logs
from replaystack_fastapi import setup_fastapi


def test_a_requests_event_carries_its_logs_its_flow_and_its_ids() -> None:
    """What an endpoint logs is in its event and in no other; the caller's correlation id is on each entry."""
    with Receiver() as receiver, ReplayStackClient(api_key="k", endpoint=receiver.origin) as client:
        app = FastAPI()

        @app.get("/orders/{number}")
        def order(number: int) -> int:
            client.log.info("looked up", number=number)
            client.flow("order").warning("slow")
            return number

        setup_fastapi(app, client)

        async def call() -> None:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as caller:
                for number, sent in enumerate(("cid-1", "cid-2", "not an id!"), 1):
                    await caller.get(f"/orders/{number}", headers={"x-correlation-id": sent})

        with captured_logs() as said:
            asyncio.run(call())
        assert client.flush()
        events = receiver.events(3)
    for number, event in enumerate(events, 1):
        assert [entry["message"] for entry in event["logs"]] == ["looked up", "slow"]
        assert event["logs"][0]["metadata"]["number"] == number
        own = event["logs"][1]["metadata"]["replaystack"]
        assert own["flowId"] == event["metadata"]["replaystack"]["flowId"]
        assert own["correlationId"] == (f"cid-{number}" if number < 3 else event["traceId"])
    assert {entry.request_id for entry in said.entries} == {event["traceId"] for event in events}
