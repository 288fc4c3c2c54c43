"""What waits to be sent: first as a promise to encode, then as masked bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..sanitize import Masked

__all__ = ["BatchedPending", "DropReason", "Dropped", "Parcel", "Pending"]

DropReason = Literal[
    "max_queue_size",
    "spool_max_bytes",
    "spool_lost",
    "rejected",
    "before_send",
    "before_send_error",
    "encode_error",
    "closed",
    "interrupted",
    "reentrant",
    "no_log_receiver",
    "pii_not_allowed",
    "carried",
]
"""Why an event or a log entry was lost; docs/delivery.md says what each means.

`carried` is no loss, and counted apart: the log entry travels inside of an event.
"""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What `encode` returns where an event ends before it is sent; `reason` is for the ledger."""

    reason: DropReason


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


class BatchedPending(Pending, Protocol):
    """An event that may be encoded with its neighbours, in one call."""

    @property
    def is_batched(self) -> bool:
        """Whether that is worth it now."""

    def encode_together(self, others: Sequence[Any]) -> Sequence[Masked | Dropped]:
        """Return what `encode` would of this one and of `others`, which are of its kind and client.

        May raise: then each is encoded by itself.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """An encoded event on its way. Retried as the same bytes, with the same event id."""

    ordinal: int
    """Its place in the order of its source, from 0: captures of this client, or records of the spool."""
    masked: Masked
    event_type: str
    since: float = 0.0
    """When it was captured, on the monotonic clock."""
    stripped: bool = False
    """True once its bodies were taken out because the receiver found it too large."""
