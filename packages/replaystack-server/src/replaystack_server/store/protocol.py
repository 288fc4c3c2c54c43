"""What the server asks of a store, whichever engine stands behind it.

Two orders exist, and they are not the same. Pages are ordered by *position*: the time at
which an event happened, then its arrival. A spooled event that arrives an hour late takes
its place among the events of its own minute. Streams are ordered by *arrival*: the order
of commits, without a gap for a reader, so that a late event is not missed either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Future

    from .cursor import Cursor
    from .logs import LogRecord, LogStore

__all__ = [
    "Arrivals",
    "EventPage",
    "EventQuery",
    "EventSummary",
    "IncomingEvent",
    "Receipt",
    "Store",
    "StoreError",
    "StoredEvent",
    "StreamReport",
    "StreamSummary",
    "Viewer",
]


class StoreError(RuntimeError):
    """The store could not do it now (disk full, locked, too much waiting); trying again may help."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads. Every read takes one, so that no permission can be forgotten on a road."""

    name: str
    may_read_pii: bool = False
    """Without it nothing of a personal log is seen: no row, no count, no gap."""


@dataclass(frozen=True, slots=True)
class EventSummary:
    """What a list shows of an event. Texts are already masked and cut."""

    event_id: str
    position: int
    """Orders pages. Larger than JavaScript's safe integers: leaves the server inside cursors only."""
    arrival: int
    """Orders streams: 1, 2, 3 ... in the order of commits."""
    occurred_ms: int
    """Milliseconds since the epoch; never later than `received_ms`, whatever the sender's clock says."""
    received_ms: int
    event_type: str
    status: str
    method: str | None
    endpoint: str | None
    route: str | None
    status_code: int | None
    execution_time_ms: int | None
    error_name: str | None
    error_message: str | None
    service_name: str | None
    environment: str | None
    trace_id: str | None
    process: str | None
    """The sender's stream id, with `sequence` the means to tell gaps."""
    sequence: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingEvent:
    """An event that was checked and masked and may be stored."""

    event_id: str
    """A UUID; the first event with it is kept."""
    occurred_ms: int
    received_ms: int
    event_type: str
    status: str
    method: str | None
    endpoint: str | None
    route: str | None
    status_code: int | None
    execution_time_ms: int | None
    error: str | None
    message: str | None
    tags: str
    service: str | None
    environment: str | None
    trace_id: str | None
    process: str | None
    sequence: int | None
    document: bytes
    """The whole masked event but for its logs: one JSON object, UTF-8."""
    logs: tuple[LogRecord, ...] = ()
    """What it brought along; kept in the table of logs."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event in full."""

    summary: EventSummary
    document: bytes
    """As it was handed to `add`."""
    logs: tuple[LogRecord, ...] = ()
    """Its logs that the viewer may see, in the order of their times."""


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What a sender says of its own stream (one client in one process)."""

    process: str
    drops: Mapping[str, int]
    """Events that it lost so far, by its own reasons; cumulative."""
    received_ms: int


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """One stream: what arrived of it, and what did not.

    A stream numbers its events 0, 1, 2 ... without a gap, those that it drops too.
    """

    process: str
    service_name: str | None
    stored: int
    last_sequence: int
    """The highest number that arrived; -1: none did."""
    drops: Mapping[str, int]
    first_ms: int
    last_ms: int
    """When something was last heard of it: milliseconds since the epoch."""

    @property
    def missing(self) -> int:
        """Numbers up to the highest one that are not here (yet)."""
        return max(0, self.last_sequence + 1 - self.stored)

    @property
    def known_drops(self) -> int:
        """What the sender counted as lost."""
        return sum(self.drops.values())

    @property
    def unknown_gaps(self) -> int:
        """Missing numbers that the sender's own drops do not explain: lost by a kill, or still to come.

        A lower bound: drops after the highest number that arrived are counted as if they were before it.
        """
        return max(0, self.missing - self.known_drops)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to one stored event or log."""

    event_id: str
    is_new: bool
    """False for a repeat: the first one was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events; what is None does not restrict."""

    status: str | None = None
    service: str | None = None
    method: str | None = None
    path: str | None = None
    """`/orders` is that path and everything below it, `/ord*` everything that begins so, `/` the root."""
    text: str | None = None
    """Words that must all occur in endpoint, error, message or tags; a word matches as a beginning."""
    from_ms: int | None = None
    """Inclusive, milliseconds since the epoch, by the time at which the event happened."""
    to_ms: int | None = None
    """Exclusive."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, newest first, and the ways on from here (None: nothing there)."""

    events: tuple[EventSummary, ...]
    older: Cursor | None
    newer: Cursor | None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What arrived after some arrival, oldest first."""

    events: tuple[EventSummary, ...]
    last: int
    """Where to go on. Moves forward over events that the query leaves out, too."""
    more: bool
    """True if the limit cut the answer off."""


class Store(Protocol):
    """Events on disk. Every method may be called from any thread.

    Reads block for as long as the disk takes; call them off the event loop. All of them
    raise `StoreError` where the store is unable to answer.
    """

    @property
    def logs(self) -> LogStore:
        """The log side."""
        ...

    def add(
        self, events: Sequence[IncomingEvent], report: StreamReport | None = None
    ) -> Future[list[Receipt]]:
        """Store `events`, and what came with them about a stream; return at once.

        The future is done when they are durable on disk.
        """
        ...

    def page(self, viewer: Viewer, query: EventQuery, cursor: Cursor | None, limit: int) -> EventPage:
        """Return up to `limit` events on that side of `cursor` (None: the newest)."""
        ...

    def event(self, viewer: Viewer, event_id: str) -> StoredEvent | None:
        """Return the event with that id, None if there is none that `viewer` may see."""
        ...

    def arrivals(self, viewer: Viewer, query: EventQuery, after: int, limit: int) -> Arrivals:
        """Return up to `limit` events that arrived after `after`."""
        ...

    def last_arrival(self, viewer: Viewer) -> int:
        """Return the newest arrival, 0 in an empty store."""
        ...

    def services(self, viewer: Viewer) -> tuple[str, ...]:
        """Return the names of the services that sent something, sorted, at most 100."""
        ...

    def streams(self, viewer: Viewer, limit: int) -> tuple[StreamSummary, ...]:
        """Return the streams that were heard of last, newest first."""
        ...

    def close(self) -> None:
        """Finish what was added, then release the file. Blocks; a second call does nothing."""
        ...
