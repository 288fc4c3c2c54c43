"""The JSON of one row of a list (also the data of a stream message), and of one sender's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..moments import iso_ms
from ..store import Cursor

if TYPE_CHECKING:
    from ..store import EventSummary, StreamSummary

__all__ = ["stream_json", "summary_json"]


def summary_json(event: EventSummary) -> dict[str, Any]:
    """Return an event's summary under the wire's names; what is unknown is null."""
    return {
        "eventId": event.event_id,
        "cursor": str(Cursor("older", event.position)),
        "timestamp": iso_ms(event.occurred_ms),
        "receivedAt": iso_ms(event.received_ms),
        "eventType": event.event_type,
        "status": event.status,
        "method": event.method,
        "endpoint": event.endpoint,
        "route": event.route,
        "statusCode": event.status_code,
        "executionTimeMs": event.execution_time_ms,
        "errorName": event.error_name,
        "errorMessage": event.error_message,
        "serviceName": event.service_name,
        "environment": event.environment,
        "traceId": event.trace_id,
        "process": event.process,
        "sequence": event.sequence,
    }


def stream_json(stream: StreamSummary) -> dict[str, Any]:
    """Return what is known of one sender's stream."""
    return {
        "process": stream.process,
        "serviceName": stream.service_name,
        "received": stream.stored,
        "lastSequence": stream.last_sequence if stream.last_sequence >= 0 else None,
        "missing": stream.missing,
        "knownDrops": dict(stream.drops),
        "unknownGaps": stream.unknown_gaps,
        "firstAt": iso_ms(stream.first_ms),
        "lastAt": iso_ms(stream.last_ms),
    }
