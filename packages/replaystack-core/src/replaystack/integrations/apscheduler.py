"""APScheduler 3.x: each run of a job is one event, and the scheduler's life is told to a logger.

A run is captured from inside: executors are handed a stand-in for the job whose function is
wrapped, so that breadcrumbs and progress belong to the run. In a pool of processes the function
runs elsewhere; there a run is captured from outside, by the scheduler's own events.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from apscheduler import events
from apscheduler.executors.pool import ProcessPoolExecutor

from ..clock import iso_timestamp
from ..jobs import Job
from ..logs import Logger
from ..recorder.clients import Client, open_recorder
from ..stacktrace import describe_exception, error_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ..jobs import JobLog
    from ..recorder import Recorder

__all__ = ["instrument"]

_ATTRIBUTE = "_replaystack_instruments"
_LIFE = (
    events.EVENT_SCHEDULER_STARTED
    | events.EVENT_SCHEDULER_SHUTDOWN
    | events.EVENT_SCHEDULER_PAUSED
    | events.EVENT_SCHEDULER_RESUMED
    | events.EVENT_EXECUTOR_ADDED
    | events.EVENT_JOB_REMOVED
    | events.EVENT_JOB_EXECUTED
    | events.EVENT_JOB_ERROR
    | events.EVENT_JOB_MISSED
    | events.EVENT_JOB_MAX_INSTANCES
)
_GENERATED_ID = re.compile(r"[0-9a-f]{32}")
"""What `add_job` makes up where no id is given: it names nothing that a person knows."""

_MAX_NAMES = 10_000
"""How many jobs' names are remembered: ids may be new for every run."""


def instrument(
    scheduler: Any, client: Client | None = None, *, logger: JobLog | None = None
) -> Callable[[], None]:
    """Capture every run of `scheduler`'s jobs. Call it before or after `start`; twice counts once.

    Args:
        scheduler: a `BackgroundScheduler`, `AsyncIOScheduler` or another one of APScheduler 3.x.
        client: a `ReplayStackClient`; None means the default client at the time of each run.
        logger: what hears of the scheduler's life and of each run's start and end.
            None means the logger `scheduler` of the client.

    Returns:
        A function that takes all of it away again. Runs under way are still captured.

    """
    installed: list[_Instrument] = scheduler.__dict__.setdefault(_ATTRIBUTE, [])
    for known in installed:
        if known.client is client:
            return known.remove
    new = _Instrument(scheduler, client, logger)
    installed.append(new)
    new.install()
    return new.remove


class _StandIn:
    """A job as an executor reads it, with another function."""

    __slots__ = ("_job", "func")

    def __init__(self, job: Any, func: Callable[..., Any]) -> None:
        self._job = job
        self.func = func

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)

    def __str__(self) -> str:
        return str(self._job)


class _Outside:
    """A run in another process: when it was handed over, and what its event will say."""

    __slots__ = ("fields", "handed_over", "started_at")

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.handed_over = time.monotonic()
        self.started_at = time.time()


