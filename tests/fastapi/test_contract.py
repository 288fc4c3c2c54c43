"""The adapter contract on FastAPI: same bytes as bare, one event each, over a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.adapters.contract import SCENARIOS, Scenario
from tests.adapters.run import check
from tests.asgi_server import serve
from tests.fastapi.application import KNOWS_RANGES, build_app

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


KNOWN = [scenario for scenario in SCENARIOS if KNOWS_RANGES or scenario.name != "part of a file"]


@pytest.mark.parametrize("scenario", KNOWN, ids=lambda scenario: scenario.name)
def test_the_answer_is_the_same_and_the_event_is_right(
    scenario: Scenario, bare: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Nobody notices the adapter, and the developer sees what happened, exactly once."""
    app = build_app(client=client)
    setup_fastapi(app, client)
    with serve(app) as base_url:
        check(scenario, bare, base_url, receiver, client)
