"""What the server asks of the log side of a store, and the values that it deals in.

A log may be personal (PII). A `Viewer` without that permission sees nothing of such a log: no
row, no count, no gap. So every log has two places, one among all logs and one among the public
ones; cursors, stream ids and orders are those of the kind of viewer that reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from .cursor import Cursor
    from .log_search import LogSearch
    from .protocol import Receipt, Viewer

__all__ = [
    "FlowSummary",
    "Grouping",
    "LogArrivals",
    "LogCount",
    "LogPage",
    "LogQuery",
    "LogRecord",
    "LogStore",
    "StoredLog",
]

Grouping = Literal["hour", "day", "source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One log, checked and masked. Texts are as they came, within the limits of the wire."""

    log_id: str
    """A UUID; the first log with it is kept."""
    occurred_ms: int
    received_ms: int
    level: str
    """debug, info, warn or error."""
    is_pii: bool
    message: str
    logger: str | None = None
    source: str | None = None
    environment: str | None = None
    version: str | None = None
    dataset: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    flow_id: str | None = None
    step_index: int | None = None
    error_name: str | None = None
    error_stack: str | None = None
    tags: tuple[str, ...] = ()
    data: dict[str, Any] | None = None
    ip_address: str | None = None
    country: str | None = None
    event_id: str | None = None
    """The event that it was attached to."""


@dataclass(frozen=True, slots=True)
class StoredLog:
    """One log and its place for the viewer that asked."""

    record: LogRecord
    position: int
    """Orders pages; leaves the server inside cursors only."""
    arrival: int
    """Orders streams."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which logs; what is None does not restrict."""

    level: str | None = None
    """Exactly that one."""
    min_level: str | None = None
    """That one and those above it."""
    source: str | None = None
    environment: str | None = None
    dataset: str | None = None
    logger: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    flow_id: str | None = None
    event_id: str | None = None
    search: LogSearch | None = None
    from_ms: int | None = None
    """Inclusive, milliseconds since the epoch."""
    to_ms: int | None = None
    """Exclusive."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some logs, newest first, and the ways on from here (None: nothing there)."""

    logs: tuple[StoredLog, ...]
    older: Cursor | None
    newer: Cursor | None


@dataclass(frozen=True, slots=True)
class LogArrivals:
    """What arrived after some arrival, oldest first."""

    logs: tuple[StoredLog, ...]
    last: int
    """Where to go on."""
    more: bool


@dataclass(frozen=True, slots=True)
class LogCount:
    """How many logs of one level one bucket holds."""

    bucket: str | int
    """A source, or the milliseconds at which an hour or a day begins."""
    level: str
    count: int


@dataclass(frozen=True, slots=True)
class FlowSummary:
    """What the logs of one flow that the viewer may see come to."""

    flow_id: str
    source: str | None
    log_count: int
    error_count: int
    first_ms: int
    last_ms: int
    last_level: str
    """Of its latest log."""


class LogStore(Protocol):
    """Logs on disk. Every method may be called from any thread; reads block, and raise `StoreError`."""

    def add(self, logs: Sequence[LogRecord]) -> Future[list[Receipt]]:
        """Store `logs`; return at once. The future is done when they are durable on disk."""
        ...

    def page(
        self, viewer: Viewer, query: LogQuery, cursor: Cursor | None, limit: int, offset: int = 0
    ) -> LogPage:
        """Return up to `limit` logs on that side of `cursor` (None: the newest, `offset` of them skipped)."""
        ...

    def log(self, viewer: Viewer, log_id: str) -> StoredLog | None:
        """Return the log with that id, None if there is none that `viewer` may see."""
        ...

    def arrivals(self, viewer: Viewer, query: LogQuery, after: int, limit: int) -> LogArrivals:
        """Return up to `limit` logs that arrived after `after`, in the count of this kind of viewer."""
        ...

    def last_arrival(self, viewer: Viewer) -> int:
        """Return the newest arrival in the count of this kind of viewer, 0 without any."""
        ...

    def counts(self, viewer: Viewer, query: LogQuery, grouping: Grouping) -> tuple[LogCount, ...]:
        """Return how many logs there are, by bucket and level, in the order of buckets."""
        ...

    def flows(self, viewer: Viewer, query: LogQuery, limit: int, offset: int = 0) -> tuple[FlowSummary, ...]:
        """Return the flows of the logs that `query` finds, those heard of last first."""
        ...

    def flow(self, viewer: Viewer, flow_id: str, limit: int) -> tuple[StoredLog, ...]:
        """Return the logs of a flow in the order of their steps, those without a step by their time."""
        ...
