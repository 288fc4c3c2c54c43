"""The table of logs: its shape, its rows, and how one is written."""

from __future__ import annotations

import json
import sqlite3
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from .logs import LogRecord, StoredLog
from .protocol import Receipt
from .selection import ARRIVAL_BITS, first_position

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LOG_COLUMNS", "LOG_TABLES", "insert_logs", "stored_log"]

# `public_position` and `public_arrival` are null for a personal log: they count public ones only,
# so that neither a cursor nor the id of a stream message tells how many others there are.
LOG_TABLES: Final = """
CREATE TABLE logs (
    position INTEGER PRIMARY KEY,
    arrival INTEGER NOT NULL UNIQUE,
    public_position INTEGER UNIQUE,
    public_arrival INTEGER UNIQUE,
    log_id TEXT NOT NULL UNIQUE,
    occurred_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    level TEXT NOT NULL,
    is_pii INTEGER NOT NULL,
    message TEXT NOT NULL,
    logger TEXT,
    source TEXT,
    environment TEXT,
    version TEXT,
    dataset TEXT,
    user_id TEXT,
    session_id TEXT,
    request_id TEXT,
    flow_id TEXT,
    step_index INTEGER,
    error_name TEXT,
    error_stack TEXT,
    tags TEXT,
    data TEXT,
    ip_address TEXT,
    country TEXT,
    event_id TEXT
);
CREATE INDEX logs_by_level ON logs (level);
CREATE INDEX logs_by_source ON logs (source);
CREATE INDEX logs_by_logger ON logs (logger) WHERE logger IS NOT NULL;
CREATE INDEX logs_by_flow ON logs (flow_id) WHERE flow_id IS NOT NULL;
CREATE INDEX logs_by_event ON logs (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX logs_by_request ON logs (request_id) WHERE request_id IS NOT NULL;

CREATE VIRTUAL TABLE log_search USING fts5 (
    message, error_name, error_stack, data, tags,
    content='logs', content_rowid='position', tokenize='unicode61 remove_diacritics 2'
);
CREATE TRIGGER logs_indexed AFTER INSERT ON logs BEGIN
    INSERT INTO log_search (rowid, message, error_name, error_stack, data, tags)
    VALUES (new.position, new.message, new.error_name, new.error_stack, new.data, new.tags);
END;
CREATE TRIGGER logs_unindexed AFTER DELETE ON logs BEGIN
    INSERT INTO log_search (log_search, rowid, message, error_name, error_stack, data, tags)
    VALUES ('delete', old.position, old.message, old.error_name, old.error_stack, old.data, old.tags);
END;
"""

_FIELDS: Final = tuple(LogRecord.__dataclass_fields__)
LOG_COLUMNS: Final = ", ".join(f"logs.{name}" for name in _FIELDS)
"""Of a `LogRecord`, in the order of its fields."""

_INSERT: Final = (
    f"INSERT INTO logs (position, arrival, public_position, public_arrival, {', '.join(_FIELDS)}) "  # noqa: S608 - fixed texts only
    f"VALUES ({', '.join('?' * (4 + len(_FIELDS)))})"
)
_LOW_BITS: Final = (1 << ARRIVAL_BITS) - 1
_ASKED_AT_ONCE: Final = 500
"""Parameters of a statement: old SQLites take 999."""

