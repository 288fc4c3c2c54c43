"""The value types of 1.x: closed sets, records that a caller fills in, and the event as an object.

Closed sets and `CaptureResponse` are core's own. The rest exists only for the drop-in: core
takes keywords and answers in dicts, and these dataclasses turn into exactly those.
"""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - `typing.get_type_hints` of these records must work
from dataclasses import asdict, dataclass, field
from typing import Any

from replaystack.event import AuthMode, CaptureResponse, EventStatus, EventType, LogLevel
from replaystack.wire import EVENT_FIELDS

__all__ = [
    "AuthMode",
    "Breadcrumb",
    "CaptureResponse",
    "EventStatus",
    "EventType",
    "LogLevel",
    "ReplayStackConfig",
    "ReplayStackEvent",
    "ReplayStackLog",
    "StackFrame",
]

_FRAME_KEYS = {
    "function_name": "functionName",
    "file_name": "fileName",
    "line_number": "lineNumber",
    "column_number": "columnNumber",
}


def _present(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are not None, deeply copied."""
    return {name: value for name, value in asdict(record).items() if value is not None}


@dataclass
class StackFrame:
    """One entry of a stack; every part may be unknown."""

    function_name: str | None = None
    file_name: str | None = None
    line_number: int | None = None
    column_number: int | None = None
    raw: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the wire shape (camelCase); what is None is absent."""
        return {_FRAME_KEYS.get(name, name): value for name, value in _present(self).items()}


@dataclass
class Breadcrumb:
    """One step on the way to an event. Mutable as in 1.x; core keeps its own frozen copy."""

    message: str
    timestamp: str
    """ISO 8601."""
    category: str | None = None
    level: LogLevel = "info"
    metadata: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the wire shape; what is None is absent."""
        return _present(self)


@dataclass
class ReplayStackLog:
    """One log line to hand over as an element of `logs=`, through `to_dict()`."""

    level: LogLevel
    message: str
    metadata: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the wire shape; what is None is absent."""
        return _present(self)


@dataclass
class ReplayStackConfig:
    """The options of 1.x as a record: `ReplayStackClient(**dataclasses.asdict(config))`.

    Reads no environment variable and checks nothing; the client does both. The options that
    2.0 added are keyword arguments of the client only.
    """

    api_key: str | None = None
    endpoint: str | None = None
    ingest_url: str | None = None
    service_name: str | None = None
    environment: str | None = None
    app_version: str | None = None
    commit_hash: str | None = None
    enabled: bool | None = None
    timeout_seconds: float = 2.5
    max_retries: int = 1
    sample_rate: float = 1.0
    capture_success: bool = True
    max_payload_bytes: int = 524288
    mask_fields: list[str] = field(default_factory=list)
    ignored_paths: list[str] = field(default_factory=list)
    max_breadcrumbs: int = 50
    offline_queue_max: int = 100
    flush_interval_seconds: float = 0.0
    async_send: bool = True
    raise_on_error: bool = False
    on_error: Callable[[BaseException], None] | None = None
    on_queue_drop: Callable[[dict[str, Any]], None] | None = None


@dataclass
class ReplayStackEvent:
    """An event as an object. Its fields are the keywords of `capture_event`."""

    event_type: EventType
    status: EventStatus
    method: str | None = None
    endpoint: str | None = None
    request_url: str | None = None
    trace_id: str | None = None
    auth_mode: AuthMode | None = None
    auth_scheme: str | None = None
    request_headers: dict[str, Any] | None = None
    request_payload: Any | None = None
    response_headers: dict[str, Any] | None = None
    response_payload: Any | None = None
    status_code: int | None = None
    execution_time_ms: int | None = None
    error_name: str | None = None
    error_message: str | None = None
    stack_trace: str | None = None
    stack_frames: list[dict[str, Any]] | None = None
    breadcrumbs: list[dict[str, Any]] | None = None
    service_name: str | None = None
    environment: str | None = None
    app_version: str | None = None
    commit_hash: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    logs: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None

    def to_api_payload(self) -> dict[str, Any]:
        """Return the event under its wire keys, unmasked; what is None is absent.

        A deep copy: later changes to the event do not show in it. What cannot be copied
        (a lock, a socket) raises `TypeError`, as it did in 1.x.
        """
        return {EVENT_FIELDS[name]: value for name, value in _present(self).items()}
