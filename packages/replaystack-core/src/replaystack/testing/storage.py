"""All that a receiver's SQLite file holds, as haystacks: raw, row by row, unpacked, indexed."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from .search import Haystack, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["database_haystacks"]


def database_haystacks(database: Path) -> Iterator[Haystack]:
    """Yield all that a SQLite file holds: raw, row by row, unpacked, and as full-text terms.

    Reads only, while the owner may go on writing. Raises `sqlite3.Error` or `OSError` when the
    file cannot be read: a proof that skipped what it cannot read would be none.
    """
    for suffix in ("", "-wal", "-journal"):
        path = database.with_name(database.name + suffix)
        if suffix == "" or path.exists():
            data = path.read_bytes()
            yield Haystack(path.name, data)
            yield from unpacked(path.name, data)
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        for table, sql in tables:
            yield from _table(connection, table)
            if re.match(r"create\s+virtual\s+table.*\busing\s+fts5\b", sql or "", re.IGNORECASE | re.DOTALL):
                yield _terms(connection, table)


def _table(connection: sqlite3.Connection, table: str) -> Iterator[Haystack]:
    texts: list[bytes] = []
    for row in connection.execute(f"SELECT * FROM {_quoted(table)}"):  # noqa: S608 - a name, quoted
        for value in row:
            if isinstance(value, bytes):
                yield from unpacked(f"table {table}", value)
            texts.append(value if isinstance(value, bytes) else str(value).encode())
    yield Haystack(f"table {table}", b"\n".join(texts))


def _terms(connection: sqlite3.Connection, table: str) -> Haystack:
    # The index stores terms without the beginning that they share with the term before, so only
    # SQLite itself can say what is in it. The temp schema is no part of the file.
    name = _quoted(f"{table}_terms")
    connection.execute(f"CREATE VIRTUAL TABLE temp.{name} USING fts5vocab(main, {_quoted(table)}, row)")
    terms = connection.execute(f"SELECT term FROM temp.{name}")  # noqa: S608 - a name, quoted
    return Haystack(f"terms of {table}", "\n".join(term for (term,) in terms).encode())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
