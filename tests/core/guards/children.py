"""Programs with process guards, each in a process of its own, and what became of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receiver import Receiver

HANG_GUARD_SECONDS = 60

PREAMBLE = """
import os, signal, sys, threading, time
from replaystack import ReplayStackClient, install_replaystack_process_guards as install
"""


def _environment(receiver: Receiver) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYSTACK_")}
    return {**inherited, "REPLAYSTACK_API_KEY": "rs_test", "REPLAYSTACK_ENDPOINT": receiver.origin}


def run(script: str, receiver: Receiver, *flags: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `script` to its end; its client speaks to `receiver`."""
    return subprocess.run(
        [sys.executable, *flags, "-c", PREAMBLE + script],
        env=_environment(receiver),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_SECONDS,
        check=False,
    )


@contextmanager
def started(script: str, receiver: Receiver) -> Iterator[subprocess.Popen[str]]:
    """Start `script` and wait until it prints `ready`; it is gone at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + script],
        env=_environment(receiver),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line == "ready\n", line + process.communicate(timeout=HANG_GUARD_SECONDS)[1]
        yield process
    finally:
        process.kill()
        process.communicate()


def ended_by(
    script: str, receiver: Receiver, number: int = signal.SIGTERM
) -> subprocess.CompletedProcess[str]:
    """Run `script` until it prints `ready`, send it `number`, and return how it ended."""
    with started(script, receiver) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=HANG_GUARD_SECONDS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
