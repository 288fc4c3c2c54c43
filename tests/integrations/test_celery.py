"""A real celery worker with forked children, on both brokers: each run of a task is one event."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from kombu.entity import Queue
from tests.integrations.services import amqp_url, redis_url
from tests.receiver import Receiver

from replaystack import ReplayStackClient
from replaystack.integrations.celery import instrument

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
HANG_GUARD_SECONDS = 60
TASKS = "tests.integrations.programs.celery_tasks"


@contextmanager
def worker(receiver: Receiver, broker: str, queue: str, log: Path) -> Iterator[None]:
    """Run a worker with two children; it is told to end in order, and has ended, after the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REPLAYSTACK_")}
    environment |= {
        "PYTHONPATH": str(ROOT),
        "REPLAYSTACK_API_KEY": "rs_test",
        "REPLAYSTACK_ENDPOINT": receiver.origin,
        "TASK_BROKER": broker,
        "TASK_QUEUE": queue,
    }
    options = ["--pool=prefork", "-c2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    command = [sys.executable, "-m", "celery", "-A", TASKS, "worker", *options, "-n", f"{queue}@test"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, cwd=ROOT, start_new_session=True
        )
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG_GUARD_SECONDS) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(receiver: Receiver, log: Path, *values: str, key: str = "endpoint") -> None:
    """Wait until each of `values` has been the `key` of an event; on failure, show what the worker said."""
    count = 0
    try:
        while missing := Counter(values) - Counter(str(event.get(key)) for event in receiver.taken()):
            count = max(count, len(receiver.taken())) + 1
            receiver.events(count)
    except AssertionError as error:
        raise AssertionError(f"{missing} in {error}\n{log.read_text()}") from None


@pytest.mark.slow
@pytest.mark.checklist("O9")
@pytest.mark.parametrize("service", [redis_url, amqp_url], ids=["redis", "rabbitmq"])
def test_every_run_of_a_task_is_one_event(service: Any, tmp_path: Path) -> None:
    """Done, failed, tried again, out of time, expired, lost with its process: each once, with its details."""
    broker, queue, log = service(), f"replaystack-{uuid.uuid4()}", tmp_path / "worker.log"
    app = Celery("sender", broker=broker)
    app.conf.task_queues = [Queue(queue, auto_delete=True, expires=300)]
    ids: dict[str, str] = {}

    def send(name: str, *args: Any, **kwargs: Any) -> None:
        options = {"expires": kwargs.pop("expires")} if "expires" in kwargs else {}
        ids[name] = app.send_task(name, args, kwargs, queue=queue, **options).id

    with Receiver(capabilities="bulk") as receiver:
        with worker(receiver, broker, queue, log):
            send("ship", 7, token="tok_1234567890")
            send("refuse", 8)
            send("stubborn")
            arrived = partial(wait_for, receiver, log)
            arrived("ship", "refuse", "stubborn", "stubborn")
            send("endless")
            send("lost")
            arrived("TimeLimitExceeded", "WorkerLostError", key="errorName")
            expired = app.send_task(
                "ship", (9,), queue=queue, expires=datetime.now(timezone.utc) - timedelta(hours=1)
            )
            arrived("Task expired", key="errorMessage")
        events = receiver.taken()
    app.close()
    # What the child could still say when it was told to end: where the task hung. Celery may be quicker.
    events = [event for event in events if event.get("errorName") != "SystemExit"]
    told = sorted((event["endpoint"], event["status"], event.get("errorName", "")) for event in events)
    assert told == [
        ("endless", "failed", "TimeLimitExceeded"),
        ("lost", "failed", "WorkerLostError"),
        ("refuse", "failed", "LookupError"),
        ("ship", "success", ""),
        ("ship", "warning", ""),
        ("stubborn", "success", ""),
        ("stubborn", "warning", "TimeoutError"),
    ]
    by_id = {event["traceId"]: event for event in events if event["endpoint"] != "stubborn"}
    shipped, refused = by_id[ids["ship"]], by_id[ids["refuse"]]
    assert (shipped["eventType"], shipped["status"], shipped["endpoint"]) == ("queue", "success", "ship")
    assert shipped["requestPayload"]["order"] == 7
    assert "tok_1234567890" not in str(shipped)
    assert shipped["responsePayload"] == {"order": 7, "by": "dhl"}
    assert [crumb["message"] for crumb in shipped["breadcrumbs"]] == ["packed", "label printed"]
    assert shipped["metadata"]["task"]["taskId"] == ids["ship"]
    assert (refused["status"], refused["errorName"]) == ("failed", "LookupError")
    assert refused["stackFrames"][-1]["functionName"] == "refuse"
    stubborn = [event for event in events if event["endpoint"] == "stubborn"]
    first, second = sorted(stubborn, key=lambda event: str(event["status"]), reverse=True)
    assert (first["status"], first["errorName"]) == ("warning", "TimeoutError")
    assert (first["metadata"]["task"]["outcome"], first["traceId"]) == ("retry", second["traceId"])
    assert (second["status"], second["responsePayload"]) == ("success", "second time lucky")
    assert second["metadata"]["task"]["retries"] == 1
    assert by_id[ids["endless"]]["errorName"] == "TimeLimitExceeded"
    assert (by_id[ids["lost"]]["status"], by_id[ids["lost"]]["errorName"]) == ("failed", "WorkerLostError")
    late = by_id[expired.id]
    assert (late["status"], late["metadata"]["task"]["outcome"]) == ("warning", "expired")
    assert late["requestPayload"]["order"] == 9


def test_a_task_in_the_caller_and_the_way_back() -> None:
    """Called eagerly it is a run, too; without the instrument it is none, nor in other applications."""
    app, other = Celery("eager", set_as_current=False), Celery("other", set_as_current=False)
    app.conf.task_always_eager = other.conf.task_always_eager = True

    def add(a: int, b: int) -> int:
        return a + b

    tasks = [each.task(name="add")(add) for each in (app, other)]
    with Receiver() as receiver, ReplayStackClient(api_key="rs_test", endpoint=receiver.origin) as client:
        undo = instrument(app, client)
        try:
            assert [task.delay(1, 2).get() for task in tasks] == [3, 3]
        finally:
            undo()
        undo()
        assert tasks[0].delay(3, 4).get() == 7
        assert client.flush()
        assert receiver.event()["responsePayload"] == 3
