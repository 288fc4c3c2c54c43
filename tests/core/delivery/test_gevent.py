"""Under gevent's monkey patching: threads are greenlets, and one that blocks stops all others."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.receiver import Receiver, Reply

pytest.importorskip("gevent", reason="gevent is not installed")

FIRST = """
from gevent import monkey; monkey.patch_all()
import gevent, time
from replaystack import ReplayStackClient
client = ReplayStackClient()
"""

# What gunicorn does with --preload and a gevent worker: the application is imported in the master,
# then forked, then patched.
AFTER_A_FORK = """
import os, sys
from replaystack import ReplayStackClient
client = ReplayStackClient()
if os.environ.get("IN_MASTER"):
    client.capture_event(endpoint="master")
    client.flush(20)
pid = os.fork()
if pid:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
from gevent import monkey; monkey.patch_all()
import gevent, time
"""

WORK = """
ticks = []

def tick():
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.005)

def request(number):
    for step in range(5):
        client.capture_event(endpoint=f"{number}-{step}")
        gevent.sleep(0.002)

ticker = gevent.spawn(tick)
gevent.joinall([gevent.spawn(request, number) for number in range(20)])
flushed = client.flush(20)
stats = client.stats()
assert stats.captured == stats.delivered + sum(stats.dropped.values()) + stats.queued + stats.in_flight, stats
longest = max(b - a for a, b in zip(ticks, ticks[1:]))
print(flushed, stats.captured, stats.delivered, dict(stats.dropped), len(ticks) > 3, longest < LONGEST)
ticker.kill()
"""


def run(script: str, receiver: Receiver, **variables: str) -> list[str]:
    """Run a script; return what it printed, and fail on whatever it complained about."""
    done = subprocess.run(
        # Others warn here, and rightly: gevent of patching ssl after its use in the master, Python
        # (from 3.12 on) of a fork with threads.
        [sys.executable, "-W", "ignore", "-c", script],
        env={"REPLAYSTACK_API_KEY": "k", "REPLAYSTACK_ENDPOINT": receiver.origin, **variables},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("start", [FIRST, AFTER_A_FORK], ids=["patched-first", "preload-fork-patch"])
@pytest.mark.parametrize("mode", ["async", "sync"])
def test_greenlets_capture_and_all_arrives(start: str, mode: str) -> None:
    """100 events of 20 greenlets: none counted as reentrant, none lost, each once."""
    if mode == "sync":
        start = start.replace("ReplayStackClient()", "ReplayStackClient(async_send=False)")
    with Receiver(capabilities="bulk") as receiver:
        (line,) = run(start + WORK.replace("LONGEST", "20"), receiver)
        assert line == "True 100 100 {} True True"
        assert len({event["endpoint"] for event in receiver.taken()}) == 100


def test_a_client_that_captured_in_the_master() -> None:
    """The master's thread and session stay behind; the worker's greenlet has its own."""
    with Receiver(capabilities="bulk") as receiver:
        (line,) = run(AFTER_A_FORK + WORK.replace("LONGEST", "20"), receiver, IN_MASTER="1")
        assert line == "True 100 100 {} True True"
        assert len(receiver.taken()) == 101


def test_a_hanging_receiver_does_not_stop_the_hub() -> None:
    """While the sender waits for an answer, other greenlets run: no pause near the attempt's 4 s."""
    start = FIRST.replace("ReplayStackClient()", "ReplayStackClient(timeout_seconds=4, max_retries=0)")
    work = WORK.replace("flushed = client.flush(20)", "gevent.sleep(1); flushed = client.flush(0.5)")
    end = "import os; os._exit(0)"
    with Receiver() as receiver:
        receiver.reply = Reply(misbehave="hang")
        shown = work.replace("print(flushed", "print(*(flushed").replace("< LONGEST)", "< 2), flush=True)")
        script = start + shown + end
        (line,) = run(script, receiver)
        assert line == "False 100 0 {} True True"
