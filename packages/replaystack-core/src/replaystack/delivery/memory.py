"""Loads for the sender out of memory: what is held first, then the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .courier import BULK_MAX_BYTES
from .halving import Halving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .backlog import Backlog, Taken
    from .encoding import Encoder
    from .pending import DropReason, Parcel

__all__ = ["MemorySource", "Source"]


class Source(Protocol):
    """Where the sender gets a batch from, and where it books what became of it.

    One batch is out at a time: `load`, then for all of it one of `deliver`, `drop` and `hold`; and
    `rescue` where the attempt or that call was torn off.
    """

    halving: Halving

    def load(self, limit: int) -> list[Parcel]:
        """Put up to `limit` encoded events in flight, oldest first. May be empty."""

    def deliver(self, parcels: Sequence[Parcel], rejected: Sequence[Parcel] = ()) -> None:
        """Book as delivered, but for those of the batch that were `rejected`: they are dropped."""

    def drop(self, parcels: Sequence[Parcel], reason: DropReason) -> None:
        """Book as dropped."""

    def hold(self, parcels: Sequence[Parcel]) -> None:
        """Give back, to be loaded again first, as the bytes that they are now."""

    def rescue(self) -> None:
        """Finish what was decided of the load; give back what is neither delivered nor dropped."""


class MemorySource:
    """A `Source` over the backlog. For the holder of the pump's ownership."""

    def __init__(self, backlog: Backlog, encoder: Encoder) -> None:
        self.halving: Halving = Halving()
        self._backlog = backlog
        self._encoder = encoder
        self._taken: list[Taken] = []
        self._parcels: list[Parcel] = []
        self._out = 0

    def load(self, limit: int) -> list[Parcel]:
        """Take and encode; give back what one request cannot carry."""
        backlog, self._parcels = self._backlog, []
        limit, before = self.halving.bounds(backlog.head, limit)
        self._taken = backlog.take(limit, before)
        self._encoder.encode(self._taken, self._parcels)
        size = 0
        for index, parcel in enumerate(self._parcels):
            size += len(parcel.masked)
            if index and size > BULK_MAX_BYTES:
                backlog.hold(self._parcels[index:])
                del self._parcels[index:]
                break
        self._out = len(self._parcels)
        return self._parcels

    def deliver(self, parcels: Sequence[Parcel], rejected: Sequence[Parcel] = ()) -> None:
        """Book as delivered, but for those of the batch that were `rejected`: they are dropped."""
        self._backlog.deliver([parcel.ordinal for parcel in parcels])
        self._booked(parcels)
        if rejected:
            self.drop(rejected, "rejected")

    def drop(self, parcels: Sequence[Parcel], reason: DropReason) -> None:
        """Book as dropped."""
        self._backlog.drop([parcel.ordinal for parcel in parcels], reason)
        self._booked(parcels)

    def hold(self, parcels: Sequence[Parcel]) -> None:
        """Put at the head again."""
        self._backlog.hold(parcels)
        self._booked(parcels)

    def _booked(self, parcels: Sequence[Parcel]) -> None:
        """Let go of a load that is booked: an idle sender keeps no request alive."""
        self._out -= len(parcels)
        if self._out <= 0:
            self._taken, self._parcels = [], []

    def rescue(self) -> None:
        """Hold what is encoded; drop what is not as `interrupted`."""
        self._backlog.rescue(self._taken, self._parcels)
