"""What waits to be sent: first as a promise to encode, then as masked bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..sanitize import Masked

__all__ = ["Dropped", "Parcel", "Pending"]


@dataclass(frozen=True, slots=True)
class Dropped:
    """What `encode` returns where an event ends before it is sent; `reason` is for the ledger."""

    reason: str


class Pending(Protocol):
    """An event in the inbox. It knows its size and can encode itself, once, on any thread."""

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that it keeps alive."""

    @property
    def event_type(self) -> str:
        """The `eventType`, for drop notices."""

    def encode(self) -> Masked | Dropped:
        """Return masked bytes. Must not raise; if it does, the event is dropped and counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """An encoded event on its way. Retried as the same bytes, with the same event id."""

    ordinal: int
    """Its place in the order of captures of this client, from 0."""
    masked: Masked
    event_type: str
    stripped: bool = False
    """True once its bodies were taken out because the receiver found it too large."""
