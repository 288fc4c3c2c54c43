"""The end of a process: everything that was captured arrives, or one line says how much did not."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.receiver import Receiver, Reply

if TYPE_CHECKING:
    from pathlib import Path


def run_script(script: str, receiver: Receiver, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `script` in a process of its own, with a client pointed at `receiver`."""
    environment = {"REPLAYSTACK_API_KEY": "rs_test", "REPLAYSTACK_ENDPOINT": receiver.origin, **variables}
    return subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


TEN = """
from replaystack import ReplayStackClient
client = ReplayStackClient()
for number in range(10):
    client.capture_event(endpoint=f"job-{number}")
"""


@pytest.mark.parametrize("capabilities", [None, "bulk"])
@pytest.mark.parametrize(
    "ending",
    ["", "client.close()", "client.flush()", "import sys; sys.exit(3)", "raise RuntimeError('boom')"],
)
def test_ten_of_ten_arrive_however_a_script_ends(ending: str, capabilities: str | None) -> None:
    """Default settings: capture 10, exit, with and without close(): 10 arrive."""
    with Receiver(capabilities=capabilities) as receiver:
        result = run_script(TEN + ending, receiver)
        assert sorted(event["endpoint"] for event in receiver.taken()) == [f"job-{n}" for n in range(10)]
        assert "undelivered" not in result.stderr
        assert result.returncode == {"": 0, "client.close()": 0, "client.flush()": 0}.get(
            ending, 3 if "exit" in ending else 1
        )


def test_a_burst_of_ten_thousand_arrives_whole() -> None:
    """10 000 captures in one burst towards a healthy receiver, then flush(60): all arrive, once."""
    script = """
from replaystack import ReplayStackClient
client = ReplayStackClient()
for number in range(10_000):
    client.capture_event(endpoint="burst", metadata={"n": number})
print(client.flush(60), client.stats().delivered)
"""
    with Receiver(capabilities="bulk") as receiver:
        result = run_script(script, receiver)
        assert result.stdout.split() == ["True", "10000"], result.stderr
        assert sorted(event["metadata"]["n"] for event in receiver.taken()) == list(range(10_000))


def test_a_receiver_that_is_away_costs_one_line_and_a_bounded_exit() -> None:
    """Nobody listens: the exit waits at most shutdown_timeout_seconds and says what was lost."""
    with Receiver() as receiver:
        pass
    started = time.monotonic()
    result = run_script(TEN, receiver)
    assert result.returncode == 0
    assert result.stderr.strip() == "replaystack: exiting with 10 undelivered events"
    assert time.monotonic() - started < 2.0 * 5 + 5  # five times the bound, and the interpreter's own start


def test_a_hanging_receiver_does_not_hold_the_exit() -> None:
    """The attempt in flight is given up when the time for the exit is over."""
    with Receiver() as receiver:
        receiver.reply = Reply(misbehave="hang")
        started = time.monotonic()
        result = run_script(
            TEN.replace("ReplayStackClient()", "ReplayStackClient(timeout_seconds=25)"), receiver
        )
        assert time.monotonic() - started < 2.0 * 5 + 5
        assert "exiting with 10 undelivered events" in result.stderr


