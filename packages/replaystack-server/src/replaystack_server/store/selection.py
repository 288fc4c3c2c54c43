"""From an `EventQuery` to SQL: which rows, and by which road SQLite is to find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .search import match_expression

if TYPE_CHECKING:
    from .protocol import EventQuery

__all__ = ["Conditions", "Selection", "first_position"]

ARRIVAL_BITS = 21
"""Low bits of a position: the arrival, so that two million events of one millisecond keep apart."""

_LAST = "\U0010ffff"
"""Sorts after whatever can follow in a path."""


def first_position(occurred_ms: int) -> int:
    """Return the smallest position that an event of that millisecond can have."""
    return occurred_ms << ARRIVAL_BITS


class Conditions:
    """The WHERE of one query, and its arguments. `position` is the column that orders and bounds it."""

    def __init__(self, tables: str, position: str) -> None:
        self.tables: str = tables
        self.position: str = position
        self.arguments: list[object] = []
        self._conditions: list[str] = []

    @property
    def where(self) -> str:
        """The conditions, ready to follow WHERE."""
        return " AND ".join(self._conditions) or "1"

    def require(self, condition: str, *arguments: object) -> None:
        """Add a condition with its arguments, in this order."""
        self._conditions.append(f"({condition})")
        self.arguments.extend(arguments)

    def require_time(self, from_ms: int | None, to_ms: int | None) -> None:
        """Restrict it to milliseconds since the epoch: not before the one, before the other."""
        if from_ms is not None:
            self.require(f"{self.position} >= ?", first_position(from_ms))
        if to_ms is not None:
            self.require(f"{self.position} < ?", first_position(to_ms))


class Selection(Conditions):
    """The FROM and WHERE of one query about events.

    With words to search for, the full-text index leads: it yields its rows by rowid, which
    is the position, so that the newest hundred are found without sorting all hits.
    """

    def __init__(self, query: EventQuery) -> None:
        super().__init__("events", "events.position")
        if query.text is not None:
            self._search(query.text)
        for column, value in (
            ("status", query.status),
            ("service", query.service),
            ("method", query.method),
        ):
            if value is not None:
                self.require(f"events.{column} = ?", value)
        if query.path is not None:
            self._below(query.path)
        self.require_time(query.from_ms, query.to_ms)

    def _search(self, text: str) -> None:
        expression = match_expression(text)
        if expression is None:
            self.require("0")  # there is nothing to look for in "---", so nothing is found
            return
        # CROSS JOIN is SQLite's way to fix the order: search first.
        self.tables = "search CROSS JOIN events ON events.position = search.rowid"
        self.position = "search.rowid"
        self.require("search MATCH ?", expression)

    def _below(self, path: str) -> None:
        # Ranges, not LIKE: the index on `endpoint` answers them, and no character is special.
        if path.endswith("*"):
            self.require("events.endpoint >= ? AND events.endpoint < ?", path[:-1], path[:-1] + _LAST)
        elif path == "/":
            self.require("events.endpoint = '/'")
        else:
            branch = path.rstrip("/") + "/"
            self.require("events.endpoint >= ? AND events.endpoint < ?", path, branch + _LAST)
            # Between the path and its branch lie strangers such as `/orders-archive`.
            self.require("events.endpoint = ? OR events.endpoint >= ?", path, branch)
