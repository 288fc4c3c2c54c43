"""The demo as a person runs it: real processes, real HTTP, and an exit status that means something."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.availability import missing

if TYPE_CHECKING:
    from pathlib import Path

DEMO = [sys.executable, "-m", "examples.shop.demo"]


def _environment(tmp_path: Path, **added: str) -> dict[str, str]:
    # An empty home, and a developer's own settings that must not steer the demo elsewhere.
    own = {
        "HOME": str(tmp_path),
        "COLUMNS": "100",
        "REPLAYSTACK_ENABLED": "false",
        "REPLAYSTACK_ENDPOINT": "http://127.0.0.1:9",
    }
    inherited = {name: value for name, value in os.environ.items() if name != "DEMO_ONCE"}
    return {**inherited, **own, **added}


def _descendants(pid: int) -> set[int]:
    """Return the processes below `pid`."""
    if shutil.which("ps") is None:
        missing("no ps on PATH")
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listed.splitlines())}
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_the_demo_holds(root: Path, tmp_path: Path) -> None:
    """`DEMO_ONCE=1` ends by itself with status 0: all was captured, and nothing planted was kept."""
    done = subprocess.run(
        DEMO,
        cwd=root,
        env=_environment(tmp_path, DEMO_ONCE="1"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    planted = re.search(
        r"^ 0 of (\d+) planted secrets found in the receiver's file$", done.stdout, re.MULTILINE
    )
    assert planted is not None, done.stdout
    assert int(planted[1]) >= 25
    assert "✗" not in done.stdout
    assert re.search(r"failed .* POST .* /orders/1/refund .* 500 .* RefundError", done.stdout)
    assert "everything stopped" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_the_demo_stays_up_until_it_is_told_to_end(
    root: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    """It serves its pages until Ctrl-C, then leaves no process and no traceback behind."""
    with ExitStack() as stack:
        demo = stack.enter_context(
            subprocess.Popen(
                DEMO,
                cwd=root,
                env=_environment(tmp_path),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        stack.callback(demo.terminate)
        assert demo.stdout is not None
        said: list[str] = []
        for line in demo.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                break
        text = "".join(said)
        links = re.search(r"sign in +(\S+)\n +the 500 +(\S+)", text)
        assert links is not None, text
        visitor = stack.enter_context(httpx.Client(trust_env=False, follow_redirects=True))
        assert visitor.get(links[1]).status_code == 200
        assert "RefundError" in visitor.get(links[2]).text
        children = _descendants(demo.pid)
        assert len(children) >= 3
        demo.send_signal(ending)
        rest = demo.stdout.read()
        assert demo.wait(30) == 0
    assert "Traceback" not in rest
    assert "everything stopped" in rest
    assert not [pid for pid in children if _is_running(pid)]
