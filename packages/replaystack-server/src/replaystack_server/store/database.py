"""The SQLite file: its tables, its pragmas and its connections."""

from __future__ import annotations

import os
import queue
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .log_table import LOG_TABLES
from .migration import move_logs
from .protocol import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Database"]

_VERSION = 3
"""In `PRAGMA user_version`. A file with another one was written by another release."""

_BUSY_TIMEOUT_SECONDS = 5.0
"""For a lock of another process, such as a backup; within this process writers never meet."""

_WRITER_CACHE_KIB = 16 * 1024
"""The inner pages of all indexes, and what full-text segments are merged from, of a file of some GiB.
SQLite's own 2 MiB are too few from some hundred thousand logs on: each commit read pages again."""

# Kept with each event and not counted when somebody looks: a stream may have millions.
_STREAMS = """
CREATE TABLE streams (
    process TEXT PRIMARY KEY,
    service TEXT,
    stored INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    drops TEXT NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX streams_by_time ON streams (last_ms);
"""

_COUNT_STREAMS = """
INSERT INTO streams
SELECT process, max(service), count(*), max(sequence), '{}', min(received_ms), max(received_ms)
FROM events WHERE process IS NOT NULL AND sequence IS NOT NULL GROUP BY process;
"""

# `error`, `message`, `tags` and `endpoint` are named as the full-text table needs them (external content).
_TABLES = """
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    arrival INTEGER NOT NULL UNIQUE,
    event_id TEXT NOT NULL UNIQUE,
    occurred_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    status TEXT NOT NULL,
    method TEXT,
    endpoint TEXT,
    route TEXT,
    status_code INTEGER,
    execution_time_ms INTEGER,
    error TEXT,
    message TEXT,
    tags TEXT NOT NULL,
    service TEXT,
    environment TEXT,
    trace_id TEXT,
    process TEXT,
    sequence INTEGER
);
CREATE INDEX events_by_status ON events (status);
CREATE INDEX events_by_service ON events (service);
CREATE INDEX events_by_method ON events (method);
CREATE INDEX events_by_endpoint ON events (endpoint);

CREATE TABLE documents (
    position INTEGER PRIMARY KEY REFERENCES events (position) ON DELETE CASCADE,
    body BLOB NOT NULL
);

CREATE VIRTUAL TABLE search USING fts5 (
    endpoint, error, message, tags,
    content='events', content_rowid='position', tokenize='unicode61 remove_diacritics 2'
);
CREATE TRIGGER events_indexed AFTER INSERT ON events BEGIN
    INSERT INTO search (rowid, endpoint, error, message, tags)
    VALUES (new.position, new.endpoint, new.error, new.message, new.tags);
END;
CREATE TRIGGER events_unindexed AFTER DELETE ON events BEGIN
    INSERT INTO search (search, rowid, endpoint, error, message, tags)
    VALUES ('delete', old.position, old.endpoint, old.error, old.message, old.tags);
END;

CREATE TABLE ingest_keys (
    digest BLOB PRIMARY KEY,
    created_ms INTEGER NOT NULL
) WITHOUT ROWID;
"""


class Database:
    """Makes the file if need be, opens connections, lends readers.

    Raises:
        StoreError: the file cannot be opened, is no database, or is of another release.

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        try:
            # Made here and not by SQLite: captured requests are for the owner's eyes. The
            # companions (-wal, -shm) take over these permissions.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = self.writer()
            try:
                self._prepare(connection)
            finally:
                connection.close()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"cannot open the database {path}: {error}") from error

    def writer(self) -> sqlite3.Connection:
        """Return a new connection that may write, in autocommit mode. The caller closes it."""
        connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        # FULL: a sender forgets an event once we have answered, so the answer must outlive a
        # power cut. The group commit pays for it.
        connection.executescript(
            f"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -{_WRITER_CACHE_KIB};"
        )
        return connection

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Lend a read-only connection; whoever is on it alone sees one snapshot per statement."""
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = self._open_reader()
        try:
            yield connection
        except sqlite3.Error as error:
            raise StoreError(f"cannot read the database: {error}") from error
        finally:
            self._readers.put(connection)

    def close(self) -> None:
        """Close the readers that are not lent."""
        while True:
            try:
                self._readers.get_nowait().close()
            except queue.Empty:
                return

    def _open_reader(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=_BUSY_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,  # lent to one thread at a time
            )
        except sqlite3.Error as error:
            raise StoreError(f"cannot open the database {self._path}: {error}") from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == _VERSION:
            return
        if version in {1, 2}:
            streams = _STREAMS + _COUNT_STREAMS if version == 1 else ""
            connection.executescript(f"BEGIN IMMEDIATE; {streams} {LOG_TABLES}")
            move_logs(connection)
            # Not by `executescript`, which would end the transaction before its own first statement.
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.execute("COMMIT")
            return
        if version != 0 or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise StoreError(
                f"{self._path} is not a database of this release: "
                f"expected version {_VERSION}, found {version}. Choose another file with --db."
            )
        connection.executescript(
            f"BEGIN IMMEDIATE; {_TABLES} {_STREAMS} {LOG_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;"
        )
