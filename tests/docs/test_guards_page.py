"""The page about process guards runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guards.md").read_text(encoding="utf-8")
ENDPOINTS = {"/runtime/uncaughtException", "/runtime/thread", "/runtime/unraisable", "/runtime/asyncio"}


def test_the_block_captures_what_nobody_caught() -> None:
    """The program ends as it would, and its exception is an event."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    with Receiver() as receiver:
        done = subprocess.run(
            [sys.executable, "-c", block],
            env={"REPLAYSTACK_ENDPOINT": receiver.origin},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        event = receiver.event()
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("LookupError: no such report")
    assert (event["errorName"], event["endpoint"]) == ("LookupError", "/runtime/uncaughtException")


def test_every_endpoint_is_named() -> None:
    """The page's endpoints are those of the code."""
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "packages/replaystack-core/src/replaystack/guards").glob("*.py")
    )
    assert set(re.findall(r"`(/runtime/\w+)`", PAGE)) == ENDPOINTS
    assert set(re.findall(r'"(/runtime/\w+)"', source)) == ENDPOINTS


def test_the_doctors_options_are_all_on_its_page() -> None:
    """No option of the command is left out, and none is invented."""
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    source = (ROOT / "packages/replaystack-core/src/replaystack/cli/command.py").read_text(encoding="utf-8")
    named = set(re.findall(r'"(--[a-z-]+)"', source)) - {"--version"}
    assert set(re.findall(r"`(--[a-z-]+)[` ]", page)) == named
