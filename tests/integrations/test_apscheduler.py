"""Real schedulers of APScheduler 3.x: each run is an event, and the logger hears of all else."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_SUBMITTED
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler
from tests.receiver import Receiver

from replaystack import ReplayStackClient, configure_domains
from replaystack.integrations.apscheduler import instrument
from replaystack.jobs import current_job
from replaystack.logs.sinks import remove_sink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUARD_SECONDS = 30


class Journal:
    """A logger that keeps what it is told, and can be waited for."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, dict[str, Any]]] = []
        self._arrival = threading.Condition()

    def _keep(self, level: str, message: str, fields: dict[str, Any]) -> None:
        with self._arrival:
            self.entries.append((level, message, fields))
            self._arrival.notify_all()

    def debug(self, message: str, /, **fields: Any) -> None:
        self._keep("debug", message, fields)

    def info(self, message: str, /, **fields: Any) -> None:
        self._keep("info", message, fields)

    def warning(self, message: str, /, **fields: Any) -> None:
        self._keep("warning", message, fields)

    def error(self, message: str, /, **fields: Any) -> None:
        self._keep("error", message, fields)

    def named(self, message: str) -> list[dict[str, Any]]:
        """Return the fields of all entries with that message."""
        return [fields for _, said, fields in self.entries if said == message]

    def wait_for(self, message: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until a message came so often."""
        with self._arrival:
            assert self._arrival.wait_for(lambda: len(self.named(message)) >= count, GUARD_SECONDS), (
                self.entries
            )
        return self.named(message)

    @property
    def told(self) -> list[tuple[str, str]]:
        """Levels and messages, in order."""
        return [(level, message) for level, message, _ in self.entries]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver."""
    with Receiver() as running:
        yield running


@pytest.fixture
def journal() -> Journal:
    """Return an empty journal."""
    return Journal()


def settle(scheduler: BackgroundScheduler) -> None:
    """Wait for the scheduler's loop: shut down in the middle of it, it misses the job it has just run."""
    scheduler.get_jobs()  # the loop holds the lock of these until it has removed what is over


@pytest.fixture
def scheduler() -> Iterator[BackgroundScheduler]:
    """Return a scheduler that is not started; it is shut down at the end."""
    made = BackgroundScheduler(timezone=timezone.utc)
    yield made
    if made.running:
        settle(made)
        made.shutdown(wait=True)


def report(day: str = "", *, password: str = "") -> dict[str, int]:
    """Work in three steps."""
    run = current_job()
    if run is not None:
        run.progress("read", rows=3).progress("written")
    return {"rows": len(day)}


def break_down() -> None:
    """Fail."""
    raise LookupError("no rates today")


def die() -> None:
    """Take the whole process along."""
    os._exit(7)


def _now() -> datetime:
    return datetime.now(timezone.utc)


@pytest.mark.checklist("O9")
@pytest.mark.checklist("O10")
def test_the_life_of_a_background_scheduler(
    scheduler: BackgroundScheduler, client: ReplayStackClient, receiver: Receiver, journal: Journal
) -> None:
    """Initialised, registered, started, run, failed, missed, waiting, stopped: each with its details."""
    instrument(scheduler, client, logger=journal)
    scheduler.add_job(
        report,
        "date",
        run_date=_now(),
        args=["2026-01-01"],
        kwargs={"password": "pw"},
        id="report",
        misfire_grace_time=None,
    )
    assert journal.told == [("info", "Scheduler initialization")]
    scheduler.start()
    assert journal.told[1:3] == [("debug", "Job registered"), ("info", "Scheduler started")]
    assert journal.named("Job registered")[0]["job_id"] == "report"
    (completed,) = journal.wait_for("Task completed")
    assert (completed["task_id"], completed["status"]) == ("report", "success")
    assert completed["duration_ms"] >= 0

    scheduler.add_job(break_down, "date", run_date=_now(), id="break", misfire_grace_time=None)
    (failed,) = journal.wait_for("Task failed")
    assert (failed["task_id"], failed["error"], failed["status"]) == ("break", "no rates today", "failed")
    assert isinstance(failed["exc_info"], LookupError)
    scheduler.add_job(
        report, "date", run_date=_now() - timedelta(hours=1), args=["x"], id="late", misfire_grace_time=1
    )
    assert client.flush()
    events = {event["endpoint"]: event for event in receiver.events(3)}
    settle(scheduler)
    scheduler.shutdown(wait=True)
    assert journal.told[-3:] == [
        ("info", "Scheduler shutdown requested"),
        ("debug", "Waiting for 0 jobs to complete"),
        ("info", "Scheduler stopped"),
    ]

    good = events["report"]
    assert (good["eventType"], good["status"], good["responsePayload"]) == ("cron", "success", {"rows": 10})
    assert good["requestPayload"]["day"] == "2026-01-01"
    assert good["requestPayload"]["password"] != "pw"
    assert [crumb["message"] for crumb in good["breadcrumbs"]] == ["read", "written"]
    assert good["metadata"]["scheduler"]["jobId"] == "report"
    bad = events["break"]
    assert (bad["status"], bad["errorName"]) == ("failed", "LookupError")
    assert bad["stackFrames"][-1]["functionName"] == "break_down"
    assert "break_down" in bad["stackTrace"]
    assert bad["executionTimeMs"] >= 0
    missed = events["late"]
    assert (missed["status"], missed["metadata"]["scheduler"]["reason"]) == ("warning", "missed")
    assert [level for level, message, _ in journal.entries if "missed its run time" in message] == ["warning"]


def test_waiting_jobs_are_counted_and_waited_for(
    scheduler: BackgroundScheduler, client: ReplayStackClient, receiver: Receiver, journal: Journal
) -> None:
    """At the shutdown the runs under way are named, not the jobs that are registered; they are captured."""
    began, go = threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        assert go.wait(GUARD_SECONDS)

    instrument(scheduler, client, logger=journal)
    scheduler.add_job(report, "interval", hours=5, id="never")
    scheduler.add_job(slow, "date", run_date=_now(), id="slow", misfire_grace_time=None)
    scheduler.start()
    assert began.wait(GUARD_SECONDS)
    ending = threading.Thread(target=scheduler.shutdown)
    ending.start()
    (waiting,) = journal.wait_for("Waiting for 1 jobs to complete")
    assert waiting["job_ids"] == ["slow"]
    go.set()
    ending.join(GUARD_SECONDS)
    assert not ending.is_alive()
    assert journal.told[-2:] == [("info", "Task completed"), ("info", "Scheduler stopped")]
    assert client.flush()
    assert receiver.event()["endpoint"] == "slow"


def test_a_missed_run_during_the_shutdown_blocks_nothing(
    scheduler: BackgroundScheduler, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A run that turns out to be too late while the scheduler, with its locks, waits for it."""
    began, go = threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        assert go.wait(GUARD_SECONDS)

    scheduler.add_executor("threadpool", "one", max_workers=1)
    instrument(scheduler, client)
    scheduler.add_job(slow, "date", run_date=_now(), misfire_grace_time=None, executor="one", id="slow")
    scheduler.start()
    assert began.wait(GUARD_SECONDS)
    submitted = threading.Event()
    scheduler.add_listener(lambda _: submitted.set(), EVENT_JOB_SUBMITTED)
    an_hour_ago = _now() - timedelta(hours=1)
    scheduler.add_job(report, "date", run_date=an_hour_ago, misfire_grace_time=1, executor="one", name="late")
    assert submitted.wait(GUARD_SECONDS)
    ending = threading.Thread(target=scheduler.shutdown, daemon=True)
    ending.start()
    go.set()
    ending.join(GUARD_SECONDS)
    assert not ending.is_alive()
    assert client.flush()
    assert {event["endpoint"]: event["status"] for event in receiver.events(2)} == {
        "slow": "success",
        "late": "warning",
    }


def test_too_many_instances_are_told(
    scheduler: BackgroundScheduler, client: ReplayStackClient, receiver: Receiver, journal: Journal
) -> None:
    """A run that is skipped because the last one is still at work is a warning."""
    go = threading.Event()
    instrument(scheduler, client, logger=journal)
    scheduler.add_job(go.wait, "interval", seconds=0.02, args=[GUARD_SECONDS], id="busy")
    scheduler.start()
    assert client.flush()
    event = receiver.events(1)[0]
    scheduler.remove_job("busy")
    go.set()
    assert (event["endpoint"], event["status"]) == ("busy", "warning")
    assert event["metadata"]["scheduler"]["reason"] == "max_instances"


@pytest.mark.checklist("O9")
@pytest.mark.checklist("O10")
def test_an_asyncio_scheduler(client: ReplayStackClient, receiver: Receiver, journal: Journal) -> None:
    """Coroutines run on the loop, plain functions beside it; what the shutdown cancels has failed."""

    async def main() -> None:
        scheduler = AsyncIOScheduler(timezone=timezone.utc)
        done, begun = asyncio.Event(), asyncio.Event()

        async def feed(source: str) -> int:
            run = current_job()
            assert run is not None
            run.progress("asked")
            await asyncio.sleep(0)
            client.add_breadcrumb(f"from {source}")
            done.set()
            return 5

        async def endless() -> None:
            begun.set()
            await asyncio.get_running_loop().create_future()

        executed = threading.Semaphore(0)  # released when the scheduler no longer counts a run
        scheduler.add_listener(lambda _: executed.release(), EVENT_JOB_EXECUTED)
        undo = instrument(scheduler, client, logger=journal)
        assert instrument(scheduler, client) == undo  # twice is once
        now = {"run_date": _now(), "misfire_grace_time": None}
        scheduler.add_job(feed, "date", args=["bank"], **now)
        scheduler.add_job(endless, "date", id="endless", **now)
        scheduler.add_job(report, "date", args=["x"], kwargs={"password": ""}, id="plain", **now)
        scheduler.start()
        await asyncio.wait_for(done.wait(), GUARD_SECONDS)
        await asyncio.wait_for(begun.wait(), GUARD_SECONDS)
        assert await asyncio.to_thread(executed.acquire, timeout=GUARD_SECONDS)
        assert await asyncio.to_thread(executed.acquire, timeout=GUARD_SECONDS)
        scheduler.shutdown()
        await asyncio.to_thread(journal.wait_for, "Scheduler stopped")
        await asyncio.to_thread(journal.wait_for, "Task failed")

    asyncio.run(main())
    assert client.flush()
    events = {event["endpoint"]: event for event in receiver.events(3)}
    fed = next(event for name, event in events.items() if name.endswith("feed"))  # no id: its name
    assert (fed["status"], fed["responsePayload"], fed["requestPayload"]) == (
        "success",
        5,
        {"source": "bank"},
    )
    assert [crumb["message"] for crumb in fed["breadcrumbs"]] == ["asked", "from bank"]
    assert events["plain"]["status"] == "success"
    assert (events["endless"]["status"], events["endless"]["errorName"]) == ("failed", "CancelledError")
    (waiting,) = [message for message in journal.told if message[1].startswith("Waiting for")]
    assert waiting == ("debug", "Waiting for 1 jobs to complete")


def test_a_pool_of_processes(client: ReplayStackClient, receiver: Receiver, journal: Journal) -> None:
    """A run in another process is captured from outside: result, traceback, and the death of its process."""
    scheduler = BackgroundScheduler(
        timezone=timezone.utc, executors={"default": ProcessPoolExecutor(max_workers=1)}
    )
    instrument(scheduler, client, logger=journal)
    scheduler.start()
    try:
        for function, arguments in ((report, {"password": "pw"}), (break_down, {}), (die, {})):
            args = ["x"] if arguments else []
            scheduler.add_job(
                function,
                "date",
                run_date=_now(),
                args=args,
                kwargs=arguments,
                id=function.__name__,
                misfire_grace_time=None,
            )
            message = "Task completed" if arguments else "Task failed"
            journal.wait_for(message, 2 if function is die else 1)
    finally:
        scheduler.shutdown()
    assert client.flush()
    events = {event["endpoint"]: event for event in receiver.events(3)}
    assert (events["report"]["status"], events["report"]["responsePayload"]) == ("success", {"rows": 1})
    assert events["report"]["requestPayload"]["kwargs"]["password"] != "pw"
    assert (events["break_down"]["status"], events["break_down"]["errorName"]) == ("failed", "LookupError")
    assert "in break_down" in events["break_down"]["stackTrace"]
    assert (events["die"]["status"], events["die"]["errorName"]) == ("failed", "BrokenProcessPool")


@pytest.mark.checklist("O10")
def test_the_life_is_in_the_scheduler_domain(
    scheduler: BackgroundScheduler, client: ReplayStackClient, receiver: Receiver, tmp_path: Path
) -> None:
    """Without a logger of the caller's it is the domain `scheduler`: ids, traceback, and the event's logs."""
    files = configure_domains(tmp_path, console=False, format="json")
    try:
        instrument(scheduler, client)
        failed = threading.Event()
        scheduler.add_listener(lambda _: failed.set(), EVENT_JOB_ERROR)
        scheduler.add_job(break_down, "date", run_date=_now(), id="break", misfire_grace_time=None)
        scheduler.start()
        assert failed.wait(GUARD_SECONDS)
        scheduler.shutdown()
    finally:
        remove_sink(files)
        files.close()
    lines = [json.loads(line) for line in (tmp_path / "scheduler.log").read_text().splitlines()]
    messages = [line["message"] for line in lines]
    assert messages[:3] == ["Scheduler initialization", "Job registered", "Scheduler started"]
    assert sorted(messages[3:6]) == ["Job removed", "Task failed", "Task started"]  # two threads
    assert messages[6] == "Scheduler shutdown requested"
    assert messages[-1] == "Scheduler stopped"
    (bad,) = [line for line in lines if line["message"] == "Task failed"]
    assert (bad["context"]["task_id"], bad["context"]["status"]) == ("break", "failed")
    assert bad["error_stack"].endswith("LookupError: no rates today")
    assert "exc_info" not in bad["context"]
    assert client.flush()
    event = receiver.event()
    assert [line["message"] for line in event["logs"]] == ["Task started", "Task failed"]


def test_removed_it_captures_no_more(
    scheduler: BackgroundScheduler, client: ReplayStackClient, journal: Journal
) -> None:
    """The function that `instrument` returns gives the scheduler back as it was."""
    shutdown = scheduler.shutdown
    scheduler.start()
    undo = instrument(scheduler, client, logger=journal)
    undo()
    undo()
    assert scheduler.shutdown == shutdown
    assert "_do_submit_job" not in scheduler._executors["default"].__dict__
    ran = threading.Event()
    scheduler.add_job(ran.set, "date", run_date=_now(), misfire_grace_time=None)
    assert ran.wait(GUARD_SECONDS)
    settle(scheduler)
    scheduler.shutdown()
    assert client.stats().captured == 0
    assert journal.told == [("info", "Scheduler initialization"), ("info", "Scheduler started")]


def test_a_broken_logger_and_no_client_disturb_nothing(scheduler: BackgroundScheduler) -> None:
    """Jobs run as they would where nobody captures and the logger raises."""

    class Broken(Journal):
        def _keep(self, level: str, message: str, fields: dict[str, Any]) -> None:
            raise OSError("disk full")

    instrument(scheduler, logger=Broken())
    ran = threading.Event()
    scheduler.add_job(ran.set, "date", run_date=_now(), misfire_grace_time=None)
    scheduler.start()
    assert ran.wait(GUARD_SECONDS)
    settle(scheduler)
    scheduler.shutdown()
