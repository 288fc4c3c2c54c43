"""Put an event together: what was captured, what the client knows, and ReplayStack's own part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clock import iso_timestamp
from ..wire import RESERVED_METADATA_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import Config
    from ..exchange import ErrorInfo, Exchange, Frame

__all__ = ["Stamp", "compose_event", "compose_exchange", "error_fields", "service_fields"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes an event this one and no other. Assigned at the capture, never changed."""

    event_id: str
    process: str
    sequence: int
    timestamp: float
    """Seconds since the epoch: when the exchange began, or when the user captured."""


def service_fields(config: Config) -> dict[str, str]:
    """Return what every event of a client says about its service."""
    fields = {
        "serviceName": config.service_name,
        "environment": config.environment,
        "appVersion": config.app_version,
        "commitHash": config.commit_hash,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _frame(frame: Frame) -> dict[str, object]:
    return {
        "functionName": frame.function_name,
        "fileName": frame.file_name,
        "lineNumber": frame.line_number,
        "raw": frame.raw,
    }


def error_fields(error: ErrorInfo) -> dict[str, Any]:
    """Return the wire fields of an exception, without its causes (they go under metadata)."""
    return {
        "errorName": error.name,
        "errorMessage": error.message,
        "stackTrace": error.stack_trace,
        "stackFrames": [_frame(frame) for frame in error.frames],
    }


def _own_part(stamp: Stamp, extra: Mapping[str, object]) -> dict[str, object]:
    """Return `metadata.replaystack`; what is empty is absent (WIRE.md section 1)."""
    own: dict[str, object] = {
        "eventId": stamp.event_id,
        "timestamp": iso_timestamp(stamp.timestamp),
        "process": stamp.process,
        "sequence": stamp.sequence,
    }
    own.update({key: value for key, value in extra.items() if value not in (None, "", (), [], {})})
    return own


def compose_event(
    fields: Mapping[str, Any], service: Mapping[str, str], stamp: Stamp, own: Mapping[str, object]
) -> dict[str, Any]:
    """Return the wire event for what user code passed; `own` joins `metadata.replaystack`."""
    event: dict[str, Any] = {**service, **fields}
    event.setdefault("traceId", stamp.event_id)
    metadata = event.get("metadata")
    merged: dict[str, Any] = {}
    if type(metadata) is dict:
        merged.update(metadata)
    elif metadata is not None:
        merged["metadata"] = metadata
    merged[RESERVED_METADATA_KEY] = _own_part(stamp, own)
    event["metadata"] = merged
    return event


def compose_exchange(exchange: Exchange, service: Mapping[str, str], stamp: Stamp) -> dict[str, Any]:
    """Return the wire event for what an adapter saw. Runs in the pump, not in the request."""
    error = exchange.error
    event: dict[str, Any] = {
        "traceId": exchange.trace_id,
        "eventType": exchange.event_type,
        "status": exchange.status,
        "method": exchange.method,
        "endpoint": exchange.endpoint,
        "requestUrl": exchange.request_url,
        "authMode": exchange.auth_mode,
        "authScheme": exchange.auth_scheme,
        "requestHeaders": exchange.request_headers,
        "requestPayload": exchange.request_body,
        "responseHeaders": exchange.response_headers,
        "responsePayload": (
            exchange.response_payload if exchange.response_payload is not None else exchange.response_body
        ),
        "statusCode": exchange.status_code,
        "executionTimeMs": exchange.execution_time_ms,
        **(error_fields(error) if error is not None else {}),
        "breadcrumbs": [breadcrumb.to_dict() for breadcrumb in exchange.breadcrumbs],
        **service,
        "sourceIp": exchange.source_ip,
        "userAgent": exchange.user_agent,
    }
    own = {
        "route": exchange.route,
        "parentTraceId": exchange.parent_trace_id,
        "user": exchange.user,
        "session": exchange.session,
        "bodies": dict(exchange.bodies),
        "causes": [dict(cause) for cause in error.causes] if error is not None else [],
    }
    return compose_event(
        {key: value for key, value in event.items() if value not in (None, [])}, {}, stamp, own
    )
