"""Which trace a request belongs to: the first valid id of the candidates (API.md section 5).

And how to pass it on: `traceparent` as W3C Trace Context (level 1) has it.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from ..clock import new_id
from ..scope import current_scope
from ..wire import is_trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CORRELATION_HEADER",
    "TRACE_HEADER",
    "choose_trace_id",
    "current_traceparent",
    "make_traceparent",
    "parse_traceparent",
]

TRACE_HEADER = "x-trace-id"
CORRELATION_HEADER = "x-correlation-id"

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_FITTING = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_MAX_LENGTH = 512
"""What OpenTelemetry reads, too. The standard's own form has 55 characters, a later version may add some."""


def parse_traceparent(value: str) -> str | None:
    """Return the trace id of a W3C `traceparent`, or None where it is not valid.

    Version ff and ids of zeros are invalid; a version above 00 may carry more fields.
    """
    match = _TRACEPARENT.fullmatch(value.strip(" \t")) if len(value) <= _MAX_LENGTH else None
    if match is None:
        return None
    version, trace_id, parent_id, _flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace_id, 16) or not int(parent_id, 16):
        return None
    return trace_id


def make_traceparent(trace_id: str) -> str | None:
    """Return a `traceparent` that passes `trace_id` on, with a new parent id; None where it cannot.

    32 hex digits stand for themselves, a UUID for its digits; any other id of ours does not fit.
    """
    digits = trace_id.replace("-", "").lower()
    if not _FITTING.fullmatch(trace_id) or not int(digits, 16):
        return None
    return f"00-{digits}-{new_id()[-12:]}{new_id()[:4]}-01"


def current_traceparent() -> str | None:
    """Return the `traceparent` for a call that the running request makes to another service.

    That of OpenTelemetry's current span where there is one, else one with the trace id of our
    scope; None outside of a request, and for a trace id that does not fit.
    """
    span = _opentelemetry_span()
    if span is not None:
        return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
    scope = current_scope()
    return None if scope is None or scope.trace_id is None else make_traceparent(scope.trace_id)


def _opentelemetry_span() -> Any:
    """Return the context of the span that is current in OpenTelemetry, if the application uses it."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    try:
        context = trace.get_current_span().get_span_context()
        return context if context.is_valid else None
    except Exception:  # noqa: BLE001 - another project's API; without it there is one candidate less
        return None


def choose_trace_id(asked: object, headers: Mapping[bytes, bytes]) -> str:
    """Return the trace id of a request.

    Args:
        asked: what `get_trace_id` returned, if anything.
        headers: the first value of each of the request's headers, raw, names in lower case.

    """
    if is_trace_id(asked):
        return str(asked)
    sent = headers.get(b"x-trace-id")
    if sent is not None and is_trace_id(text := sent.decode("latin-1")):
        return text
    traceparent = headers.get(b"traceparent")
    parsed = parse_traceparent(traceparent.decode("latin-1")) if traceparent else None
    if parsed is not None:
        return parsed
    span = _opentelemetry_span()
    return new_id() if span is None else f"{span.trace_id:032x}"
