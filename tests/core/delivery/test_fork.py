"""What a forked child inherits: nothing that could hang it, and nothing that is its parent's to send."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")

HANG_GUARD_SECONDS = 60

PRELUDE = """
import json, os, sys, threading, time
from replaystack import ReplayStackClient

def endpoint(name):
    return {"endpoint": name}

def in_child(work):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            result = work()
        except BaseException as error:
            result = repr(error)
        os.write(write, json.dumps(result).encode())
        os._exit(0)
    os.close(write)
    chunks = b""
    while True:
        chunk = os.read(read, 65536)
        if not chunk:
            break
        chunks += chunk
    os.waitpid(pid, 0)
    return json.loads(chunks)

def books(client):
    stats = client.stats()
    gone = stats.delivered + sum(stats.dropped.values())
    assert stats.captured + stats.adopted == gone + stats.queued + stats.in_flight + stats.spooled, stats
    return [stats.captured, stats.delivered, sum(stats.dropped.values())]
"""


def run(script: str, receiver: Receiver, *arguments: str) -> list[str]:
    """Run a script with a client pointed at `receiver`; return the lines that it printed."""
    done = subprocess.run(
        # From 3.12 on Python warns of every fork with threads; that it works is the point here.
        [sys.executable, "-W", "error", "-W", "ignore:This process", "-c", PRELUDE + script, *arguments],
        env={"REPLAYSTACK_API_KEY": "k", "REPLAYSTACK_ENDPOINT": receiver.origin},
        capture_output=True, text=True, timeout=HANG_GUARD_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert "undelivered" not in done.stderr, done.stderr
    return done.stdout.splitlines()


EVERY_LOCK = """
client = ReplayStackClient()
client.capture_event(endpoint="parent")
client.flush(20)
delivery = client.recorder.lifetime.delivery
pump, worker = delivery.pump, delivery.worker
held, go = threading.Event(), threading.Event()

def hold():
    import logging
    with pump.backlog._lock, pump.ownership, worker._starting:
        pump.backlog.inbox._semaphore.acquire(blocking=False)
        held.set()
        go.wait(30)

threading.Thread(target=hold, daemon=True).start()
held.wait(30)

def child():
    client.capture_event(endpoint="child")
    ended = client.flush(20)
    return [ended, books(client), client.close(20)]

print(json.dumps(in_child(child)))
go.set()
client.capture_event(endpoint="parent again")
print(client.close(20), books(client))
"""


def test_a_child_works_although_another_thread_held_every_lock() -> None:
    """Fork at the worst moment: the child captures, flushes and closes; so does the parent."""
    with Receiver(capabilities="bulk") as receiver:
        lines = run(EVERY_LOCK, receiver)
        assert lines == ["[true, [1, 1, 0], true]", "True [2, 2, 0]"]
        assert sorted(event["endpoint"] for event in receiver.taken()) == ["child", "parent", "parent again"]


QUEUED = """
client = ReplayStackClient(batch_interval_seconds=600)
client.capture_event(endpoint="wake")
client.flush(20)
for number in range(20):
    client.capture_event(endpoint="parent")

def child():
    before = books(client)
    client.capture_event(endpoint="child")
    return [before, client.close(20), books(client)]

print(json.dumps(in_child(child)))
print(client.close(20), books(client))
"""


def test_a_child_never_sends_what_its_parent_queued() -> None:
    """The ledger of a child begins with zeros, and each event is sent once, by who captured it."""
    with Receiver(capabilities="bulk") as receiver:
        assert run(QUEUED, receiver) == ["[[0, 0, 0], true, [1, 1, 0]]", "True [21, 21, 0]"]
        endpoints = [event["endpoint"] for event in receiver.taken()]
        assert (endpoints.count("parent"), endpoints.count("child"), len(endpoints)) == (20, 1, 22)
        ids = [event["metadata"]["replaystack"]["eventId"] for event in receiver.taken()]
        assert len(set(ids)) == len(ids)


def test_a_child_is_a_stream_of_its_own() -> None:
    """New stream id, its sequence from 0, and connections of its own."""
    with Receiver(capabilities="bulk") as receiver:
        run(QUEUED, receiver)
        owns = [event["metadata"]["replaystack"] for event in receiver.taken()]
        streams = {own["process"] for own in owns}
        assert len(streams) == 2
        for stream in streams:
            numbers = sorted(own["sequence"] for own in owns if own["process"] == stream)
            assert numbers == list(range(len(numbers)))
        by_stream: dict[str, set[int]] = {}
        for request in receiver.posts():
            for event in request.json.get("events", [request.json]):
                own = event["metadata"]["replaystack"]["process"]
                by_stream.setdefault(own, set()).add(request.connection)
        first, second = by_stream.values()
        assert not first & second


STORM = """
client = ReplayStackClient()
stop = threading.Event()
captured = [0, 0, 0]

def storm(index):
    while not stop.is_set():
        client.capture_event(endpoint="parent")
        captured[index] += 1
        time.sleep(0.0005)

threads = [threading.Thread(target=storm, args=(index,)) for index in range(3)]
for thread in threads:
    thread.start()

def child():
    for _ in range(5):
        client.capture_event(endpoint="child")
    return [client.close(30), books(client)]

