"""The embedded store: one SQLite file."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Final

from .cursor import Cursor
from .database import Database
from .log_table import insert_logs
from .logs import LogQuery
from .protocol import Arrivals, EventPage, EventSummary, Receipt, StoredEvent, StreamSummary
from .selection import ARRIVAL_BITS, Selection, first_position
from .sqlite_logs import SqliteLogs
from .writer import Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from .protocol import EventQuery, IncomingEvent, StreamReport, Viewer

__all__ = ["SqliteStore"]

_ROW_BYTES = 4096
"""What a row weighs in memory besides its document, for the writer's bound."""

_MOST_LOGS: Final = 1000
"""Of one event, shown with it; a client sends 50 unless told otherwise."""

# In the order of the fields of EventSummary.
_SUMMARY_COLUMNS: Final = (
    "events.event_id, events.position, events.arrival, events.occurred_ms, events.received_ms, "
    "events.event_type, events.status, events.method, events.endpoint, events.route, "
    "events.status_code, events.execution_time_ms, events.error, substr(events.message, 1, 300), "
    "events.service, events.environment, events.trace_id, events.process, events.sequence"
)

_INSERT_EVENT: Final = (
    "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

_COUNT_EVENT: Final = """
INSERT INTO streams VALUES (?, ?, 1, ?, '{}', ?, ?) ON CONFLICT (process) DO UPDATE SET
    service = coalesce(excluded.service, service), stored = stored + 1,
    last_sequence = max(last_sequence, excluded.last_sequence), last_ms = max(last_ms, excluded.last_ms)
"""
_NOTE_DROPS: Final = """
INSERT INTO streams VALUES (?, NULL, 0, -1, ?, ?, ?) ON CONFLICT (process) DO UPDATE SET
    drops = excluded.drops, last_ms = max(last_ms, excluded.last_ms)
"""

# One jump through the index per name, where DISTINCT would walk over all rows.
_SERVICES: Final = """
WITH RECURSIVE names (name) AS (
    SELECT min(service) FROM events
    UNION ALL
    SELECT (SELECT min(service) FROM events WHERE service > name) FROM names WHERE name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL LIMIT 100
"""


class SqliteStore:
    """Implements `Store`; see there for what the methods promise.

    Args:
        path: the file; made if it does not exist.
        on_commit: called in the writer's thread whenever something new can be read.

    Raises:
        StoreError: the file cannot be used.

    """

    def __init__(self, path: Path, on_commit: Callable[[], None] = lambda: None) -> None:
        self._database = Database(path)
        self._writer = Writer(self._database.writer(), on_commit)
        self.logs: SqliteLogs = SqliteLogs(self._database, self._writer)

    def add(
        self, events: Sequence[IncomingEvent], report: StreamReport | None = None
    ) -> Future[list[Receipt]]:
        """Store `events`; compresses here, in the caller's thread, writes in the writer's."""
        rows = [(event, zlib.compress(event.document)) for event in events]
        cost = sum(len(body) + _ROW_BYTES * (1 + len(event.logs)) for event, body in rows)
        return self._writer.submit(lambda connection: _insert(connection, rows, report), cost)

    def page(self, viewer: Viewer, query: EventQuery, cursor: Cursor | None, limit: int) -> EventPage:  # noqa: ARG002
        """Return up to `limit` events on that side of `cursor`, newest first in any case."""
        selection = Selection(query)
        is_newer = cursor is not None and cursor.direction == "newer"
        if cursor is not None:
            selection.require(f"{selection.position} {'>' if is_newer else '<'} ?", cursor.position)
        # The inner query runs on indexes alone where it can; whole rows are read for one page only.
        statement = (
            f"SELECT {_SUMMARY_COLUMNS} FROM events WHERE events.position IN ("  # noqa: S608 - fixed texts only
            f"SELECT {selection.position} FROM {selection.tables} WHERE {selection.where} "
            f"ORDER BY {selection.position} {'ASC' if is_newer else 'DESC'} LIMIT ?"
            ") ORDER BY events.position DESC"
        )
        with self._database.reader() as connection:
            # One row more than asked for tells whether there is more; it is the farthest one.
            rows = connection.execute(statement, (*selection.arguments, limit + 1)).fetchall()
        has_more = len(rows) > limit
        kept = rows[-limit:] if is_newer else rows[:limit]
        events = tuple(EventSummary(*row) for row in kept)
        if not events:
            return EventPage((), None, None)
        has_older = is_newer or has_more
        has_newer = has_more if is_newer else cursor is not None
        return EventPage(
            events,
            older=Cursor("older", events[-1].position) if has_older else None,
            newer=Cursor("newer", events[0].position) if has_newer else None,
        )

    def event(self, viewer: Viewer, event_id: str) -> StoredEvent | None:
        """Return the event with that id, and those of its logs that the viewer may see."""
        with self._database.reader() as connection:
            row = connection.execute(
                f"SELECT {_SUMMARY_COLUMNS}, documents.body FROM events "  # noqa: S608 - fixed texts only
                "JOIN documents ON documents.position = events.position WHERE events.event_id = ?",
                (event_id.lower(),),
            ).fetchone()
        if row is None:
            return None
        found = self.logs.page(viewer, LogQuery(event_id=event_id.lower()), None, _MOST_LOGS)
        logs = tuple(log.record for log in reversed(found.logs))
        return StoredEvent(EventSummary(*row[:-1]), zlib.decompress(row[-1]), logs)

    def arrivals(self, viewer: Viewer, query: EventQuery, after: int, limit: int) -> Arrivals:
        """Return up to `limit` events that arrived after `after`, oldest first."""
        # Read first: what is committed between the two statements is simply the next answer's.
        last = self.last_arrival(viewer)
        if last <= after:
            return Arrivals((), after, more=False)
        selection = Selection(query)
        selection.require("events.arrival > ? AND events.arrival <= ?", after, last)
        # Few rows are new, however many match: the arrival must lead, not the full-text index.
        tables = selection.tables.replace("search CROSS JOIN events", "events CROSS JOIN search")
        with self._database.reader() as connection:
            rows = connection.execute(
                f"SELECT {_SUMMARY_COLUMNS} FROM {tables} WHERE {selection.where} "  # noqa: S608 - fixed texts only
                "ORDER BY events.arrival LIMIT ?",
                (*selection.arguments, limit),
            ).fetchall()
        events = tuple(EventSummary(*row) for row in rows)
        if len(events) == limit:
            return Arrivals(events, events[-1].arrival, more=True)
        return Arrivals(events, last, more=False)

    def last_arrival(self, viewer: Viewer) -> int:  # noqa: ARG002
        """Return the newest arrival, 0 in an empty store."""
        with self._database.reader() as connection:
            return int(connection.execute("SELECT coalesce(max(arrival), 0) FROM events").fetchone()[0])

    def services(self, viewer: Viewer) -> tuple[str, ...]:  # noqa: ARG002
        """Return the names of the services that sent something."""
        with self._database.reader() as connection:
            return tuple(name for (name,) in connection.execute(_SERVICES))

    def streams(self, viewer: Viewer, limit: int) -> tuple[StreamSummary, ...]:  # noqa: ARG002
        """Return the streams that were heard of last."""
        with self._database.reader() as connection:
            rows = connection.execute(
                "SELECT process, service, stored, last_sequence, drops, first_ms, last_ms "
                "FROM streams ORDER BY last_ms DESC, process LIMIT ?",
                (limit,),
            ).fetchall()
        return tuple(
            StreamSummary(process, service, stored, last, json.loads(drops), first_ms, last_ms)
            for process, service, stored, last, drops, first_ms, last_ms in rows
        )

    def ingest_key_digests(self) -> list[bytes]:
        """Return the digests of all keys that senders may use."""
        with self._database.reader() as connection:
            return [digest for (digest,) in connection.execute("SELECT digest FROM ingest_keys")]

    def add_ingest_key(self, digest: bytes, created_ms: int) -> None:
        """Remember a key by its digest. Blocks until it is on disk."""
        statement = "INSERT OR IGNORE INTO ingest_keys VALUES (?, ?)"
        self._writer.submit(lambda c: c.execute(statement, (digest, created_ms)).rowcount, 0).result()

    def forget_ingest_keys(self) -> None:
        """Forget every key. Blocks until that is on disk."""
        self._writer.submit(lambda c: c.execute("DELETE FROM ingest_keys").rowcount, 0).result()

    def close(self) -> None:
        """Write what is queued, then close the file."""
        self._writer.close()
        self._database.close()


def _insert(
    connection: sqlite3.Connection, rows: list[tuple[IncomingEvent, bytes]], report: StreamReport | None
) -> list[Receipt]:
    (arrival,) = connection.execute("SELECT coalesce(max(arrival), 0) FROM events").fetchone()
    receipts: list[Receipt] = []
    for event, body in rows:
        known = connection.execute("SELECT 1 FROM events WHERE event_id = ?", (event.event_id,)).fetchone()
        receipts.append(Receipt(event.event_id, is_new=known is None))
        if known is not None:
            continue
        arrival += 1
        position = _free_position(connection, event.occurred_ms, arrival)
        connection.execute(_INSERT_EVENT, _row(event, position, arrival))
        connection.execute("INSERT INTO documents VALUES (?, ?)", (position, body))
        if event.logs:
            insert_logs(connection, event.logs)
        if event.process is not None and event.sequence is not None:
            connection.execute(
                _COUNT_EVENT,
                (event.process, event.service, event.sequence, event.received_ms, event.received_ms),
            )
    if report is not None:
        _note(connection, report)
    return receipts


def _note(connection: sqlite3.Connection, report: StreamReport) -> None:
    """Keep the highest count by reason: requests may overtake each other."""
    row = connection.execute("SELECT drops FROM streams WHERE process = ?", (report.process,)).fetchone()
    before: dict[str, int] = {} if row is None else json.loads(row[0])
    drops = before | {reason: max(count, before.get(reason, 0)) for reason, count in report.drops.items()}
    moment = report.received_ms
    connection.execute(_NOTE_DROPS, (report.process, json.dumps(drops), moment, moment))


def _free_position(connection: sqlite3.Connection, occurred_ms: int, arrival: int) -> int:
    position = first_position(occurred_ms) | (arrival & ((1 << ARRIVAL_BITS) - 1))
    # Taken only if exactly 2^21 arrivals lie between two events of the same millisecond.
    while connection.execute("SELECT 1 FROM events WHERE position = ?", (position,)).fetchone():
        position += 1
    return position


def _row(event: IncomingEvent, position: int, arrival: int) -> tuple[object, ...]:
    """Return the columns of `events` in the order of the table."""
    return (
        position,
        arrival,
        event.event_id,
        event.occurred_ms,
        event.received_ms,
        event.event_type,
        event.status,
        event.method,
        event.endpoint,
        event.route,
        event.status_code,
        event.execution_time_ms,
        event.error,
        event.message,
        event.tags,
        event.service,
        event.environment,
        event.trace_id,
        event.process,
        event.sequence,
    )
