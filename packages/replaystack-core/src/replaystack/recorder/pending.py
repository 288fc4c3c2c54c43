"""The two kinds of `Pending`: a user's event, encoded in the call, and an exchange, encoded later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..delivery import Dropped
    from ..exchange import Exchange
    from ..sanitize import Masked

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
    """What an adapter handed over, with the function that will encode it in the pump."""

    __slots__ = ("_encode", "_exchange", "_sequence", "size_bytes")

    def __init__(
        self, exchange: Exchange, sequence: int, encode: Callable[[Exchange, int], Masked | Dropped]
    ) -> None:
        self._exchange = exchange
        self._sequence = sequence
        self._encode = encode
        self.size_bytes: int = exchange.size_bytes

    @property
    def event_type(self) -> str:
        """The exchange's own."""
        return self._exchange.event_type

    def encode(self) -> Masked | Dropped:
        """Compose, mask and encode. Some 100 us to some ms: for the pump's thread."""
        return self._encode(self._exchange, self._sequence)
