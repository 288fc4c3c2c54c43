"""Which trace a request belongs to: the first valid id of the candidates (API.md section 5)."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from ..clock import new_id
from ..wire import is_trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TRACE_HEADER", "choose_trace_id", "parse_traceparent"]

TRACE_HEADER = "x-trace-id"

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


def parse_traceparent(value: str) -> str | None:
    """Return the trace id of a W3C `traceparent`, or None where it is not valid.

    Version ff and ids of zeros are invalid; a version above 00 may carry more fields.
    """
    match = _TRACEPARENT.fullmatch(value.strip())
    if match is None:
        return None
    version, trace_id, parent_id, _flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace_id, 16) or not int(parent_id, 16):
        return None
    return trace_id


def _opentelemetry_trace_id() -> str | None:
    """Return the id of the span that is current in OpenTelemetry, if the application uses it."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    try:
        context = trace.get_current_span().get_span_context()
        return f"{context.trace_id:032x}" if context.is_valid else None
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
    return parsed or _opentelemetry_trace_id() or new_id()
