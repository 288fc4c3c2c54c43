"""Orders and what happened to them, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Item", "Order", "OrderStore", "Step"]

State = Literal["open", "paid", "declined", "cancelled"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT NOT NULL, email TEXT, note TEXT,
    items TEXT NOT NULL, total_cents INTEGER NOT NULL, state TEXT NOT NULL, created_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS steps (order_id INTEGER NOT NULL, at TEXT NOT NULL, step TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order."""

    sku: str
    quantity: int
    unit_price_cents: int


class Step(TypedDict):
    """One thing that happened to an order."""

    at: str
    step: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands in the file."""

    id: int
    customer: str
    email: str | None
    note: str | None
    items: list[Item]
    total_cents: int
    state: State
    created_at: str


class OrderStore:
    """The shop's orders. Safe from any thread: every call opens a connection of its own."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`, creating it when it is not there."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as connection:
            connection.executescript(_SCHEMA)

    def create(self, customer: str, email: str | None, note: str | None, items: Sequence[Item]) -> Order:
        """Write a new order in state `open` and return it."""
        total = sum(item.quantity * item.unit_price_cents for item in items)
        with self._transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO orders (customer, email, note, items, total_cents, state, created_at)"
                " VALUES (?, ?, ?, ?, ?, 'open', ?)",
                (customer, email, note, json.dumps([asdict(item) for item in items]), total, _now()),
            )
            row = connection.execute("SELECT * FROM orders WHERE id = ?", (cursor.lastrowid,)).fetchone()
            order = _order(row)
            _record(connection, order.id, "created")
        return order

    def get(self, order_id: int) -> Order | None:
        """Return the order, or None when there is none with that number."""
        with self._transaction() as connection:
            row = connection.execute("SELECT * FROM orders WHERE id = ?", (order_id,)).fetchone()
        return None if row is None else _order(row)

    def search(self, state: str | None = None, customer: str | None = None, limit: int = 20) -> list[Order]:
        """Return at most `limit` orders, newest first; None means any."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT * FROM orders WHERE (:state IS NULL OR state = :state)"
                " AND (:customer IS NULL OR customer = :customer) ORDER BY id DESC LIMIT :limit",
                {"state": state, "customer": customer, "limit": limit},
            ).fetchall()
        return [_order(row) for row in rows]

    def move(self, order_id: int, state: State) -> None:
        """Put the order into `state` and remember when."""
        with self._transaction() as connection:
            connection.execute("UPDATE orders SET state = ? WHERE id = ?", (state, order_id))
            _record(connection, order_id, state)

    def steps(self, order_id: int) -> list[Step]:
        """Return what happened to the order, oldest first."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT at, step FROM steps WHERE order_id = ? ORDER BY rowid", (order_id,)
            ).fetchall()
        return [Step(at=row["at"], step=row["step"]) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=5.0)) as connection:
            connection.row_factory = sqlite3.Row
            with connection:
                yield connection


def _record(connection: sqlite3.Connection, order_id: int, step: str) -> None:
    connection.execute("INSERT INTO steps VALUES (?, ?, ?)", (order_id, _now(), step))


def _order(row: sqlite3.Row) -> Order:
    items = [Item(**item) for item in json.loads(row["items"])]
    return Order(**{**dict(row), "items": items})


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
