"""The README runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)

DRIVE = """
from starlette.testclient import TestClient
response = TestClient(app).post("/orders", json={"item": "tea", "password": "hunter2-canary"})
assert response.status_code == 200, response.text
"""


def run(source: str, receiver: Receiver) -> None:
    """Run a block in a process of its own; only key and endpoint are the test's."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", source],
        env={"REPLAYSTACK_ENDPOINT": receiver.origin},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_the_first_block_captures_a_request() -> None:
    """Ten lines make each request an event, with its secrets masked."""
    with Receiver() as receiver:
        run(BLOCKS[0] + DRIVE, receiver)
        event = receiver.event()
    assert event["endpoint"] == "/orders"
    assert event["serviceName"] == "orders"
    assert event["requestPayload"] == {"item": "tea", "password": "[MASKED]"}
    assert "Creating order" in [crumb["message"] for crumb in event["breadcrumbs"]]
    (line,) = event["logs"]
    assert (line["message"], line["metadata"]["order"]) == ("order taken", event["requestPayload"])


def test_the_second_block_captures_an_exception() -> None:
    """A script's exception arrives although the script ends at once."""
    with Receiver() as receiver:
        run(BLOCKS[1], receiver)
        event = receiver.event()
    assert (event["errorName"], event["endpoint"]) == ("LookupError", "daily-report")


def test_every_block_is_tested() -> None:
    """A new block needs a test of its own."""
    assert len(BLOCKS) == 2


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(link: str) -> None:
    """What the README points at is there."""
    assert (ROOT / link).exists()
