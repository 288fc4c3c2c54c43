"""The adapter that docs/adapters.md builds passes what every adapter passes."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from tests.adapters.contract import SCENARIOS, Scenario
from tests.adapters.run import check
from tests.docs.aiohttp_application import build_app, serve
from tests.wire_client import Connection, request_bytes

from replaystack import ReplayStackClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receiver import Receiver

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")
MOST_LINES = 150


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    """Run the page's code as a module."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert sum(1 for line in block.splitlines() if line.strip()) < MOST_LINES
    module = ModuleType("replaystack_aiohttp")
    sys.modules[module.__name__] = module
    exec(compile(block, "docs/adapters.md", "exec"), module.__dict__)
    yield module
    del sys.modules[module.__name__]


@pytest.fixture(autouse=True)
def silent_server() -> Iterator[None]:
    """Let the server not log the exceptions that the application is there to raise."""
    logger = logging.getLogger("aiohttp.server")
    logger.disabled = True
    yield
    logger.disabled = False


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    """Serve the application without us."""
    with serve(build_app()) as base_url:
        yield base_url


@pytest.fixture(params=[True, False], ids=["async", "sync"])
def client(receiver: Receiver, request: pytest.FixtureRequest) -> Iterator[ReplayStackClient]:
    """Open a client for one test."""
    with ReplayStackClient(api_key="rs_test", endpoint=receiver.origin, async_send=request.param) as running:
        yield running


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_nobody_notices(
    scenario: Scenario, page: Any, bare: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """The answer is the same, and the developer sees what happened, exactly once, also installed twice."""
    app = build_app()
    page.setup_aiohttp(app, client)
    page.setup_aiohttp(app, client)
    with serve(app) as base_url:
        check(scenario, bare, base_url, receiver, client)


def test_caller_that_leaves(page: Any, client: ReplayStackClient, receiver: Receiver) -> None:
    """A caller that goes away in the middle of its body leaves one event that says so."""
    app = build_app()
    page.setup_aiohttp(app, client)
    with serve(app) as base_url:
        with Connection(base_url) as connection:
            connection.send(request_bytes("POST", "/upload", (), b"y" * 1000)[:-990])
        event = receiver.event()
    assert event["status"] in {"failed", "warning"}
    assert event["metadata"]["replaystack"]["bodies"]["request"]["unread"] is True
