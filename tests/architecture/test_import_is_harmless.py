"""Importing a package of ours does nothing but define names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.receiver import Receiver

PROBE = Path(__file__).with_name("probe.py")


def _probe(module: str, framework: str | None = None, *, folder: Path | None = None) -> list[str]:
    """Import `module` in a child process that has `framework` already; return what it did besides."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if folder is not None:
        environment["PYTHONPATH"] = str(folder)
    command = [sys.executable, str(PROBE), module, *([framework] if framework else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    found: list[str] = json.loads(done.stdout)
    return found


def test_importing_core_touches_nothing() -> None:
    """`import replaystack`: no thread, socket, file, hook, signal handler or third-party module."""
    assert _probe("replaystack") == []


@pytest.mark.parametrize(
    ("module", "framework"),
    [
        ("replaystack_fastapi", "starlette.applications"),
        ("replaystack_flask", "flask"),
        ("replaystack_django", "django.core.handlers.base"),  # with what every site needs (asgiref)
    ],
)
def test_importing_an_adapter_adds_only_its_framework(module: str, framework: str) -> None:
    """An adapter imports its framework and no other package; everything else as for core."""
    assert _probe(module, framework) == []


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        (
            "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
            "thread: ",
        ),
        ("import socket; socket.socket().close()", "audit event: socket.__new__"),
        (
            "import subprocess, sys; subprocess.run([sys.executable, '-c', ''])",
            "audit event: subprocess.Popen",
        ),
        ("import os; open(os.devnull, 'w').close()", "file opened for writing: "),
        ("import sys; sys.excepthook = print", "hook changed: sys.excepthook"),
        ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", "hook changed: handler of SIGTERM"),
        (
            "import logging; logging.getLogger().addHandler(logging.NullHandler())",
            "hook changed: root logger's",
        ),
        ("import atexit; atexit.register(print, end='')", "atexit.register called by culprit"),
        ("import os; os.register_at_fork(before=print)", "os.register_at_fork called by culprit"),
        ("import requests", "third-party module: requests"),
    ],
)
def test_the_probe_can_fail(tmp_path: Path, source: str, finding: str) -> None:
    """A module that does one of the forbidden things is found out, for each of them."""
    (tmp_path / "culprit.py").write_text(source, encoding="utf-8")
    assert any(found.startswith(finding) for found in _probe("culprit", folder=tmp_path))


def test_the_probe_finds_nothing_in_a_harmless_module(tmp_path: Path) -> None:
    """A module that only defines names and uses the standard library is not accused."""
    (tmp_path / "innocent.py").write_text("import asyncio, http.client, ssl\nx = 1\n", encoding="utf-8")
    assert _probe("innocent", folder=tmp_path) == []


SENDING = """
import sys
import replaystack
from replaystack.delivery.lazy_imports import import_requests

client = replaystack.ReplayStackClient(api_key="k", endpoint=sys.argv[1])
import_requests()
before = set(sys.modules)
client.capture_event(request_payload={"text": "a" * 3000})
client.log.info("m", a=1)
try:
    raise ValueError("v")
except ValueError as error:
    client.capture_exception(error)
    client.log.error("m", error)
assert client.flush(30)
stats = client.stats()
assert (stats.delivered, stats.logs.delivered) == (2, 2), stats
print(sorted(set(sys.modules) - before))
"""


def test_the_sender_imports_nothing_beyond_its_gate() -> None:
    """A child that is forked while its parent's sender imports a module keeps that module half made.

    `import_requests` holds forks back; all else has to be there before the first capture.
    """
    with Receiver(capabilities="bulk, gzip, logs") as receiver:
        command = [sys.executable, "-c", SENDING, receiver.origin]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")