class _Instrument:
    """What is installed on one scheduler for one client. Executors and listeners call from any thread."""

    def __init__(self, scheduler: Any, client: Client | None, logger: JobLog | None) -> None:
        self.client = client
        self._scheduler = scheduler
        self._log: JobLog = logger or Logger("scheduler", None if client is None else client.recorder)
        self._is_active = True
        self._undo: list[Callable[[], None]] = []
        # A dict's own steps are atomic: a run is taken out by whoever comes first.
        self._outside: dict[tuple[str, datetime], _Outside] = {}
        # By id, for runs of which only the id is told. The scheduler is not asked: while it shuts
        # down it holds its locks, and waits for the very threads that would ask.
        self._names: dict[str, str] = {}

    # -- putting on and taking off ----------------------------------------------------------------

    def install(self) -> None:
        scheduler = self._scheduler
        scheduler.add_listener(self._listen, _LIFE)
        self._replace(scheduler, "shutdown", self._shutdown)
        # Where every job passes, pending ones at the start; the event that follows knows the id only.
        self._replace(scheduler, "_real_add_job", self._added)
        for alias in list(scheduler._executors):  # noqa: SLF001 - what `add_executor` was given; there is no view
            self._watch_executor(alias)
        self._say("info", "Scheduler initialization", scheduler=type(scheduler).__name__)
        if scheduler.running:
            for job in scheduler.get_jobs():
                self._registered(job)
            self._say("info", "Scheduler started")

    def remove(self) -> None:
        if not self._is_active:
            return
        self._is_active = False
        self._scheduler.remove_listener(self._listen)
        while self._undo:
            self._undo.pop()()
        self._scheduler.__dict__[_ATTRIBUTE].remove(self)

    def _replace(self, owner: Any, name: str, with_what: Callable[..., Any]) -> None:
        """Put `with_what(before, ...)` in front of one object's method, until `remove`."""
        before = getattr(owner, name)

        def ours(*args: Any, **kwargs: Any) -> Any:
            return with_what(before, *args, **kwargs) if self._is_active else before(*args, **kwargs)

        def restore() -> None:
            if owner.__dict__.get(name) is ours:  # else somebody has put theirs on top: ours passes on
                del owner.__dict__[name]
                if getattr(owner, name) != before:
                    setattr(owner, name, before)

        setattr(owner, name, ours)
        self._undo.append(restore)

    def _added(self, before: Callable[..., Any], job: Any, *args: Any) -> Any:
        result = before(job, *args)
        self._registered(job)
        return result

    def _registered(self, job: Any) -> None:
        self._remember(job)
        self._say("debug", "Job registered", **_job_fields(job))

    def _remember(self, job: Any) -> None:
        if len(self._names) >= _MAX_NAMES:
            self._names.clear()  # those that run again come back
        self._names[job.id] = _name(job)

    def _watch_executor(self, alias: str) -> None:
        executor = self._scheduler._executors[alias]  # noqa: SLF001 - see `install`

        def submit(before: Callable[..., Any], job: Any, run_times: Sequence[datetime]) -> Any:
            recorder = open_recorder(self.client)
            if recorder is not None:
                with recorder.guard.protect("handing over a job"):
                    job = self._prepared(recorder, executor, job, run_times)
            return before(job, run_times)

        # What an executor subclass implements, and nothing else calls.
        self._replace(executor, "_do_submit_job", submit)
        if isinstance(executor, ProcessPoolExecutor):
            self._replace(executor, "_run_job_error", self._lost)

    def _prepared(self, recorder: Recorder, executor: Any, job: Any, run_times: Sequence[datetime]) -> Any:
        """Return what the executor is to run instead of `job`."""
        fields = _run_fields(job)
        self._remember(job)
        if isinstance(executor, ProcessPoolExecutor):
            for run_time in run_times:
                outside = dict(fields, args=job.args, kwargs=job.kwargs)
                self._outside[job.id, run_time] = _Outside(outside)
            return job
        if len(run_times) == 1:
            fields["metadata"]["scheduler"]["scheduledRunTime"] = run_times[0].isoformat()
        return _StandIn(job, Job(recorder, _name(job), "cron", fields, log=self._log)(job.func))

    # -- what happens -----------------------------------------------------------------------------

    def _listen(self, event: Any) -> None:
        code, recorder = event.code, open_recorder(self.client)
        try:
            if code == events.EVENT_EXECUTOR_ADDED:
                self._watch_executor(event.alias)
            elif code == events.EVENT_SCHEDULER_STARTED:
                self._say("info", "Scheduler started")
            elif code == events.EVENT_SCHEDULER_SHUTDOWN:
                self._say("info", "Scheduler stopped")
            elif code == events.EVENT_SCHEDULER_PAUSED:
                self._say("info", "Scheduler paused")
            elif code == events.EVENT_SCHEDULER_RESUMED:
                self._say("info", "Scheduler resumed")
            elif code == events.EVENT_JOB_REMOVED:
                self._say("debug", "Job removed", job_id=event.job_id)
            elif recorder is not None:
                self._run_ended(recorder, event)
        except Exception as error:  # noqa: BLE001 - a listener of ours must not disturb the scheduler
            if recorder is not None:
                recorder.guard.caught(error, "listening to a scheduler")

    def _run_ended(self, recorder: Recorder, event: Any) -> None:
        if event.code == events.EVENT_JOB_MAX_INSTANCES:
            for run_time in event.scheduled_run_times:
                self._missed(recorder, event, run_time, "max_instances")
            return
        outside = self._outside.pop((event.job_id, event.scheduled_run_time), None)
        if event.code == events.EVENT_JOB_MISSED:
            self._missed(recorder, event, event.scheduled_run_time, "missed")
        elif outside is not None:
            if event.code == events.EVENT_JOB_EXECUTED:
                self._capture(recorder, outside, {"status": "success", "response_payload": event.retval})
            else:
                self._failed(recorder, outside, event.exception, event.traceback)

    def _missed(self, recorder: Recorder, event: Any, run_time: datetime, reason: str) -> None:
        """Capture a run that did not take place: too late, or too many of its kind at work."""
        name = self._names.get(event.job_id, event.job_id)
        text = f"Job missed its run time {run_time.isoformat()}"
        if reason == "max_instances":
            text = f"Job skipped at {run_time.isoformat()}: as many instances as allowed are running"
        self._say("warning", text, job_id=event.job_id, reason=reason)
        details = {"jobId": event.job_id, "scheduledRunTime": run_time.isoformat(), "reason": reason}
        fields = {"event_type": "cron", "status": "warning", "endpoint": name, "error_message": text}
        recorder.event({**fields, "metadata": {"scheduler": details}})

    def _failed(
        self, recorder: Recorder, outside: _Outside, error: BaseException | None, trace: str | None
    ) -> None:
        fields: dict[str, Any] = {"status": "failed"}
        if error is not None:
            fields.update(
                {name: value for name, value in error_fields(describe_exception(error)).items() if value}
            )
        if trace:  # of the other process: the exception itself came without its frames
            fields["stackTrace"] = f"{trace}{fields.get('stackTrace', '')}"
        self._capture(recorder, outside, fields, error)

    def _lost(
        self, before: Callable[..., Any], job_id: str, exc: BaseException, traceback: Any = None
    ) -> Any:
        """Capture the runs of a job whose process went away, of which the scheduler tells nobody."""
        recorder = open_recorder(self.client)
        for key in [key for key in list(self._outside) if key[0] == job_id]:
            outside = self._outside.pop(key, None)
            if outside is not None and recorder is not None:
                with recorder.guard.protect("the end of a lost job"):
                    self._failed(recorder, outside, exc, None)
        return before(job_id, exc, traceback)

    def _capture(
        self,
        recorder: Recorder,
        outside: _Outside,
        fields: dict[str, Any],
        error: BaseException | None = None,
    ) -> None:
        elapsed_ms = max(0.0, (time.monotonic() - outside.handed_over) * 1000)
        arguments = {key: value for key in ("args", "kwargs") if (value := outside.fields.pop(key))}
        recorder.event(
            {
                "event_type": "cron",
                "execution_time_ms": int(elapsed_ms),
                **({"request_payload": arguments} if arguments else {}),
                **outside.fields,
                **fields,
            },
            {"timestamp": iso_timestamp(outside.started_at)},
        )
        details = {
            "task_id": outside.fields["endpoint"],
            "status": fields["status"],
            "duration_ms": elapsed_ms,
        }
        if fields["status"] == "failed":
            self._say("error", "Task failed", **details, error=fields.get("errorMessage"), exc_info=error)
        else:
            self._say("info", "Task completed", **details)

    def _shutdown(self, before: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._scheduler.running:
            running = self._running()
            self._say("info", "Scheduler shutdown requested")
            self._say(
                "debug", f"Waiting for {sum(running.values())} jobs to complete", job_ids=sorted(running)
            )
        return before(*args, **kwargs)

    def _running(self) -> dict[str, int]:
        """Return how many runs of which job are with an executor now."""
        counts: dict[str, int] = {}
        for executor in list(self._scheduler._executors.values()):  # noqa: SLF001 - see `install`
            with executor._lock:  # noqa: SLF001 - its own, held while it submits: a run that began counts
                instances = dict(executor._instances)  # noqa: SLF001 - its own account
            for job_id, count in instances.items():
                counts[job_id] = counts.get(job_id, 0) + count
        return counts

    def _say(self, level: str, message: str, **fields: Any) -> None:
        try:
            getattr(self._log, level)(message, **fields)
        except Exception as error:  # noqa: BLE001 - the user's logger; the scheduler goes on
            recorder = open_recorder(self.client)
            if recorder is not None:
                recorder.guard.report(error, "replaystack: %s raised", "the scheduler's logger")


def _name(job: Any) -> str:
    """Return what a person calls the job: its id, or its name where the id was made up."""
    return str(job.name if _GENERATED_ID.fullmatch(job.id) else job.id)


def _job_fields(job: Any) -> dict[str, Any]:
    next_run = getattr(job, "next_run_time", None)  # a pending job has none yet
    fields = {"job_id": job.id, "job_name": job.name, "trigger": str(job.trigger)}
    return {**fields, "next_run": next_run.isoformat()} if next_run is not None else fields


def _run_fields(job: Any) -> dict[str, Any]:
    details = {"jobId": job.id, "jobName": job.name, "trigger": str(job.trigger), "executor": job.executor}
    return {"endpoint": _name(job), "metadata": {"scheduler": details}}
