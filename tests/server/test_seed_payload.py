from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.availability import missing
from tests.server.samples import SEED_PAYLOAD, answer_of, seed_command

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from replaystack_server.testing import RunningServer


@pytest.mark.parametrize("header", ["x-tracereplay-api-key", "x-replaystack-api-key"])
def test_the_seeds_example_is_taken_verbatim(
    server: RunningServer, reader: httpx.Client, tmp_path: Path, header: str
) -> None:
    """The real `curl` posts the documented payload with one key header; all of it is kept."""
    if shutil.which("curl") is None:
        missing("no curl on PATH")
    payload = tmp_path / "payload.json"
    payload.write_text(SEED_PAYLOAD, encoding="utf-8")
    done = subprocess.run(
        seed_command(server.url, header, server.key, payload),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    status, answer = answer_of(done.stdout)
    assert (status, answer["success"]) == (201, True)
    kept = reader.get(f"/api/v1/events/{answer['data']['eventId']}").json()["data"]["event"]
    kept.pop("metadata", None)  # the second pass adds its evidence
    assert kept == json.loads(SEED_PAYLOAD)
