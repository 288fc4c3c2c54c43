"""The account of every event: captured = delivered + queued + in flight + dropped.

Double entry. `captured` is counted where events come in (taken from the inbox, plus what
is in it); the other columns are counted where events go. Nothing sets one from another, so
that the law can fail, and a test that checks it means something.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Ledger", "Stats"]


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of everything that a client captured, at one moment.

    `captured == delivered + queued + in_flight + sum(dropped.values())` always holds.
    """

    captured: int
    """Events that passed sampling and the ignore rules."""
    delivered: int
    """Acknowledged by the receiver with a 2xx."""
    queued: int
    """Waiting in memory, before the first attempt or between two."""
    in_flight: int
    """Being encoded or sent right now."""
    dropped: Mapping[str, int]
    """Lost, by reason: max_queue_size, rejected, before_send, before_send_error, encode_error, closed,
    interrupted (torn off while it was encoded), reentrant (captured from inside of the SDK's own work)."""
    skipped: Mapping[str, int]
    """Never captured, by reason: disabled, ignored_path, sampled, not_success. Not part of the law."""
    queued_bytes: int
    """Memory held by what is queued or in flight (an estimate before encoding)."""
    retries: int
    """Attempts beyond the first."""
    errors: int
    """Errors of delivery and encoding. `on_error` also gets those of hooks and of captures."""


@dataclass(slots=True)
class Ledger:
    """The counters. Written under the pump's state lock only."""

    taken: int = 0
    """Events that left the inbox. Also the ordinal of the next one that will."""
    delivered: int = 0
    retries: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def stats(
        self,
        *,
        waiting: int,
        held: int,
        in_flight: int,
        queued_bytes: int,
        errors: int,
        skipped: Mapping[str, int],
    ) -> Stats:
        """Return the account with `waiting` events in the inbox and `held` ones encoded."""
        return Stats(
            captured=self.taken + waiting,
            delivered=self.delivered,
            queued=held + waiting,
            in_flight=in_flight,
            dropped=MappingProxyType(dict(self.dropped)),
            skipped=MappingProxyType(dict(skipped)),
            queued_bytes=queued_bytes,
            retries=self.retries,
            errors=errors,
        )
