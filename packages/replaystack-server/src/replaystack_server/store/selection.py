"""From an `EventQuery` to SQL: which rows, and by which road SQLite is to find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .search import match_expression

if TYPE_CHECKING:
    from .protocol import EventQuery

__all__ = ["Selection", "first_position"]

ARRIVAL_BITS = 21
"""Low bits of a position: the arrival, so that two million events of one millisecond keep apart."""

_LAST = "\U0010ffff"
"""Sorts after whatever can follow in a path."""


def first_position(occurred_ms: int) -> int:
    """Return the smallest position that an event of that millisecond can have."""
    return occurred_ms << ARRIVAL_BITS


class Selection:
    """The FROM and WHERE of one query. `position` is the column that orders and bounds it.

    With words to search for, the full-text index leads: it yields its rows by rowid, which
    is the position, so that the newest hundred are found without sorting all hits.
    """

    def __init__(self, query: EventQuery) -> None:
        self.tables: str = "events"
        self.position: str = "events.position"
        self.arguments: list[object] = []
        self._conditions: list[str] = []
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
        if query.from_ms is not None:
            self.require(f"{self.position} >= ?", first_position(query.from_ms))
        if query.to_ms is not None:
            self.require(f"{self.position} < ?", first_position(query.to_ms))

    @property
    def where(self) -> str:
        """The conditions, ready to follow WHERE."""
        return " AND ".join(self._conditions) or "1"

    def require(self, condition: str, *arguments: object) -> None:
        """Add a condition with its arguments, in this order."""
        self._conditions.append(condition)
        self.arguments.extend(arguments)

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
            self.require("(events.endpoint = ? OR events.endpoint >= ?)", path, branch)
