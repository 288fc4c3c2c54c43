"""The one table between Python's names of an event and the wire's (WIRE.md section 1)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["EVENT_FIELDS", "RESERVED_METADATA_KEY", "TRACE_ID_PATTERN", "is_trace_id"]

EVENT_FIELDS: Final[dict[str, str]] = {
    "trace_id": "traceId",
    "event_type": "eventType",
    "status": "status",
    "method": "method",
    "endpoint": "endpoint",
    "request_url": "requestUrl",
    "auth_mode": "authMode",
    "auth_scheme": "authScheme",
    "request_headers": "requestHeaders",
    "request_payload": "requestPayload",
    "response_headers": "responseHeaders",
    "response_payload": "responsePayload",
    "status_code": "statusCode",
    "execution_time_ms": "executionTimeMs",
    "error_name": "errorName",
    "error_message": "errorMessage",
    "stack_trace": "stackTrace",
    "stack_frames": "stackFrames",
    "breadcrumbs": "breadcrumbs",
    "logs": "logs",
    "source_ip": "sourceIp",
    "user_agent": "userAgent",
    "metadata": "metadata",
    "service_name": "serviceName",
    "environment": "environment",
    "app_version": "appVersion",
    "commit_hash": "commitHash",
}
"""snake_case keyword -> camelCase wire key, in the order in which an event is written."""

RESERVED_METADATA_KEY: Final = "replaystack"
"""`metadata.replaystack` is ours: ids, sequence, evidence. A user's value there is replaced."""

TRACE_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9._:\-]{1,128}", re.ASCII)


def is_trace_id(value: object) -> bool:
    """Tell whether `value` may stand as a trace id and be reflected in a response header."""
    return type(value) is str and TRACE_ID_PATTERN.fullmatch(value) is not None
