"""Where events are kept: the `Store` protocol, and SQLite behind it."""

from .cursor import Cursor, CursorError
from .protocol import (
    Arrivals,
    EventPage,
    EventQuery,
    EventSummary,
    IncomingEvent,
    Receipt,
    Store,
    StoredEvent,
    StoreError,
    StreamReport,
    StreamSummary,
    Viewer,
)
from .sqlite import SqliteStore

__all__ = [
    "Arrivals",
    "Cursor",
    "CursorError",
    "EventPage",
    "EventQuery",
    "EventSummary",
    "IncomingEvent",
    "Receipt",
    "SqliteStore",
    "Store",
    "StoreError",
    "StoredEvent",
    "StreamReport",
    "StreamSummary",
    "Viewer",
]
