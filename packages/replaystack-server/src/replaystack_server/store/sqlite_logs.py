"""The log side of the embedded store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from replaystack.logs.formats import LEVELS

from .cursor import Cursor
from .log_table import LOG_COLUMNS, insert_logs, stored_log
from .logs import FlowSummary, LogArrivals, LogCount, LogPage, LogQuery
from .selection import Conditions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from .database import Database
    from .logs import Grouping, LogRecord, StoredLog
    from .protocol import Receipt, Viewer
    from .writer import Writer

__all__ = ["SqliteLogs"]

_ROW_BYTES: Final = 2048
"""What a row weighs in memory besides its texts, for the writer's bound."""

_EQUAL: Final = (
    "level",
    "source",
    "environment",
    "dataset",
    "logger",
    "user_id",
    "session_id",
    "request_id",
    "flow_id",
    "event_id",
)
_BUCKETS: Final[dict[Grouping, str]] = {
    "hour": "logs.occurred_ms / 3600000 * 3600000",
    "day": "logs.occurred_ms / 86400000 * 86400000",
    "source": "coalesce(logs.source, '')",
}
_MOST_COUNTS: Final = 10_000
"""Rows of one answer to a question for counts: a year of hours by level is fewer."""


class SqliteLogs:
    """Implements `LogStore`; see there for what the methods promise."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def add(self, logs: Sequence[LogRecord]) -> Future[list[Receipt]]:
        """Queue them for the writer."""
        cost = sum(_ROW_BYTES + len(log.message) + len(log.error_stack or "") for log in logs)
        return self._writer.submit(lambda connection: insert_logs(connection, logs), cost)

    def page(
        self, viewer: Viewer, query: LogQuery, cursor: Cursor | None, limit: int, offset: int = 0
    ) -> LogPage:
        """Return up to `limit` logs on that side of `cursor`, newest first in any case."""
        selection = _Selection(viewer, query)
        is_newer = cursor is not None and cursor.direction == "newer"
        if cursor is not None:
            selection.require(f"{selection.position} {'>' if is_newer else '<'} ?", cursor.position)
        rows = self._rows(
            selection, f"ORDER BY {selection.order} {'ASC' if is_newer else 'DESC'}", limit + 1, offset
        )
        has_more = len(rows) > limit
        logs = tuple(sorted(rows[:limit], key=lambda log: log.position, reverse=True))
        if not logs:
            return LogPage((), None, None)
        has_older = is_newer or has_more
        has_newer = has_more if is_newer else cursor is not None or offset > 0
        return LogPage(
            logs,
            older=Cursor("older", logs[-1].position) if has_older else None,
            newer=Cursor("newer", logs[0].position) if has_newer else None,
        )

    def log(self, viewer: Viewer, log_id: str) -> StoredLog | None:
        """Return the log with that id."""
        selection = _Selection(viewer, LogQuery())
        selection.require("logs.log_id = ?", log_id.lower())
        return next(iter(self._rows(selection, "", 1)), None)

    def arrivals(self, viewer: Viewer, query: LogQuery, after: int, limit: int) -> LogArrivals:
        """Return up to `limit` logs that arrived after `after`, oldest first."""
        # Read first: what is committed between the two statements is simply the next answer's.
        last = self.last_arrival(viewer)
        if last <= after:
            return LogArrivals((), after, more=False)
        selection = _Selection(viewer, query)
        selection.require(f"{selection.arrival} > ? AND {selection.arrival} <= ?", after, last)
        logs = tuple(self._rows(selection, f"ORDER BY {selection.arrival}", limit))
        if len(logs) == limit:
            return LogArrivals(logs, logs[-1].arrival, more=True)
        return LogArrivals(logs, last, more=False)

    def last_arrival(self, viewer: Viewer) -> int:
        """Return the newest arrival."""
        column = _Selection(viewer, LogQuery()).arrival
        with self._database.reader() as connection:
            statement = f"SELECT coalesce(max({column}), 0) FROM logs"  # noqa: S608 - one of two fixed names
            return int(connection.execute(statement).fetchone()[0])

    def counts(self, viewer: Viewer, query: LogQuery, grouping: Grouping) -> tuple[LogCount, ...]:
        """Return counts by bucket and level."""
        selection = _Selection(viewer, query)
        statement = (
            f"SELECT {_BUCKETS[grouping]} AS bucket, logs.level, count(*) FROM {selection.tables} "  # noqa: S608 - fixed texts only
            f"WHERE {selection.where} GROUP BY bucket, logs.level ORDER BY bucket LIMIT {_MOST_COUNTS}"
        )
        with self._database.reader() as connection:
            rows = connection.execute(statement, selection.arguments).fetchall()
        return tuple(LogCount(*row) for row in rows)

    def flows(self, viewer: Viewer, query: LogQuery, limit: int, offset: int = 0) -> tuple[FlowSummary, ...]:
        """Return flows, the latest first."""
        selection = _Selection(viewer, query)
        selection.require("logs.flow_id IS NOT NULL AND logs.flow_id <> ''")
        statement = (
            "SELECT flow_id, first_source, amount, errors, first_ms, last_ms, last_level FROM ("  # noqa: S608 - fixed texts only
            "SELECT logs.flow_id AS flow_id, min(logs.source) OVER flow AS first_source, "
            "count(*) OVER flow AS amount, sum(logs.level = 'error') OVER flow AS errors, "
            "min(logs.occurred_ms) OVER flow AS first_ms, max(logs.occurred_ms) OVER flow AS last_ms, "
            "logs.level AS last_level, row_number() OVER (PARTITION BY logs.flow_id "
            "ORDER BY logs.step_index DESC NULLS LAST, logs.position DESC) AS place "
            f"FROM {selection.tables} WHERE {selection.where} WINDOW flow AS (PARTITION BY logs.flow_id)"
            ") WHERE place = 1 ORDER BY last_ms DESC, flow_id LIMIT ? OFFSET ?"
        )
        with self._database.reader() as connection:
            rows = connection.execute(statement, (*selection.arguments, limit, offset)).fetchall()
        return tuple(FlowSummary(*row) for row in rows)

    def flow(self, viewer: Viewer, flow_id: str, limit: int) -> tuple[StoredLog, ...]:
        """Return the steps of a flow."""
        selection = _Selection(viewer, LogQuery(flow_id=flow_id))
        order = "ORDER BY logs.step_index IS NULL, logs.step_index, logs.position"
        return tuple(self._rows(selection, order, limit))

    def _rows(self, selection: _Selection, order: str, limit: int, offset: int = 0) -> list[StoredLog]:
        statement = (
            f"SELECT {selection.position}, {selection.arrival}, {LOG_COLUMNS} FROM {selection.tables} "  # noqa: S608 - fixed texts only
            f"WHERE {selection.where} {order} LIMIT ? OFFSET ?"
        )
        with self._database.reader() as connection:
            rows = connection.execute(statement, (*selection.arguments, limit, offset)).fetchall()
        return [stored_log(row) for row in rows]


class _Selection(Conditions):
    """The FROM and WHERE of one query. What the viewer may not see is left out here and nowhere else."""

    def __init__(self, viewer: Viewer, query: LogQuery) -> None:
        kind = "" if viewer.may_read_pii else "public_"
        super().__init__("logs", f"logs.{kind}position")
        self.arrival: str = f"logs.{kind}arrival"
        self.order: str = self.position
        # First of all, so that no later condition can be reached without it.
        if not viewer.may_read_pii:
            self.require("logs.is_pii = 0 AND logs.public_position IS NOT NULL")
        if query.search is not None:
            self._search(query)
        for name in _EQUAL:
            value = getattr(query, name)
            if value is not None:
                self.require(f"logs.{name} = ?", value)
        if query.min_level is not None:
            above = LEVELS[LEVELS.index(query.min_level) :]
            self.require(f"logs.level IN ({', '.join('?' * len(above))})", *above)
        self.require_time(query.from_ms, query.to_ms)

    def _search(self, query: LogQuery) -> None:
        search = query.search
        if search is None or search.is_empty:
            self.require("0")
            return
        if search.wanted is not None:
            # CROSS JOIN is SQLite's way to fix the order. Both positions order alike.
            self.tables = "log_search CROSS JOIN logs ON logs.position = log_search.rowid"
            self.order = "log_search.rowid"
            self.require("log_search MATCH ?", search.wanted)
        if search.unwanted is not None:
            self.require(
                "logs.position NOT IN (SELECT rowid FROM log_search WHERE log_search MATCH ?)",
                search.unwanted,
            )
