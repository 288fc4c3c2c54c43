from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.server.samples import an_event

from replaystack_server.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANG_GUARD_SECONDS = 30
COMMAND = [sys.executable, "-c", "import sys; from replaystack_server.cli import main; sys.exit(main())"]


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command on a free port, for the length of the block."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYSTACK_")}
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def facts(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what the server told in its line of JSON."""
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_tells_what_one_needs_and_ends_well(tmp_path: Path, stop: signal.Signals) -> None:
    """One line of JSON leads a script in; a signal ends the server with 0, events kept."""
    database = tmp_path / "kept.sqlite3"
    with started("--db", str(database), "--json") as process:
        told = facts(process)
        assert set(told) == {
            "url",
            "ingest_key",
            "login_url",
            "read_token",
            "viewer_login_url",
            "viewer_token",
            "database",
        }
        assert told["database"] == str(database)
        headers = {"x-replaystack-api-key": told["ingest_key"]}
        assert (
            httpx.post(f"{told['url']}/api/v1/ingest/events", json=an_event(), headers=headers).status_code
            == 201
        )
        reading = {"authorization": f"Bearer {told['read_token']}"}
        with httpx.stream(
            "GET", f"{told['url']}/api/v1/stream", headers=reading, timeout=HANG_GUARD_SECONDS
        ) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            process.send_signal(stop)
            assert [line for line in lines if line] == []  # ends in form
        output, errors = process.communicate(timeout=HANG_GUARD_SECONDS)
    assert (process.returncode, output, errors) == (0, "", "")
    with started("--db", str(database), "--json") as process:
        told = facts(process)
        reading = {"authorization": f"Bearer {told['read_token']}"}
        rows = httpx.get(f"{told['url']}/api/v1/events", headers=reading).json()["data"]["events"]
        assert len(rows) == 1


def test_the_text_is_for_people(tmp_path: Path) -> None:
    """It names the page with a link that signs in, the key and the file."""
    with started("--db", str(tmp_path / "x.sqlite3")) as process:
        assert process.stdout is not None
        text = ""
        while "Ctrl-C" not in text:
            text += process.stdout.readline()
    words = text.split()
    link = next(word for word in words if "/login?token=" in word)
    assert link.startswith("http://127.0.0.1:")
    assert any(word.startswith("rs_live_") for word in words)
    assert str(tmp_path / "x.sqlite3") in text


def test_keys_of_earlier_starts_stay_until_they_are_revoked(tmp_path: Path) -> None:
    """A restart does not lock applications out; `--revoke-keys` does."""
    database = str(tmp_path / "x.sqlite3")
    with started("--db", database, "--json") as process:
        old = facts(process)["ingest_key"]
    for arguments, status in ((), 201), (("--revoke-keys",), 401):
        with started("--db", database, "--json", *arguments) as process:
            told = facts(process)
            url = f"{told['url']}/api/v1/ingest/events"
            assert (
                httpx.post(url, json=an_event(), headers={"x-replaystack-api-key": old}).status_code == status
            )
            new = told["ingest_key"]
            assert httpx.post(url, json=an_event(), headers={"x-replaystack-api-key": new}).status_code == 201


def test_secrets_can_be_brought_along(tmp_path: Path) -> None:
    """By environment, where other users of the machine do not see them."""
    environment = {
        "REPLAYSTACK_SERVER_INGEST_KEY": "rs_live_chosen_by_me_1",
        "REPLAYSTACK_SERVER_READ_TOKEN": "read-token-of-mine-1",
    }
    with started("--db", str(tmp_path / "x.sqlite3"), "--json", **environment) as process:
        told = facts(process)
    assert (told["ingest_key"], told["read_token"]) == tuple(environment.values())


def test_a_taken_port_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, with exit code 2, and no database is left behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--port", port, "--db", str(tmp_path / "x.sqlite3")]) == 2
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_used_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, with exit code 2."""
    file = tmp_path / "x.sqlite3"
    file.write_bytes(b"something else entirely" * 100)
    assert main(["--port", "0", "--db", str(file)]) == 2
    assert str(file) in capsys.readouterr().err


def test_a_bad_secret_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is opened, and without repeating it."""
    monkeypatch.setenv("REPLAYSTACK_SERVER_READ_TOKEN", "guessable")
    assert main(["--port", "0", "--db", str(tmp_path / "x.sqlite3")]) == 2
    assert "read_token must be at least 16" in (errors := capsys.readouterr().err)
    assert "guessable" not in errors
    assert list(tmp_path.iterdir()) == []