@pytest.mark.parametrize(
    ("ask", "storing", "told"),
    [
        ("sys.exit(3)", "", ""),
        ("raise KeyboardInterrupt", "", "exiting with 2 undelivered events"),
        ("raise KeyboardInterrupt", "spool_path='SPOOL', ", ""),
    ],
    ids=["sys.exit", "Ctrl-C", "Ctrl-C, spool"],
)
def test_a_signal_during_the_flush_at_exit_loses_nothing_silently(
    ask: str, storing: str, told: str, tmp_path: Path
) -> None:
    """Asked to exit while it exits, the flush goes on; after Ctrl-C it only stores and tells."""
    script = f"""
import os, signal, sys, threading, time, types
from replaystack import ReplayStackClient

asked = threading.Event()

def handler(*_):
    asked.set()
    {ask}

signal.signal(signal.SIGTERM, handler)

class Slow:
    def post(self, url, json, headers, timeout):
        waiters = client.recorder.lifetime.delivery.pump.backlog._settled._waiters
        while not asked.is_set():
            if waiters:  # the flush at exit waits in the main thread
                os.kill(os.getpid(), signal.SIGTERM)
                asked.wait(10)
            time.sleep(0.01)
        if {ask.startswith("raise")}:
            time.sleep(60)
        print(json["endpoint"], flush=True)
        return types.SimpleNamespace(status_code=201)

client = ReplayStackClient({storing}shutdown_timeout_seconds=20, transport=Slow())
client.capture_event(endpoint="one")
client.capture_event(endpoint="two")
""".replace("SPOOL", str(tmp_path / "spool"))
    with Receiver() as receiver:
        result = run_script(script, receiver)
    assert result.stdout.split() == (["one", "two"] if ask.startswith("sys") else [])
    assert ("undelivered" in result.stderr) is bool(told)
    assert told in result.stderr
    assert len(list(tmp_path.glob("spool/*"))) == bool(storing)


def test_sync_mode_starts_no_thread_and_delivers_in_the_call() -> None:
    """async_send=False: when the call returns, the event is there; no thread ever runs."""
    script = """
import threading
from replaystack import ReplayStackClient
client = ReplayStackClient(async_send=False)
answers = [client.capture_event(endpoint="x") for _ in range(5)]
print(all(a is not None and a.success for a in answers), threading.active_count())
"""
    with Receiver() as receiver:
        result = run_script(script, receiver)
        assert result.stdout.split() == ["True", "1"], result.stderr
        assert len(receiver.taken()) == 5


def test_a_capture_in_an_exit_handler_arrives() -> None:
    """Handlers of the application run before ours, and what they capture counts."""
    script = """
import atexit
from replaystack import ReplayStackClient
client = ReplayStackClient()
atexit.register(lambda: client.capture_event(endpoint="goodbye"))
"""
    with Receiver() as receiver:
        run_script(script, receiver)
        assert [event["endpoint"] for event in receiver.taken()] == ["goodbye"]


def test_an_outage_ends_by_itself() -> None:
    """Held events are delivered when the receiver comes back, without a flush."""
    with Receiver() as receiver:
        receiver.replies.extend([Reply(503)] * 2)
        script = """
import time
from replaystack import ReplayStackClient
client = ReplayStackClient(shutdown_timeout_seconds=0)
client.capture_event(endpoint="held")
deadline = time.monotonic() + 30
while client.stats().delivered == 0 and time.monotonic() < deadline:
    time.sleep(0.05)
print(client.stats().delivered, client.stats().retries)
"""
        result = run_script(script, receiver)
        assert result.stdout.split() == ["1", "2"], result.stderr


REFUSED_THREAD = """
import threading
from replaystack import ReplayStackClient
client = ReplayStackClient()

def late():
    main = threading.main_thread()
    main.join()  # the interpreter waits for this thread, and gives no new ones any more (3.12)
    if REFUSE:
        def refuse(*_, **__):
            raise RuntimeError("can't create new thread at interpreter shutdown")
        threading.Thread.start = refuse
    for number in range(10):
        client.capture_event(endpoint=f"job-{number}")

threading.Thread(target=late).start()
"""


@pytest.mark.parametrize("refuse", [True, False])
def test_captures_of_a_thread_that_outlives_main_arrive(*, refuse: bool) -> None:
    """New threads are refused at shutdown: then the exit sends in its own thread."""
    with Receiver() as receiver:
        result = run_script(REFUSED_THREAD.replace("REFUSE", str(refuse)), receiver)
        assert (result.returncode, result.stderr) == (0, "")
        assert len(receiver.taken()) == 10


def test_each_client_has_its_own_time_at_the_exit() -> None:
    """One hanging receiver takes nothing from a client whose receiver works."""
    with Receiver() as stuck, Receiver() as receiver:
        stuck.reply = Reply(misbehave="hang")
        script = f"""
from replaystack import ReplayStackClient
hanging = ReplayStackClient(endpoint={stuck.origin!r}, timeout_seconds=25)
healthy = ReplayStackClient()
hanging.capture_event(endpoint="x")
healthy.capture_event(endpoint="y")
"""
        result = run_script(script, receiver)
        assert result.stderr.strip() == "replaystack: exiting with 1 undelivered event"
        assert [event["endpoint"] for event in receiver.taken()] == ["y"]


