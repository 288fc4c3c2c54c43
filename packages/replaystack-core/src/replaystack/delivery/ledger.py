"""The account of every event.

    captured + adopted = delivered + queued + in flight + spooled + dropped

Log entries have an account of their own, with one column more: `carried`, by an event.

Double entry. What came in is counted where events come in (taken from the inbox, plus what
is in it, plus what was adopted); the other columns are counted where events go. Nothing sets
one from another, so that the law can fail, and a test that checks it means something.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NO_STATS", "Ledger", "Stats"]


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of everything that a client captured in this process, at one moment.

    `captured + adopted == delivered + queued + in_flight + spooled + sum(dropped.values())`
    always holds. A forked child begins with zeros.
    """

    captured: int
    """Events that passed sampling and the ignore rules."""
    adopted: int
    """Events taken over from the spool of a process that ended."""
    delivered: int
    """Acknowledged by the receiver with a 2xx."""
    queued: int
    """Waiting in memory, before the first attempt or between two."""
    in_flight: int
    """Being encoded, written or sent right now."""
    spooled: int
    """On disk, own and adopted, and not in flight."""
    dropped: Mapping[str, int]
    """Lost, by `DropReason`; reasons that did not occur are absent."""
    skipped: Mapping[str, int]
    """Never captured, by reason: disabled, ignored_path, sampled, not_success. Not part of the law."""
    queued_bytes: int
    """Memory held by what is queued or in flight (an estimate before encoding)."""
    encode_lag_seconds: float
    """Age of the oldest event that is in memory only: a kill loses what was captured since then, at most."""
    retries: int
    """Attempts beyond the first."""
    errors: int
    """Errors of delivery and encoding. `on_error` also gets those of hooks and of captures."""
    carried: int = 0
    """Log entries that travel inside of an event, because the receiver takes no others: a part of
    their law, beside `delivered`. Of events always 0."""
    shortened: int = 0
    """Log entries of which something was cut to fit WIRE.md section 2. Not part of the law."""
    logs: Stats | None = None
    """The account of log entries, apart from that of events. None in itself."""


@dataclass(slots=True)
class Ledger:
    """The counters. Written under the backlog's lock only."""

    taken: int = 0
    """Events that left the inbox. Also the ordinal of the next one that will."""
    adopted: int = 0
    delivered: int = 0
    spooled: int = 0
    """On disk and not in flight."""
    carried: int = 0
    retries: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def stats(
        self,
        *,
        waiting: int,
        held: int,
        in_flight: int,
        queued_bytes: int,
        encode_lag_seconds: float,
        errors: int,
        skipped: Mapping[str, int],
        shortened: int = 0,
    ) -> Stats:
        """Return the account with `waiting` events in the inbox and `held` ones encoded."""
        return Stats(
            captured=self.taken + waiting,
            adopted=self.adopted,
            delivered=self.delivered,
            queued=held + waiting,
            in_flight=in_flight,
            spooled=self.spooled,
            dropped=MappingProxyType(dict(self.dropped)),
            skipped=MappingProxyType(dict(skipped)),
            queued_bytes=queued_bytes,
            encode_lag_seconds=encode_lag_seconds,
            retries=self.retries,
            errors=errors,
            carried=self.carried,
            shortened=shortened,
        )


NO_STATS = Ledger().stats(
    waiting=0, held=0, in_flight=0, queued_bytes=0, encode_lag_seconds=0.0, errors=0, skipped={}
)
"""The account where nothing came yet."""
