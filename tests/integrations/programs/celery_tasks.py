"""A celery application whose tasks end in every way there is."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from celery import Celery
from kombu.entity import Queue

from replaystack import ReplayStackClient
from replaystack.integrations.celery import instrument
from replaystack.jobs import current_job

NAME = os.environ["TASK_QUEUE"]

client = ReplayStackClient()
app = Celery("shop", broker=os.environ["TASK_BROKER"])
app.conf.update(
    task_default_queue=NAME,
    task_queues=[Queue(NAME, auto_delete=True, expires=300)],
    task_ignore_result=True,
    task_acks_late=False,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)
instrument(app, client)
instrument(app, client)  # twice is once


@app.task(name="ship")
def ship(order: int, *, token: str = "") -> dict[str, Any]:
    """Ship an order."""
    run = current_job()
    assert run is not None
    run.progress("packed", order=order)
    client.add_breadcrumb("label printed")
    return {"order": order, "by": "dhl"}


@app.task(name="refuse")
def refuse(order: int) -> None:
    """Fail."""
    raise LookupError(f"no order {order}")


@app.task(name="stubborn", bind=True, max_retries=1, default_retry_delay=0)
def stubborn(self: Any) -> str:
    """Fail at first."""
    if self.request.retries == 0:
        raise self.retry(exc=TimeoutError("carrier is slow"))
    return "second time lucky"


@app.task(name="endless", time_limit=1)
def endless() -> None:
    """Run out of time."""
    threading.Event().wait()


@app.task(name="lost")
def lost() -> None:
    """Take the child process along."""
    os.kill(os.getpid(), signal.SIGKILL)
