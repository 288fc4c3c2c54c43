"""`client.job(...)`: a context manager and a decorator, for code that waits and code that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from ..recorder import beside_the_loop
from ..wire import EVENT_FIELDS
from .functions import called, wrapped
from .run import JobRun, current_job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from ..recorder import Recorder
    from .run import JobLog

__all__ = ["Job"]

Function = TypeVar("Function", bound="Callable[..., Any]")

_BY_ANY_NAME = {name: snake for snake, wire in EVENT_FIELDS.items() for name in (snake, wire)}


class Job:
    """A job by its name; each `with`, and each call of a function that it decorates, is one run.

    One object may serve any number of runs, nested and in several threads or tasks at once.
    """

    __slots__ = ("_fields", "_log", "_recorder", "_runs", "name")

    def __init__(
        self,
        recorder: Recorder,
        name: str,
        event_type: str = "cron",
        fields: Mapping[str, Any] | None = None,
        *,
        log: JobLog | None = None,
    ) -> None:
        self._recorder = recorder
        self.name: str = name
        self._log = log
        self._fields = {**_sorted_out(fields or {}), "event_type": event_type}
        self._runs: list[JobRun] = []  # entered by `with` and not left yet

    def run(self) -> JobRun:
        """Return a run that has not begun."""
        return JobRun(self._recorder, self.name, self._fields, log=self._log)

    def __call__(self, function: Function) -> Function:
        """Return `function` with each call a run: plain, `async`, and generators of both kinds.

        Its arguments become the `requestPayload`, by their names, unless `request_payload` was
        given (None: no payload); what it returns becomes the `responsePayload` unless
        `run.result(...)` or `response_payload` was given.
        """
        return wrapped(self, function)

    def call(self, function: Callable[[], Any], arguments: Mapping[str, Any] | None = None) -> Any:
        """Call `function` as one run; return, or raise, what it does. `arguments`: the `requestPayload`."""
        return called(self, function, arguments)

    def __enter__(self) -> JobRun:
        run = self.run()
        run.begin()
        run.enter()
        self._runs.append(run)
        return run

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        run = self._leaving()
        run.end(error)
        run.leave()

    async def __aenter__(self) -> JobRun:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        run = self._leaving()
        try:
            await self.end_async(run, error)
        finally:
            run.leave()

    async def end_async(self, run: JobRun, error: BaseException | None) -> None:
        """End `run`; where that waits for the network or the disk, beside the event loop."""
        config = self._recorder.config
        if config.async_send and config.durability != "sync":
            run.end(error)
        else:
            await beside_the_loop(lambda: run.end(error))

    @property
    def keeps_returned(self) -> bool:
        """Whether what a decorated function returns becomes the `responsePayload`."""
        return "response_payload" not in self._fields

    def _leaving(self) -> JobRun:
        """Return the run whose `with` ends: this context's, else (left in another one) the last entered."""
        run = current_job()
        while run is not None and run not in self._runs:
            run = run.before
        if run is None:
            return self._runs.pop()
        self._runs.remove(run)
        return run


def _sorted_out(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of an event by their Python names; the others are parameters, and become metadata."""
    fields: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    for name, value in given.items():
        snake = _BY_ANY_NAME.get(name)
        if snake is None:
            parameters[name] = value
        elif snake == name or snake not in fields:
            fields[snake] = value
    if parameters:
        metadata = fields.get("metadata")
        kept = (
            dict(metadata) if type(metadata) is dict else {} if metadata is None else {"metadata": metadata}
        )
        fields["metadata"] = {**parameters, **kept}
    return fields
