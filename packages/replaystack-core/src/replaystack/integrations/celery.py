"""Celery: each run of a task is one event, whichever pool it runs in, and so is what the pool does to it.

By the signals that a worker sends where the task runs: what a task leaves as breadcrumbs and
progress belongs to its run. What no task can tell (its process was lost, or ran out of time, or
it was revoked) the worker's main process captures.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from celery import signals
from celery.exceptions import Ignore, Reject, TimeLimitExceeded

from ..jobs import Job, named_arguments
from ..logs import Logger
from ..recorder.clients import Client, open_recorder
from ..stacktrace import describe_exception, error_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..jobs import JobLog, JobRun
    from ..recorder import Recorder

__all__ = ["instrument"]

_RUN = "_replaystack_run"

_installed: list[_Instrument] = []


def instrument(
    app: Any = None, client: Client | None = None, *, logger: JobLog | None = None
) -> Callable[[], None]:
    """Capture every run of a task. Call it where the workers import it; twice counts once.

    Args:
        app: a `Celery` application; None means all of this process.
        client: a `ReplayStackClient`; None means the default client at the time of each run.
        logger: what hears of each run's start and end.
            None means the logger `scheduler` of the client.

    Returns:
        A function that takes it away again.

    """
    for known in _installed:
        if known.app is app and known.client is client:
            return known.remove
    new = _Instrument(app, client, logger)
    _installed.append(new)
    new.install()
    return new.remove


class _Instrument:
    """The receivers of one call of `instrument`. The signals' senders are tasks."""

    def __init__(self, app: Any, client: Client | None, logger: JobLog | None) -> None:
        self.app = app
        self.client = client
        self._log: JobLog = logger or Logger("scheduler", None if client is None else client.recorder)
        self._timed_out: deque[str] = deque(maxlen=1000)  # the second signal follows within a moment
        self._receivers = (
            (signals.task_prerun, self._begin),
            (signals.task_postrun, self._end),
            (signals.task_failure, self._failed),
            (signals.task_retry, self._retried),
            (signals.task_revoked, self._revoked),
        )

    def install(self) -> None:
        for signal, receiver in self._receivers:
            signal.connect(receiver, weak=False)

    def remove(self) -> None:
        for signal, receiver in self._receivers:
            signal.disconnect(receiver)
        if self in _installed:
            _installed.remove(self)

    def _recorder(self, task: Any) -> Recorder | None:
        if self.app is not None and getattr(task, "app", None) is not self.app:
            return None
        return open_recorder(self.client)

    def _begin(self, task: Any, task_id: str, args: Any, kwargs: Any, **_: object) -> None:
        recorder = self._recorder(task)
        if recorder is None:
            return
        with recorder.guard.protect("the beginning of a task"):
            fields = _fields(task_id, task.request)
            run = Job(recorder, task.name, "queue", fields, log=self._log).run()
            run.begin(_arguments(task, args, kwargs))
            setattr(task.request, self._attribute, run)  # the request is this run's alone
            run.enter()

    def _end(self, task: Any, retval: Any, state: str | None, **_: object) -> None:
        run = self._run_of(task)
        if run is None:
            return
        delattr(task.request, self._attribute)
        # Celery passes on what ends the process without a state: it is still under way here.
        error = sys.exc_info()[1] if state is None else None
        if state == "SUCCESS":
            if retval is not None and not run.has_result():
                run.result(retval)
        elif state in {"REJECTED", "IGNORED"}:
            run.fields["status"] = "warning" if state == "REJECTED" else "success"
        run.end(error)
        run.leave()

    def _failed(
        self, sender: Any, task_id: str, exception: BaseException, args: Any, kwargs: Any, **_: object
    ) -> None:
        recorder = self._recorder(sender)
        if recorder is None or isinstance(exception, (Ignore, Reject)):
            return
        run = self._run_of(sender)
        if run is not None:
            # The exception itself, where celery had to replace it by one that can be pickled.
            run.end(sys.exc_info()[1] or exception)
            return
        if isinstance(exception, TimeLimitExceeded) and self._is_told(task_id):
            return
        with recorder.guard.protect("the failure of a task"):
            fields = _fields(task_id)
            described = error_fields(describe_exception(exception))
            fields.update({name: value for name, value in described.items() if value})
            self._without_run(recorder, sender.name, fields, "failed", _arguments(sender, args, kwargs))

    def _is_told(self, task_id: str) -> bool:
        """Tell whether this is the second signal for one hard time limit: newer celery sends two."""
        if task_id in self._timed_out:
            self._timed_out.remove(task_id)
            return True
        self._timed_out.append(task_id)
        return False

    def _retried(self, sender: Any, reason: Any, **_: object) -> None:
        run = self._run_of(sender)
        if run is not None:
            cause = getattr(reason, "exc", None)
            if isinstance(cause, BaseException):
                described = error_fields(describe_exception(cause))
                run.fields.update({name: value for name, value in described.items() if value})
            run.fields["status"] = "warning"
            run.fields["metadata"]["task"]["outcome"] = "retry"
            run.end(None)

    def _revoked(self, sender: Any, request: Any, **reasons: object) -> None:
        recorder = self._recorder(sender)
        if recorder is None:
            return
        with recorder.guard.protect("a revoked task"):
            how = next((name for name in ("expired", "terminated") if reasons.get(name)), "revoked")
            fields = _fields(request.id)
            fields["metadata"]["task"]["outcome"] = how
            fields["error_message"] = f"Task {how}"
            payload = _arguments(sender, getattr(request, "args", ()), getattr(request, "kwargs", {}))
            self._without_run(recorder, sender.name, fields, "warning", payload)

    def _without_run(
        self,
        recorder: Recorder,
        name: str,
        fields: dict[str, Any],
        status: str,
        payload: Mapping[str, Any] | None,
    ) -> None:
        """Capture what happened to a task in the worker's main process, where it does not run."""
        recorder.event(
            {"event_type": "queue", "endpoint": name, "status": status, "request_payload": payload, **fields}
        )

    @property
    def _attribute(self) -> str:
        return f"{_RUN}_{id(self)}"

    def _run_of(self, task: Any) -> JobRun | None:
        run: JobRun | None = getattr(task.request, self._attribute, None)
        return run


def _arguments(task: Any, args: Any, kwargs: Any) -> dict[str, Any] | None:
    if not isinstance(args, (list, tuple)) or not isinstance(kwargs, dict):
        return None
    return named_arguments(task.run, tuple(args), kwargs) or None


def _fields(task_id: str, request: Any = None) -> dict[str, Any]:
    """Return the trace id (the task's own) and what names the run."""
    details: dict[str, Any] = {"taskId": task_id}
    if request is not None:
        delivery = getattr(request, "delivery_info", None) or {}
        known = {
            "retries": getattr(request, "retries", None) or None,
            "parentId": getattr(request, "parent_id", None),
            "rootId": getattr(request, "root_id", None),
            "queue": delivery.get("routing_key") if isinstance(delivery, dict) else None,
            "worker": getattr(request, "hostname", None),
        }
        details.update({name: value for name, value in known.items() if value is not None})
    return {"trace_id": task_id, "metadata": {"task": details}}
