"""The adapter contract on FastAPI: same bytes as bare, one event each, over a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.adapters.contract import SCENARIOS, Scenario
from tests.asgi_server import serve
from tests.fastapi.application import build_app
from tests.wire_client import exchange

from replaystack_fastapi import setup_fastapi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receiver import Receiver

    from replaystack import ReplayStackClient


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    """Serve the application without us."""
    with serve(build_app()) as base_url:
        yield base_url


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_answer_is_the_same_and_the_event_is_right(
    scenario: Scenario, bare: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Nobody notices the adapter, and the developer sees what happened, exactly once."""
    app = build_app(client=client)
    setup_fastapi(app, client)
    expected = exchange(bare, scenario.method, scenario.path, scenario.headers, scenario.body)
    with serve(app) as base_url:
        answer = exchange(base_url, scenario.method, scenario.path, scenario.headers, scenario.body)
    assert answer.comparable() == expected.comparable()

    assert client.flush()
    events = receiver.taken()
    if scenario.check is None:
        assert events == []
        assert "x-trace-id" not in answer.headers
        return
    (event,) = events
    scenario.check(event)
    assert answer.headers["x-trace-id"] == (event["traceId"] if scenario.path != "/own-trace" else "mine")
