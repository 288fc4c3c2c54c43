"""The JSON of logs: as the Timberlogs API has them, and flat as the PolyAI seed does."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from ..moments import iso_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..store import FlowSummary, LogRecord

__all__ = ["flat_json", "flow_json", "grouped_json", "log_json"]

_NAMES: Final = {
    "id": "log_id",
    "level": "level",
    "message": "message",
    "timestamp": "occurred_ms",
    "logger": "logger",
    "isPii": "is_pii",
    "source": "source",
    "environment": "environment",
    "version": "version",
    "dataset": "dataset",
    "userId": "user_id",
    "sessionId": "session_id",
    "requestId": "request_id",
    "flowId": "flow_id",
    "stepIndex": "step_index",
    "errorName": "error_name",
    "errorStack": "error_stack",
    "data": "data",
    "ipAddress": "ip_address",
    "country": "country",
    "eventId": "event_id",
}
_FIXED: Final = frozenset({"level", "content", "is_pii", "timestamp", "logger"})
_DEFAULT_LOGGER: Final = "app"


def log_json(log: LogRecord) -> dict[str, Any]:
    """Return a log under the names of WIRE.md section 2; what it has not is left out."""
    found = {name: getattr(log, field) for name, field in _NAMES.items()}
    answer = {name: value for name, value in found.items() if value is not None}
    if log.tags:
        answer["tags"] = list(log.tags)
    return {**answer, "receivedAt": iso_ms(log.received_ms)}


def flat_json(log: LogRecord) -> dict[str, Any]:
    """Return a log as a PolyAI entry; a field that has the name of a fixed key is `field_<name>`."""
    moment = datetime.fromtimestamp(log.occurred_ms // 1000, timezone.utc)
    flat: dict[str, Any] = {
        "level": "warning" if log.level == "warn" else log.level,
        "content": log.message,
        "is_pii": log.is_pii,
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "logger": log.logger or _DEFAULT_LOGGER,
    }
    extras: dict[str, Any] = {**(log.data or {})}
    for name in ("error_name", "error_stack", "flow_id", "step_index"):
        value = getattr(log, name)
        if value is not None:
            extras.setdefault(name, value)
    if log.tags:
        extras.setdefault("tags", list(log.tags))
    for name, value in extras.items():
        flat[f"field_{name}" if name in _FIXED else name] = value
    return flat


def grouped_json(logs: Sequence[LogRecord]) -> dict[str, list[dict[str, Any]]]:
    """Return the logs of an event by logger, in their order."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for log in logs:
        groups.setdefault(log.logger or _DEFAULT_LOGGER, []).append(flat_json(log))
    return groups


def flow_json(flow: FlowSummary) -> dict[str, Any]:
    """Return a flow as the Timberlogs command line reads it, and what its logs come to."""
    name, dash, _ = flow.flow_id.rpartition("-")
    return {
        "flowId": flow.flow_id,
        "name": name if dash else flow.flow_id,
        "source": flow.source,
        "logCount": flow.log_count,
        "errorCount": flow.error_count,
        "firstSeen": flow.first_ms,
        "lastSeen": flow.last_ms,
        "durationMs": flow.last_ms - flow.first_ms,
        "status": flow.last_level,
    }