results = [in_child(child) for _ in range(15)]
stop.set()
for thread in threads:
    thread.join()
print(all(result == [True, [5, 5, 0]] for result in results), results[:2])
print(client.close(30), books(client)[1] == sum(captured), sum(captured))
"""


def test_forks_amid_a_storm_of_captures() -> None:
    """Fifteen forks while three threads capture and one sends: every child works, nothing is sent twice."""
    with Receiver(capabilities="bulk") as receiver:
        children, parent = run(STORM, receiver)
        assert children.startswith("True"), children
        closed, complete, count = parent.split()
        assert (closed, complete) == ("True", "True"), parent
        assert len(receiver.taken()) == int(count) + 75
        ids = {event["metadata"]["replaystack"]["eventId"] for event in receiver.taken()}
        assert len(ids) == int(count) + 75


GRANDCHILD = """
client = ReplayStackClient()
client.capture_event(endpoint="parent")

def grandchild():
    client.capture_event(endpoint="grandchild")
    return [client.close(20), books(client)]

def child():
    client.capture_event(endpoint="child")
    below = in_child(grandchild)
    return [below, client.close(20), books(client)]

print(json.dumps(in_child(child)))
print(client.close(20), books(client))
"""


def test_a_child_of_a_child() -> None:
    """Each generation has its own account."""
    with Receiver() as receiver:
        lines = run(GRANDCHILD, receiver)
        assert lines == ["[[true, [1, 1, 0]], true, [1, 1, 0]]", "True [1, 1, 0]"]
        assert len(receiver.taken()) == 3


IN_HOOK = """
def hook(event):
    if event["endpoint"] == "parent":
        forked.append(in_child(child))
    return event

client = ReplayStackClient(before_send=hook)
forked = []

def child():
    client.capture_event(endpoint="child")
    return [client.close(20), books(client)]

client.capture_event(endpoint="parent")
print(client.close(20), books(client), json.dumps(forked))
"""


def test_a_fork_inside_of_a_hook() -> None:
    """The child is inside of the SDK's own work on its one thread; it captures all the same."""
    with Receiver() as receiver:
        (line,) = run(IN_HOOK, receiver)
        assert line == "True [1, 1, 0] [[true, [1, 1, 0]]]"


SPOOL = """
client = ReplayStackClient(spool_path=sys.argv[1], durability="always", max_retries=0, timeout_seconds=5)
client.capture_event(endpoint="parent")
deadline = time.monotonic() + 30
while client.stats().spooled + client.stats().delivered + client.stats().in_flight < 1:
    assert time.monotonic() < deadline
    time.sleep(0.01)

def child():
    client.capture_event(endpoint="child")
    return [client.close(20), books(client)]

print(json.dumps(in_child(child)))
print(client.close(20), books(client))
"""


def test_parent_and_child_share_a_spool_directory_and_no_segment(tmp_path: Path) -> None:
    """Neither sends the other's events while both live, and nothing is left behind."""
    with Receiver() as receiver:
        lines = run(SPOOL, receiver, str(tmp_path / "spool"))
        assert lines == ["[true, [1, 1, 0]]", "True [1, 1, 0]"]
        assert sorted(event["endpoint"] for event in receiver.taken()) == ["child", "parent"]
    assert list((tmp_path / "spool").iterdir()) == []


SYNC = """
client = ReplayStackClient(async_send=False)
client.capture_event(endpoint="parent")

def child():
    answer = client.capture_event(endpoint="child")
    return [answer is not None, client.close(20), books(client), threading.active_count()]

print(json.dumps(in_child(child)))
print(client.close(20), books(client))
"""


def test_a_sync_client_forks_as_well() -> None:
    """The child sends over a connection of its own, without any thread."""
    with Receiver() as receiver:
        assert run(SYNC, receiver) == ["[true, true, [1, 1, 0], 1]", "True [1, 1, 0]"]
        assert len({post.connection for post in receiver.posts()}) == 2


PROCESSES = """
import multiprocessing

def work(number):
    client.capture_event(endpoint=f"job-{number}")

def main(method):
    context = multiprocessing.get_context(method)
    processes = [context.Process(target=work, args=(number,)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    print([process.exitcode for process in processes])

client = ReplayStackClient()
if __name__ == "__main__":
    client.capture_event(endpoint="parent")
    main(sys.argv[1])
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_deliver_at_their_end(tmp_path: Path, method: str) -> None:
    """They leave by os._exit, past atexit; what they captured arrives all the same."""
    script = tmp_path / "program.py"
    script.write_text(PRELUDE + PROCESSES)
    with Receiver(capabilities="bulk") as receiver:
        done = subprocess.run(
            [sys.executable, str(script), method],
            env={"REPLAYSTACK_API_KEY": "k", "REPLAYSTACK_ENDPOINT": receiver.origin},
            capture_output=True, text=True, timeout=HANG_GUARD_SECONDS, check=False,
        )  # fmt: skip
        assert done.stdout.strip() == "[0, 0, 0, 0]", done.stderr
        assert done.stderr == ""
        endpoints = sorted(event["endpoint"] for event in receiver.taken())
        assert endpoints == ["job-0", "job-1", "job-2", "job-3", "parent"]
