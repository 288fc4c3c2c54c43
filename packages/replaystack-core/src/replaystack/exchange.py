"""What an adapter saw of one request, as references that can no longer change.

An adapter runs on the request's own thread, so it must not mask, copy or encode.
It hands over what it already holds in immutable form (`bytes`, `tuple`, `int`,
`str`); the pump turns that into masked bytes later, on its own thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .event import AuthMode, Breadcrumb, EventStatus, EventType

__all__ = ["ErrorInfo", "Exchange", "Frame", "RawBody", "RawHeaders"]


@dataclass(frozen=True, slots=True)
class RawHeaders:
    """Header fields as they stood on the wire, in order; names in any case."""

    items: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body, or the beginning of one, as it stood on the wire.

    `data` holds what was kept: all of a body up to `max_payload_bytes`, else its first
    16 KiB (MASKING.md section 4). `total_bytes` is the Content-Length where there is one,
    else what was seen, so `total_bytes > len(data)` means that `data` is a prefix.
    """

    data: bytes
    content_type: str | None = None
    content_encoding: str | None = None
    total_bytes: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry of a stack, as WIRE.md section 1 spells it."""

    function_name: str
    file_name: str
    line_number: int
    raw: str


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An exception, taken apart at once so that no frame or local variable is kept alive."""

    name: str
    message: str
    stack_trace: str
    frames: tuple[Frame, ...]
    causes: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its answer, ready to be encoded on another thread."""

    event_type: EventType
    status: EventStatus
    method: str
    endpoint: str
    request_url: str
    trace_id: str
    auth_mode: AuthMode
    auth_scheme: str | None
    status_code: int | None
    execution_time_ms: int
    started_at: float
    """Seconds since the epoch, UTC."""
    request_headers: RawHeaders | None = None
    response_headers: RawHeaders | None = None
    request_body: RawBody | None = None
    response_body: RawBody | None = None
    response_payload: object = None
    """Stands instead of a body where there is none to show: a marker, or what `CaptureFailure`
    carries. Must be immutable or already masked."""
    error: ErrorInfo | None = None
    breadcrumbs: tuple[Breadcrumb, ...] = ()
    source_ip: str | None = None
    user_agent: str | None = None
    route: str | None = None
    user: str | None = None
    session: str | None = None
    parent_trace_id: str | None = None
    bodies: Mapping[str, object] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that this exchange keeps alive, for the queue's bound."""
        size = 1024  # the tuples, strings and numbers that every exchange has
        for body in (self.request_body, self.response_body):
            if isinstance(body, RawBody):
                size += len(body.data)
        for headers in (self.request_headers, self.response_headers):
            if headers is not None:
                size += sum(len(name) + len(value) + 120 for name, value in headers.items)
        if self.error is not None:
            size += 2 * len(self.error.stack_trace)
        return size + 300 * len(self.breadcrumbs)
