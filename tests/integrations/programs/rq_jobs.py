"""Jobs for RQ that end in every way there is; as a program, a worker that works them off."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from replaystack import ReplayStackClient, add_breadcrumb
from replaystack.jobs import current_job


def ship(order: int, *, password: str = "") -> dict[str, Any]:
    """Ship an order."""
    run = current_job()
    assert run is not None
    run.progress("packed", order=order)
    add_breadcrumb("label printed")
    return {"order": order}


def refuse(order: int) -> None:
    """Fail."""
    raise LookupError(f"no order {order}")


def again() -> Any:
    """Ask for another try."""
    from rq import Retry

    return Retry(max=1)


def endless() -> None:
    """Run out of time."""
    threading.Event().wait()


def lost() -> None:
    """Take the work horse along."""
    os.kill(os.getpid(), signal.SIGKILL)


def work(kind: str, queue: str) -> None:
    """Work off `queue` and end."""
    import rq
    from redis import Redis

    from replaystack.integrations.rq import instrument

    client = ReplayStackClient()
    connection = Redis.from_url(os.environ["REDIS_URL"])
    if kind == "class":
        worker_class = type("CapturingWorker", (rq.Worker,), {})
        instrument(worker_class, client)
        worker: Any = worker_class([queue], connection=connection)
    else:
        worker = getattr(rq, kind)([queue], connection=connection)
        instrument(worker, client)
        instrument(worker, client)  # twice is once
    worker.work(burst=True)
    client.close()


if __name__ == "__main__":
    work(*sys.argv[1:])