@pytest.mark.parametrize("how", ["refused", "hang"])
@pytest.mark.parametrize("durability", ["on_failure", "always", "sync"])
def test_with_a_spool_the_next_process_delivers(tmp_path: Path, how: str, durability: str) -> None:
    """The receiver is away or hangs: no line, a bounded exit, and the next process sends each event once."""
    options = f"spool_path={str(tmp_path / 'spool')!r}, durability={durability!r}, timeout_seconds=25"
    script = TEN.replace("ReplayStackClient()", f"ReplayStackClient({options})")
    with Receiver() as away:
        if how == "hang":
            away.reply = Reply(misbehave="hang")
            result = run_script(script, away)
    if how == "refused":
        result = run_script(script, away)
    assert (result.returncode, result.stderr) == (0, "")
    with Receiver(capabilities="bulk") as receiver:
        following = f"""
from replaystack import ReplayStackClient
client = ReplayStackClient({options})
client.capture_event(endpoint="next")
"""
        result = run_script(following, receiver)
        assert (result.returncode, result.stderr) == (0, "")
        endpoints = sorted(event["endpoint"] for event in receiver.taken())
        assert endpoints == [*(f"job-{n}" for n in range(10)), "next"]
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_flush_delivers_what_an_earlier_process_left(tmp_path: Path) -> None:
    """A process that captures nothing itself may still empty the spool."""
    options = f"spool_path={str(tmp_path / 'spool')!r}"
    with Receiver() as away:
        pass
    run_script(TEN.replace("ReplayStackClient()", f"ReplayStackClient({options})"), away)
    with Receiver() as receiver:
        result = run_script(
            f"from replaystack import ReplayStackClient\nprint(ReplayStackClient({options}).close())",
            receiver,
        )
        assert result.stdout.strip() == "True"
        assert len(receiver.taken()) == 10


def test_events_whose_file_was_removed_are_said(tmp_path: Path) -> None:
    """The spool has them only as long as nobody deletes it: counted, and said at the end."""
    spool = tmp_path / "spool"
    options = f"spool_path={str(spool)!r}, max_retries=0"
    script = (
        TEN.replace("ReplayStackClient()", f"ReplayStackClient({options})")
        + f"""
import pathlib, time
while client.stats().spooled < 10:
    time.sleep(0.01)
for path in pathlib.Path({str(spool)!r}).iterdir():
    path.unlink()
client.close(1)
print(client.stats().dropped["spool_lost"], client.stats().spooled)
"""
    )
    with Receiver() as away:
        pass
    result = run_script(script, away)
    assert result.stdout.split() == ["10", "0"]


@pytest.mark.parametrize("durability", ["always", "sync"])
def test_a_kill_loses_only_what_the_lag_says(tmp_path: Path, durability: str) -> None:
    """Killed once encode_lag_seconds is 0: everything is on disk. With sync, when the call returns."""
    options = f"spool_path={str(tmp_path / 'spool')!r}, durability={durability!r}, timeout_seconds=25"
    wait = "while client.stats().encode_lag_seconds: time.sleep(0.001)" if durability == "always" else "pass"
    script = (
        TEN.replace("ReplayStackClient()", f"ReplayStackClient({options})")
        + f"""
import os, signal, time
{wait}
os.kill(os.getpid(), signal.SIGKILL)
"""
    )
    with Receiver() as away:
        away.reply = Reply(misbehave="hang")
        assert run_script(script, away).returncode == -9
    with Receiver(capabilities="bulk") as receiver:
        following = f"from replaystack import ReplayStackClient\nReplayStackClient({options}).close()"
        run_script(following, receiver)
        assert sorted(event["endpoint"] for event in receiver.taken()) == [f"job-{n}" for n in range(10)]
