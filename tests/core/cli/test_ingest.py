"""`replaystack ingest` as people run it: the installed command, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.availability import missing

from replaystack.logs.raw_lines import MOST_LINE
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack_server.testing import RunningServer

HANG_GUARD_SECONDS = 120
SECRET = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """Run the real receiver."""
    with running_server() as running:
        yield running


def script() -> str:
    """Return the installed command."""
    found = Path(sysconfig.get_path("scripts")) / ("replaystack.exe" if os.name == "nt" else "replaystack")
    return str(found) if found.exists() else missing("the command replaystack is not installed")


def variables(server: RunningServer | None) -> dict[str, str]:
    """Return an environment that points at the server, or nowhere."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYSTACK_")}
    if server is None:
        return own
    return {**own, "REPLAYSTACK_ENDPOINT": server.url, "REPLAYSTACK_API_KEY": server.key}


def ingest(
    server: RunningServer | None, *arguments: str, body: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command."""
    return subprocess.run(
        [script(), "ingest", *arguments],
        env=variables(server),
        input=body,
        capture_output=True,
        timeout=HANG_GUARD_SECONDS,
        check=False,
    )


def stored(server: RunningServer, source: str) -> list[str]:
    """Return the messages of a source."""
    headers = {"authorization": f"Bearer {server.token}"}
    answer = httpx.get(f"{server.url}/v1/logs", params={"source": source, "limit": 1000}, headers=headers)
    return [log["message"] for log in answer.json()["logs"]]


def test_a_file_by_its_name(server: RunningServer, tmp_path: Path) -> None:
    """The suffix tells the format; the last line tells what was taken."""
    file = tmp_path / "a.jsonl"
    file.write_text(
        "".join(json.dumps({"level": "info", "message": f"m{n} {SECRET}"}) + "\n" for n in range(150))
    )
    done = ingest(server, str(file), "--source", "by-name", "--environment", "test")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"150 logs in 2 requests, ")
    assert sorted(stored(server, "by-name")) == sorted(f"m{n} [MASKED]" for n in range(150))


def test_the_standard_input(server: RunningServer) -> None:
    """`-` reads a pipe."""
    done = ingest(server, "-", "--format", "text", "--source", "pipe", body=b"one\nERROR: two\n")
    assert (done.returncode, done.stdout[:6]) == (0, b"2 logs")
    assert set(stored(server, "pipe")) == {"one", "two"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"level":"info","message":"m"}\n' * 120 + b"{bad\n",
            b"Failed to parse line 121: invalid JSON; line.121: ",
        ),
        (b'{"level":"loud","message":"m"}\n', b"status 400: Validation error; logs.0.level: expected one of"),
        (b"", b"expected at least one log"),
    ],
)
def test_trouble_is_said_with_its_place(server: RunningServer, body: bytes, said: bytes) -> None:
    """One line for the reason, one for what was taken before; exit status 1; no traceback."""
    done = ingest(server, "-", "--format", "jsonl", "--source", "trouble", body=body)
    assert done.returncode == 1
    assert said in done.stderr
    taken = b"100 logs were taken before, up to line 100" if b"bad" in body else b"0 logs were taken before"
    assert taken in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["-"], 2, b"--format is needed"),
        (["x.unknown"], 2, b"--format is needed"),
        (["-", "--format", "xml"], 2, b"invalid choice"),
        (["/does/not/exist.jsonl"], 1, b"cannot read /does/not/exist.jsonl"),
        (["-", "--format", "text", "--level", "loud"], 1, b"level must be one of"),
    ],
)
def test_wrong_usage(server: RunningServer, arguments: list[str], status: int, said: bytes) -> None:
    """Said before anything is sent."""
    done = ingest(server, *arguments, body=b"m\n")
    assert done.returncode == status
    assert said in done.stderr


def test_without_a_key() -> None:
    """Wrong usage, with the name of the variable."""
    done = ingest(None, "-", "--format", "text", body=b"m\n")
    assert done.returncode == 2
    assert b"REPLAYSTACK_API_KEY" in done.stderr


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs os.wait4 to see the memory of a child")
def test_a_large_file_takes_no_more_memory_than_a_small_one(server: RunningServer, tmp_path: Path) -> None:
    """Sixty times the lines: the peak of the sending process stays where it was."""
    peaks: list[int] = []
    for count in (100, 6000):
        file = tmp_path / f"{count}.jsonl"
        padding = "x" * 3000
        with file.open("w") as out:
            for number in range(count):
                out.write(
                    json.dumps({"level": "info", "message": f"m{number}", "data": {"p": padding}}) + "\n"
                )
        child = subprocess.Popen(
            [script(), "ingest", str(file), "--source", f"large-{count}", "--environment", "test"],
            env=variables(server),
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        said = child.stdout.read()
        child.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert said.startswith(f"{count} logs in ".encode())
        peaks.append(usage.ru_maxrss)
    assert 16 * MOST_LINE < 6000 * 3000  # what holding the file would cost
    assert peaks[1] - peaks[0] < 8 * 1024  # KiB
