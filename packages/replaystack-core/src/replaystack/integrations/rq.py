"""RQ: each run of a job is one event; what is captured in a work horse leaves before it ends.

A work horse ends by `os._exit`, which no exit handler sees; so it flushes after its job. What
a work horse cannot tell, because it was killed, the worker captures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rq import Retry

from ..jobs import Job, current_job, named_arguments
from ..logs import Logger
from ..recorder import flush_at_exit
from ..recorder.clients import Client, open_recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..jobs import JobLog
    from ..recorder import Recorder

__all__ = ["instrument"]

_ATTRIBUTE = "_replaystack_instruments"


def instrument(
    worker: Any, client: Client | None = None, *, logger: JobLog | None = None
) -> Callable[[], None]:
    """Capture every run of a job by `worker`. Twice counts once.

    Args:
        worker: an RQ worker, or a class of them (which the command `rq worker -w` takes). Not for
            `SpawnWorker`: its work horses are new programs, in which nothing is instrumented.
        client: a `ReplayStackClient`; None means the default client at the time of each run.
        logger: what hears of each run's start and end.
            None means the logger `scheduler` of the client.

    Returns:
        A function that takes it away again.

    """
    installed: list[_Instrument] = worker.__dict__.get(_ATTRIBUTE) or []
    for known in installed:
        if known.client is client:
            return known.remove
    new = _Instrument(worker, client, logger)
    setattr(worker, _ATTRIBUTE, [*installed, new])
    new.install()
    return new.remove


class _Instrument:
    """What is installed on one worker, or one class of them, for one client."""

    def __init__(self, worker: Any, client: Client | None, logger: JobLog | None) -> None:
        self.client = client
        self._target = worker
        self._log: JobLog = logger or Logger("scheduler", None if client is None else client.recorder)
        self._is_active = True
        self._undo: list[Callable[[], None]] = []

    def install(self) -> None:
        self._replace("perform_job", self._perform_job)
        self._replace("handle_work_horse_killed", self._killed)

    def remove(self) -> None:
        self._is_active = False
        while self._undo:
            self._undo.pop()()
        installed = [known for known in self._target.__dict__.get(_ATTRIBUTE, []) if known is not self]
        setattr(self._target, _ATTRIBUTE, installed)

    def _replace(self, name: str, with_what: Callable[..., Any]) -> None:
        """Put `with_what(before, worker, ...)` in front of a method, until `remove`."""
        target, before = self._target, getattr(self._target, name)
        is_own = name in target.__dict__

        def of_class(worker: Any, *args: Any, **kwargs: Any) -> Any:
            def bound(*args: Any, **kwargs: Any) -> Any:
                return before(worker, *args, **kwargs)

            return with_what(bound, worker, *args, **kwargs) if self._is_active else bound(*args, **kwargs)

        def of_worker(*args: Any, **kwargs: Any) -> Any:
            return with_what(before, target, *args, **kwargs) if self._is_active else before(*args, **kwargs)

        ours = of_class if isinstance(target, type) else of_worker

        def restore() -> None:
            if target.__dict__.get(name) is ours:  # else somebody has put theirs on top: ours passes on
                if is_own:
                    setattr(target, name, before)
                else:
                    delattr(target, name)

        setattr(target, name, ours)
        self._undo.append(restore)

    def _perform_job(
        self, before: Callable[..., bool], worker: Any, job: Any, *args: Any, **kwargs: Any
    ) -> bool:
        recorder = open_recorder(self.client)
        if recorder is None:
            return before(job, *args, **kwargs)
        with recorder.guard.protect("the beginning of a job"):
            job.perform = self._performing(recorder, job, job.perform)  # on this object, for this run
        try:
            return before(job, *args, **kwargs)
        finally:
            job.__dict__.pop("perform", None)
            if worker.is_horse:
                flush_at_exit()

    def _performing(self, recorder: Recorder, job: Any, perform: Callable[[], Any]) -> Callable[[], Any]:
        spec = Job(recorder, job.func_name, "queue", _fields(job), log=self._log)

        def performed() -> Any:
            value = perform()
            if isinstance(value, Retry):  # returned by the job: it wants to be run again
                run = current_job()
                if run is not None:
                    run.fields["status"] = "warning"
                    run.fields["response_payload"] = None
                    run.fields["metadata"]["task"]["outcome"] = "retry"
            return value

        return lambda: spec.call(performed, _arguments(job))

    def _killed(self, before: Callable[..., Any], _worker: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = open_recorder(self.client)
        if recorder is not None:
            with recorder.guard.protect("the end of a killed job"):
                status = args[1] if len(args) > 1 else kwargs.get("ret_val")
                recorder.event(
                    {
                        "event_type": "queue",
                        "status": "failed",
                        "endpoint": job.func_name,
                        "error_name": "WorkHorseKilled",
                        "error_message": f"The work horse ended before its job did: wait status {status}",
                        "request_payload": _arguments(job),
                        **_fields(job),
                    }
                )
        return before(job, *args, **kwargs)


def _arguments(job: Any) -> dict[str, Any] | None:
    """Return what the job is given; None where that, or its function, cannot be loaded: RQ will say so."""
    try:
        return named_arguments(job.func, tuple(job.args), job.kwargs) or None
    except Exception:  # noqa: BLE001 - foreign modules and pickles; the job fails by itself
        return None


def _fields(job: Any) -> dict[str, Any]:
    details = {"taskId": job.id, "queue": job.origin}
    return {"trace_id": job.id, "metadata": {"task": details}}
