"""What an adapter saw of one request, as references that can no longer change.

An adapter runs on the request's own thread, so it must not mask, copy or encode.
It hands over what it already holds in immutable form (`bytes`, `tuple`, `int`,
`str`); the pump turns that into masked bytes later, on its own thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .event import EventStatus, EventType

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


class Exchange(Protocol):
    """One request with its answer, complete: nothing about it changes any more.

    What it says of itself is cheap. What it is made of is composed once, by the pump, on
    another thread than the request's.
    """

    @property
    def event_type(self) -> EventType:
        """The `eventType`."""

    @property
    def status(self) -> EventStatus:
        """The `status`, for sampling."""

    @property
    def endpoint(self) -> str:
        """The path, for the ignore rules."""

    @property
    def started_at(self) -> float:
        """When it began: seconds since the epoch."""

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that it keeps alive, for the queue's bound."""

    def compose(self) -> tuple[dict[str, object], dict[str, object]]:
        """Return the event's wire fields, raw, and what joins `metadata.replaystack`."""
