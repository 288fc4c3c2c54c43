"""The JSON of one row of a list; also the data of a stream message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..moments import iso_ms
from ..store import Cursor

if TYPE_CHECKING:
    from ..store import EventSummary

__all__ = ["summary_json"]


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
