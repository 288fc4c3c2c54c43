"""The two kinds of `Pending`: a user's event, encoded in the call, and an exchange, encoded later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..delivery import Dropped
    from ..exchange import Exchange
    from ..sanitize import Masked
    from .encoding import EventEncoder

__all__ = ["EncodedEvent", "PendingExchange"]


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """A user's event. Its bytes are its snapshot: what the user changes later changes nothing."""

    result: Masked
    event_type: str

    @property
    def size_bytes(self) -> int:
        """The length of the masked bytes."""
        return len(self.result)

    def encode(self) -> Masked | Dropped:
        """Return what the capture call made."""
        return self.result


class PendingExchange:
    """What an adapter handed over, with the encoder that will encode it in the pump."""

    __slots__ = ("_encoder", "_exchange", "_place", "size_bytes")

    def __init__(self, exchange: Exchange, place: tuple[str, int], encoder: EventEncoder) -> None:
        self._exchange = exchange
        self._place = place
        self._encoder = encoder
        self.size_bytes: int = exchange.size_bytes

    @property
    def event_type(self) -> str:
        """The exchange's own."""
        return self._exchange.event_type

    def encode(self) -> Masked | Dropped:
        """Compose, mask and encode. Some 10 us to some ms: for the pump's thread."""
        return self._encoder.exchange(self._exchange, self._place)

    @property
    def is_batched(self) -> bool:
        """Whether `encode_together` takes it."""
        return self._encoder.is_batching

    def encode_together(self, others: Sequence[PendingExchange]) -> Sequence[Masked | Dropped]:
        """Encode this one and those behind it, of the same client, in one call."""
        return self._encoder.exchanges([(one._exchange, one._place) for one in (self, *others)])  # noqa: SLF001 - its own kind
