"""A celery application: one event in the main process, the others in the tasks of two forked children.

Its broker is a folder. The harness writes `task <name> <argument>` lines to stdin.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import Any

from celery import Celery, signals
from tests.faults.work import Work

PR_SET_PDEATHSIG = 1

work = Work()
work.capture("main")

folder = Path(work.plan["folder"]) / "broker"
for name in ("queue", "outbox", "control"):
    (folder / name).mkdir(parents=True, exist_ok=True)

app = Celery("faults", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "outbox"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.02,
    },
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    worker_max_tasks_per_child=8 if work.cell.ending == "return" else None,
    task_ignore_result=True,
    worker_redirect_stdouts=False,  # else stderr is a logger, and its level hides what we say
    worker_lost_wait=0.1,  # else it waits ten seconds for the answer of a child that is gone
)


def begin(**_: Any) -> None:
    """Say that a child is up.

    celery asks the kernel to kill children whose parent ends, and the kernel means the thread that
    forked. A child that replaces another is forked by a thread that ends at the warm shutdown: it
    would be killed in the middle of that, perhaps holding the lock that its sibling waits for.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 0)
    work.say("ready")


def finish(**_: Any) -> None:
    """Say what a child's ledger holds: neither atexit nor a finalizer runs there, celery ends by os._exit."""
    if work.cell.ending != "os._exit":
        work.account("shutdown")


def capture(mark: str) -> None:
    """Capture one event, every third of them large."""
    work.capture(mark, large=int(mark) % 3 == 0)


def end(_: str) -> None:
    """End this child."""
    work.end()


def tick(_: str) -> None:
    """Do nothing, so that a child comes to its limit of tasks."""


def obey(**_: Any) -> None:
    """Send the tasks that the harness asks for."""

    def read() -> None:
        # Not sys.stdin: a child that is forked while this thread waits in it could never close it.
        unfinished = b""
        while data := os.read(0, 4096):
            *lines, unfinished = (unfinished + data).split(b"\n")
            for line in lines:
                name, argument = line.decode().split()[1:]
                app.send_task(name, (argument,))
                for message in (folder / "outbox").iterdir():  # kombu would take a file that is half written
                    message.rename(folder / "queue" / message.name)

    threading.Thread(target=read, daemon=True).start()
    work.say("ready")


signals.worker_process_init.connect(begin)
signals.worker_process_shutdown.connect(finish)
signals.worker_ready.connect(obey)
for task in (capture, end, tick):
    app.task(name=task.__name__)(task)