_all_fields: Final = attrgetter(*_FIELDS)
_TAGS: Final = _FIELDS.index("tags")
_DATA: Final = _FIELDS.index("data")
_write_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Made once: `json.dumps` with options makes an encoder for each call."""


def insert_logs(connection: sqlite3.Connection, records: Sequence[LogRecord]) -> list[Receipt]:
    """Write `records` in their order; one whose id is known is not written again."""
    arrival, public = connection.execute(
        "SELECT coalesce(max(arrival), 0), (SELECT coalesce(max(public_arrival), 0) FROM logs) FROM logs"
    ).fetchone()
    receipts: list[Receipt] = []
    known = _known(connection, [record.log_id for record in records])
    for record in records:
        is_new = record.log_id not in known
        receipts.append(Receipt(record.log_id, is_new=is_new))
        if not is_new:
            _join(connection, record)
            continue
        known.add(record.log_id)
        arrival += 1
        if not record.is_pii:
            public += 1
        _insert(connection, record, arrival, None if record.is_pii else public)
    return receipts


def _known(connection: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Return those of `ids` that have a row: one question for many, as nearly all of them are new."""
    known: set[str] = set()
    for start in range(0, len(ids), _ASKED_AT_ONCE):
        asked = ids[start : start + _ASKED_AT_ONCE]
        statement = f"SELECT log_id FROM logs WHERE log_id IN ({', '.join('?' * len(asked))})"  # noqa: S608 - question marks only
        known.update(log_id for (log_id,) in connection.execute(statement, asked))
    return known


def _insert(connection: sqlite3.Connection, record: LogRecord, arrival: int, public: int | None) -> None:
    occurred_ms = record.occurred_ms
    position, public_position = _place(occurred_ms, arrival), None
    if public is not None:
        public_position = _place(occurred_ms, public)
    values = _values(record)
    try:
        connection.execute(_INSERT, (position, arrival, public_position, public, *values))
    except UnicodeEncodeError:  # SQLite takes no lone surrogates
        values = [v.encode("utf-8", "replace").decode() if isinstance(v, str) else v for v in values]
    except sqlite3.IntegrityError:
        # A place is taken, if exactly 2^21 arrivals lie between two logs of one millisecond.
        pass
    else:
        return
    position = _free(connection, "position", position)
    if public_position is not None:
        public_position = _free(connection, "public_position", public_position)
    connection.execute(_INSERT, (position, arrival, public_position, public, *values))


def _join(connection: sqlite3.Connection, record: LogRecord) -> None:
    """Note what a second copy of a log knows: its event, and that it is personal if either says so."""
    position, is_pii = connection.execute(
        "SELECT position, is_pii FROM logs WHERE log_id = ?", (record.log_id,)
    ).fetchone()
    if record.event_id is not None:
        connection.execute(
            "UPDATE logs SET event_id = coalesce(event_id, ?) WHERE position = ?", (record.event_id, position)
        )
    if record.is_pii and not is_pii:
        connection.execute(
            "UPDATE logs SET is_pii = 1, public_position = NULL, public_arrival = NULL WHERE position = ?",
            (position,),
        )


def _place(occurred_ms: int, arrival: int) -> int:
    return first_position(occurred_ms) | (arrival & _LOW_BITS)


def _free(connection: sqlite3.Connection, column: str, position: int) -> int:
    statement = f"SELECT 1 FROM logs WHERE {column} = ?"  # noqa: S608 - one of two fixed names
    while connection.execute(statement, (position,)).fetchone():
        position += 1
    return position


def _values(record: LogRecord) -> list[object]:
    """Return the columns of a record, in the order of its fields."""
    values = list(_all_fields(record))
    values[_TAGS] = _write_json(record.tags) if record.tags else None
    values[_DATA] = _write_json(record.data) if record.data else None
    return values


def stored_log(row: Sequence[object]) -> StoredLog:
    """Return the log of a row of position, arrival and `LOG_COLUMNS`."""
    position, arrival, *values = row
    fields = dict(zip(_FIELDS, values, strict=True))
    tags, data = fields["tags"], fields["data"]
    fields["tags"] = tuple(json.loads(tags)) if isinstance(tags, str) else ()
    fields["data"] = json.loads(data) if isinstance(data, str) else None
    fields["is_pii"] = bool(fields["is_pii"])
    assert isinstance(position, int)  # noqa: S101 - as the table has it
    assert isinstance(arrival, int)  # noqa: S101 - same
    return StoredLog(LogRecord(**fields), position, arrival)  # type: ignore[arg-type]  # columns of the table
