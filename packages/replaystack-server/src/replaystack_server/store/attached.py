"""The logs that an event brings along, as records of the table of logs."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from replaystack.logs.formats import is_marked_pii, level_of, parse_ms
from replaystack.wire import RESERVED_METADATA_KEY

from .logs import LogRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["attached_logs"]

_MOST_STEPS: Final = 1000


def attached_logs(
    event: Mapping[str, Any], event_id: str, occurred_ms: int, received_ms: int
) -> list[LogRecord]:
    """Return the entries below `logs` of a masked event, in order; what is no entry is left out.

    An entry is personal if its sender says so in any spelling. Its id is the sender's, or one that
    follows from the event's id and its place: the same event again brings the same logs.
    """
    entries = event.get("logs")
    if not isinstance(entries, list):
        return []
    around = _around(event)
    return [
        _record(entry, around, event_id, index, (occurred_ms, received_ms))
        for index, entry in enumerate(entries)
        if isinstance(entry, dict)
    ]


def _around(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry takes over from its event."""
    reserved = _mapping(_mapping(event.get("metadata")).get(RESERVED_METADATA_KEY))
    return {
        "source": _text(event.get("serviceName")),
        "environment": _text(event.get("environment")),
        "version": _text(event.get("appVersion")),
        "request_id": _text(event.get("traceId")),
        "user_id": _text(reserved.get("user")),
        "session_id": _text(reserved.get("session")),
    }


def _record(
    entry: Mapping[str, Any], around: dict[str, Any], event_id: str, index: int, times: tuple[int, int]
) -> LogRecord:
    metadata = dict(_mapping(entry.get("metadata")))
    reserved = _mapping(metadata.pop(RESERVED_METADATA_KEY, None))
    occurred_ms, received_ms = times
    timestamp = entry.get("timestamp")
    moment = parse_ms(timestamp) if isinstance(timestamp, str) else None
    step = reserved.get("stepIndex")
    tags = reserved.get("tags")
    return LogRecord(
        log_id=_uuid(reserved.get("id")) or str(uuid.uuid5(uuid.UUID(event_id), str(index))),
        occurred_ms=occurred_ms if moment is None else min(max(0, moment), received_ms),
        received_ms=received_ms,
        level=level_of(entry.get("level")) or "info",
        is_pii=is_marked_pii(dict(reserved)) or is_marked_pii(dict(entry)),
        message=_text(entry.get("message")) or "",
        logger=_text(reserved.get("logger")),
        flow_id=_text(reserved.get("flowId")),
        step_index=step if type(step) is int and 0 <= step <= _MOST_STEPS else None,
        error_name=_text(reserved.get("errorName")),
        error_stack=_text(reserved.get("errorStack")),
        tags=tuple(_texts(tags)),
        data=metadata or None,
        event_id=event_id,
        **around,
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> Iterator[str]:
    yield from (item for item in (value if isinstance(value, list) else []) if isinstance(item, str))


def _uuid(value: object) -> str | None:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
