"""The closed sets and small values of an event, as WIRE.md section 1 names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = [
    "AUTH_MODES",
    "EVENT_STATUSES",
    "EVENT_TYPES",
    "LOG_LEVELS",
    "AuthMode",
    "Breadcrumb",
    "CaptureResponse",
    "EventStatus",
    "EventType",
    "LogLevel",
]

EventType = Literal["api", "queue", "webhook", "custom", "cron"]
EventStatus = Literal["success", "failed", "warning", "pending"]
LogLevel = Literal["debug", "info", "warning", "error"]
AuthMode = Literal["bearer", "basic", "api_key", "cookie", "other", "none"]

EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
EVENT_STATUSES: tuple[EventStatus, ...] = get_args(EventStatus)
LOG_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)
AUTH_MODES: tuple[AuthMode, ...] = get_args(AuthMode)


@dataclass(frozen=True, slots=True)
class CaptureResponse:
    """What the receiver answered to one event, in sync mode and for a 2xx only."""

    success: bool
    message: str | None = None
    data: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    """One step on the way to an event. `metadata` must already be masked or flat and private."""

    message: str
    timestamp: str
    """ISO 8601, UTC, milliseconds."""
    category: str | None = None
    level: LogLevel = "info"
    metadata: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the wire shape; what is None is absent."""
        pairs = (
            ("message", self.message),
            ("category", self.category),
            ("level", self.level),
            ("metadata", self.metadata),
            ("timestamp", self.timestamp),
        )
        return {key: value for key, value in pairs if value is not None}
