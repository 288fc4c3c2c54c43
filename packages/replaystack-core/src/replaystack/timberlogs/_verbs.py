"""What a Timberlogs client and its flows say: the verbs, each returning the object itself."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..logs.stamping import error_message, error_parts

if TYPE_CHECKING:
    from types import TracebackType

    from ..logs import flows
    from ..logs.logger import Logger
    from ._client import TimberlogsClient

__all__ = ["Flow", "LogEntry", "LogLevel", "Verbs"]

LogLevel = Literal["debug", "info", "warn", "error"]


@dataclass
class LogEntry:
    """One entry with full control, for `log`. What is None comes from the client, or is left out."""

    level: str
    message: str
    data: dict[str, Any] | None = None
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    error_name: str | None = None
    error_stack: str | None = None
    tags: list[str] | None = None
    flow_id: str | None = None
    step_index: int | None = None
    dataset: str | None = None
    ip_address: str | None = None
    country: str | None = None
    timestamp: float | None = None
    """Seconds since the epoch; None: now (the seed had none: its logs took the time of delivery)."""
    is_pii: bool = False


V = TypeVar("V", bound="Verbs")


class Verbs:
    """debug, info, warn, error, log: of the client and of its flows. Each returns the object itself."""

    _logger: Logger
    _client: TimberlogsClient

    def debug(self: V, message: str, data: dict[str, Any] | None = None, options: object = None) -> V:
        """Log detailed diagnostic information."""
        return self._say("debug", message, data, options)

    def info(self: V, message: str, data: dict[str, Any] | None = None, options: object = None) -> V:
        """Log a normal operation."""
        return self._say("info", message, data, options)

    def warn(self: V, message: str, data: dict[str, Any] | None = None, options: object = None) -> V:
        """Log what might indicate a problem."""
        return self._say("warn", message, data, options)

    warning = warn

    def error(
        self: V,
        message: str,
        error_or_data: BaseException | dict[str, Any] | None = None,
        options: object = None,
    ) -> V:
        """Log an error; of an exception its name, traceback and text are taken."""
        if not isinstance(error_or_data, BaseException):
            return self._say("error", message, error_or_data, options)
        if self._client.should_log("error"):
            recorder = self._client.recorder
            with recorder.guard.protect("logging an exception"):
                name, stack = error_parts(error_or_data, recorder.policy)
                data = {"message": error_message(error_or_data)}
                self._log(LogEntry("error", message, data, error_name=name, error_stack=stack), options)
        return self

    def log(self: V, entry: LogEntry) -> V:
        """Log an entry with full control."""
        if self._client.should_log(entry.level):
            self._log(entry, None)
        return self

    def _say(self: V, level: str, message: str, data: object, options: object) -> V:
        if self._client.should_log(level):
            self._log(LogEntry(level, message, data), options)  # type: ignore[arg-type]  # anything is taken
        return self

    def _log(self, entry: LogEntry, options: object) -> None:
        changes: dict[str, Any] = {}
        if options is not None:
            tags = options.get("tags") if isinstance(options, dict) else getattr(options, "tags", None)
            is_pii = options.get("is_pii") if isinstance(options, dict) else getattr(options, "is_pii", False)
            changes["tags"] = entry.tags or tags
            changes["is_pii"] = entry.is_pii or bool(is_pii)
        if entry.dataset is None:
            changes["dataset"] = self._client.config.dataset
        self._logger.log(dataclasses.replace(entry, **changes) if changes else entry)


class Flow(Verbs):
    """Logs that belong together: one id, and a step for each that is not filtered. Thread-safe."""

    def __init__(self, client: TimberlogsClient, flow: flows.Flow) -> None:
        self._client = client
        self._logger = self._flow = flow

    @property
    def id(self) -> str:
        """`{name}-{8 characters}`."""
        return self._flow.id

    @property
    def name(self) -> str:
        """What the flow was called."""
        return self._flow.name

    def __enter__(self: F) -> F:
        self._flow.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._flow.__exit__(kind, error, traceback)


F = TypeVar("F", bound=Flow)
