"""From earlier layouts of the file: the logs of events move out of the documents, into their own table."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from .attached import attached_logs
from .log_table import insert_logs

if TYPE_CHECKING:
    import sqlite3

__all__ = ["move_logs"]


def move_logs(connection: sqlite3.Connection) -> None:
    """Move them, inside of the transaction that is open. Takes seconds for a hundred thousand events.

    What stayed in a document would be shown to everyone who may read the event.
    """
    events = connection.execute("SELECT position, event_id, occurred_ms, received_ms FROM events").fetchall()
    for position, event_id, occurred_ms, received_ms in events:
        row = connection.execute("SELECT body FROM documents WHERE position = ?", (position,)).fetchone()
        document = zlib.decompress(row[0]) if row else b""
        if b'"logs":' not in document:
            continue
        event = json.loads(document)
        if "logs" not in event:
            continue
        insert_logs(connection, attached_logs(event, event_id, occurred_ms, received_ms))
        del event["logs"]
        rest = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        connection.execute(
            "UPDATE documents SET body = ? WHERE position = ?", (zlib.compress(rest), position)
        )
