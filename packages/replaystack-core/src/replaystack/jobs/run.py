"""One run of a job: its scope, its progress, its result, and the event that it becomes."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from ..clock import SYSTEM_CLOCK, Clock, iso_timestamp, new_id
from ..errors import CaptureFailure
from ..scope import Scope, current_correlation_id, current_scope, enter_scope
from ..stacktrace import describe_exception, error_fields, exception_message
from ..wire import is_trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..recorder import Recorder

__all__ = ["JobLog", "JobRun", "current_job"]


class JobLog(Protocol):
    """Where a run says that it began, how it goes on, and how it ended; a logger of ours fits."""

    def debug(self, message: str, /, **fields: Any) -> object:
        """Say what matters to who looks closely."""

    def info(self, message: str, /, **fields: Any) -> object:
        """Say what happened."""

    def warning(self, message: str, /, **fields: Any) -> object:
        """Say what somebody should look at."""

    def error(self, message: str, /, **fields: Any) -> object:
        """Say what failed; `exc_info` is the exception."""


class JobRun:
    """One run, from its beginning to its event. `with client.job(...) as run` gives it.

    `progress` and `result` may be called from any thread, until the run has ended.
    """

    __slots__ = (
        "_began",
        "_clock",
        "_is_entered",
        "_log",
        "_name",
        "_recorder",
        "_result",
        "_started_at",
        "before",
        "ended",
        "fields",
        "scope",
        "scope_before",
        "trace_id",
    )

    def __init__(
        self,
        recorder: Recorder,
        name: str,
        fields: Mapping[str, Any],
        *,
        log: JobLog | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._recorder = recorder
        self._name = name
        self._log = log
        self._clock = clock
        self.fields: dict[str, Any] = dict(fields)
        """What its event will say, by the names of `capture_event`; may be added to until its end."""
        given = self.fields.get("trace_id")
        self.trace_id: str = given if isinstance(given, str) and is_trace_id(given) else new_id()
        """The `traceId` of its event."""
        self.scope: Scope = Scope(self.trace_id)
        self.scope_before: Scope | None = None
        self.before: JobRun | None = None
        """The run around this one, in the same context."""
        self.ended: bool = False
        self._result: Any = None
        self._is_entered = False
        self._began = clock.monotonic()
        self._started_at = clock.wall()

    # -- what the job says ------------------------------------------------------------------------

    def progress(self, message: object, /, **fields: Any) -> JobRun:
        """Leave a breadcrumb: how far the job is. Masked, and a snapshot. Never raises or blocks."""
        recorder = self._recorder
        if not recorder.config.enabled or self.ended:
            return self
        with recorder.guard.protect("the progress of a job"):
            breadcrumb = recorder.breadcrumbs.make(message, category="job", metadata=fields or None)
            if breadcrumb is not None:
                self.scope.breadcrumbs.append(breadcrumb, recorder.config.max_breadcrumbs)
                self._say("debug", breadcrumb.message, **fields)
        return self

    def result(self, value: Any) -> JobRun:
        """Keep `value` as the `responsePayload`: masked, limited, and as it is now. The last one counts.

        Of a decorated function the value that it returns is kept by itself. Never raises or blocks.
        """
        recorder = self._recorder
        if recorder.config.enabled and not self.ended:
            with recorder.guard.protect("the result of a job"):
                self._result = recorder.plain(value)
        return self

    def has_result(self) -> bool:
        """Tell whether a result was given."""
        return self._result is not None

    # -- its beginning and its end ----------------------------------------------------------------

    def begin(self, arguments: Mapping[str, Any] | None = None) -> None:
        """Start to count; take a snapshot of `arguments` as `requestPayload` unless one was given."""
        recorder, around = self._recorder, current_scope()
        if not recorder.config.enabled:
            return
        with recorder.guard.protect("the beginning of a job"):
            if arguments and "request_payload" not in self.fields:
                self.fields["request_payload"] = arguments
            if self.fields.get("request_payload") is not None:
                self.fields["request_payload"] = recorder.plain(self.fields["request_payload"])
            if around is not None:
                self.scope.user, self.scope.session = around.user, around.session
                self.scope.correlation, self.scope.flow = current_correlation_id(), around.flow
                self.fields.setdefault("parent_trace_id", around.trace_id)
            if recorder.on_begin is not None:
                recorder.on_begin()
            self.enter()
            self._say("info", "Task started", task_id=self._name, timestamp=iso_timestamp(self._started_at))
            self.leave()

    def enter(self) -> None:
        """Make this run the current one of the context, until `leave`."""
        if self._recorder.config.enabled:
            self.before = _current.get()
            _current.set(self)
            self.scope_before = enter_scope(self.scope)
            self._is_entered = True

    def leave(self) -> None:
        """Give the context back as `enter` found it."""
        if self._is_entered:
            self._is_entered = False
            enter_scope(self.scope_before)
            _current.set(self.before)
            self.before = self.scope_before = None

    def end(self, error: BaseException | None) -> None:
        """Capture the run, once. Never raises; blocks as `capture_event` does, in sync mode."""
        recorder = self._recorder
        if self.ended or not recorder.config.enabled:
            return
        self.ended = True
        with recorder.guard.protect("the end of a job"):
            was_entered = self._is_entered
            if not was_entered:
                self.enter()
            try:
                self._capture(error)
            finally:
                self.scope.closed = True
                if not was_entered:
                    self.leave()

    def _capture(self, error: BaseException | None) -> None:
        elapsed_ms = max(0.0, (self._clock.monotonic() - self._began) * 1000)
        fields = self.fields
        own: dict[str, object] = {
            "timestamp": iso_timestamp(self._started_at),
            "parentTraceId": fields.pop("parent_trace_id", None),
        }
        fields["trace_id"] = self.trace_id
        fields.setdefault("endpoint", self._name)
        fields.setdefault("execution_time_ms", int(elapsed_ms))
        if self._result is not None:
            fields["response_payload"] = self._result
        if error is not None and is_failure(error):
            own["causes"] = self._describe(error)
            self._say(
                "error",
                "Task failed",
                task_id=self._name,
                status="failed",
                duration_ms=elapsed_ms,
                error=exception_message(error),
                exc_info=error,
            )
        else:
            fields.setdefault("status", "success")
            self._say(
                "info", "Task completed", task_id=self._name, status=fields["status"], duration_ms=elapsed_ms
            )
        self._recorder.event(fields, own)

    def _describe(self, error: BaseException) -> list[dict[str, object]]:
        """Let `error` fill the fields of the event; returns what led to it."""
        info, fields = describe_exception(error), self.fields
        fields.update({name: value for name, value in error_fields(info).items() if value})
        fields["status"] = "failed"
        if isinstance(error, CaptureFailure):
            if error.status_code is not None:
                fields["status_code"] = error.status_code
            if error.response_payload is not None:
                fields["response_payload"] = error.response_payload
        return [dict(cause) for cause in info.causes]

    def _say(self, level: str, message: str, **fields: Any) -> None:
        if self._log is not None:
            getattr(self._log, level)(message, **fields)


_current: ContextVar[JobRun | None] = ContextVar("replaystack_job", default=None)


def current_job() -> JobRun | None:
    """Return the run that the calling code belongs to, or None outside of a job."""
    return _current.get()


def is_failure(error: BaseException) -> bool:
    """Tell whether a job that ended so has failed.

    Not: a script's `sys.exit()` with status 0, and a generator that nobody wants to read further.
    Cancelled and interrupted jobs have not done their work: they have failed.
    """
    if isinstance(error, SystemExit):
        return error.code not in {None, 0} if isinstance(error.code, (int, type(None))) else True
    return not isinstance(error, GeneratorExit)
