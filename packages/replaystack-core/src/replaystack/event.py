"""The closed sets and small values of an event, as WIRE.md section 1 names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from .clock import iso_timestamp

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


def _weight(value: object) -> int:
    """Return about how many bytes a flat or plain JSON value takes; texts count, the rest is small change."""
    if type(value) is str:
        return 64 + len(value)
    if type(value) is dict:
        return 64 + sum(len(str(key)) + _weight(item) for key, item in value.items())
    if type(value) is list:
        return 64 + sum(map(_weight, value))
    return 32


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    """One step on the way to an event. `metadata` must already be masked or flat and private."""

    message: str
    timestamp: float | str
    """Seconds since the epoch, which become ISO 8601 in UTC where they are read; a text stays."""
    category: str | None = None
    level: LogLevel = "info"
    metadata: dict[str, Any] | None = None

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that it keeps alive, for the queue's bound."""
        size = 300 + 2 * len(self.message)
        if self.metadata:
            for value in self.metadata.values():
                kind = type(value)
                size += 64 + (len(value) if kind is str else 0 if kind is int else _weight(value))
        return size

    def to_dict(self) -> dict[str, Any]:
        """Return the wire shape; what is None is absent."""
        shape: dict[str, Any] = {"message": self.message}
        if self.category is not None:
            shape["category"] = self.category
        shape["level"] = self.level
        if self.metadata is not None:
            shape["metadata"] = self.metadata
        moment = self.timestamp
        shape["timestamp"] = moment if isinstance(moment, str) else iso_timestamp(moment)
        return shape
