"""A real RQ worker with a work horse for each job: each run is one event, and none is lost with its horse."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from tests.integrations.services import redis_url
from tests.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
HANG_GUARD_SECONDS = 100
JOBS = "tests.integrations.programs.rq_jobs"


def work_off(kind: str, jobs: dict[str, dict[str, Any]], expected: int) -> dict[str, list[dict[str, Any]]]:
    """Enqueue `jobs`, let a worker work them off, and return the events by job id."""
    url, name = redis_url(), f"replaystack-{uuid.uuid4()}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("REPLAYSTACK_")}
    connection = Redis.from_url(url)
    queue = Queue(name, connection=connection)
    names = {
        queue.enqueue(f"{JOBS}.{job}", result_ttl=60, failure_ttl=60, **arguments).id: job
        for job, arguments in jobs.items()
    }
    try:
        with Receiver() as receiver:
            environment |= {
                "PYTHONPATH": str(ROOT),
                "REPLAYSTACK_API_KEY": "rs_test",
                "REPLAYSTACK_ENDPOINT": receiver.origin,
                "REDIS_URL": url,
            }
            done = subprocess.run(
                [sys.executable, "-m", JOBS, kind, name],
                env=environment,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=HANG_GUARD_SECONDS,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            events = receiver.taken()  # all of them: the worker has ended
    finally:
        queue.delete(delete_jobs=True)
        connection.close()
    assert len(events) == expected, (events, done.stderr)
    found: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        found.setdefault(names[event["traceId"]], []).append(event)
    return found


@pytest.mark.slow
@pytest.mark.checklist("O9")
@pytest.mark.parametrize("kind", ["Worker", "class"])
def test_every_run_of_a_job_is_one_event(kind: str) -> None:
    """Done, failed, asked for again, out of time, killed: captured in the work horse, or of it."""
    events = work_off(
        kind,
        {
            "ship": {"args": (7,), "kwargs": {"password": "hunter2"}},
            "refuse": {"args": (8,)},
            "again": {},
            "endless": {"job_timeout": 1},
            "lost": {},
        },
        expected=6,
    )
    (shipped,) = events["ship"]
    assert (shipped["eventType"], shipped["status"]) == ("queue", "success")
    assert shipped["endpoint"] == f"{JOBS}.ship"
    assert shipped["requestPayload"]["order"] == 7
    assert "hunter2" not in str(shipped)
    assert shipped["responsePayload"] == {"order": 7}
    assert [crumb["message"] for crumb in shipped["breadcrumbs"]] == ["packed", "label printed"]
    (refused,) = events["refuse"]
    assert (refused["status"], refused["errorName"]) == ("failed", "LookupError")
    assert refused["stackFrames"][-1]["functionName"] == "refuse"
    assert [event["status"] for event in events["again"]] == ["warning", "warning"]
    assert events["endless"][0]["errorName"] == "JobTimeoutException"
    (lost,) = events["lost"]
    assert (lost["status"], lost["errorName"]) == ("failed", "WorkHorseKilled")


def test_a_worker_without_horses() -> None:
    """`SimpleWorker` runs jobs in its own process; the events leave with that."""
    events = work_off("SimpleWorker", {"ship": {"args": (1,)}, "refuse": {"args": (2,)}}, expected=2)
    assert (events["ship"][0]["status"], events["refuse"][0]["status"]) == ("success", "failed")
