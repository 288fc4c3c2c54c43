"""Where events and logs are kept: the `Store` protocol, and SQLite behind it."""

from .attached import attached_logs
from .cursor import Cursor, CursorError
from .log_search import SEARCH_FIELDS, LogSearch, parse_search
from .logs import (
    FlowSummary,
    Grouping,
    LogArrivals,
    LogCount,
    LogPage,
    LogQuery,
    LogRecord,
    LogStore,
    StoredLog,
)
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
    "SEARCH_FIELDS",
    "Arrivals",
    "Cursor",
    "CursorError",
    "EventPage",
    "EventQuery",
    "EventSummary",
    "FlowSummary",
    "Grouping",
    "IncomingEvent",
    "LogArrivals",
    "LogCount",
    "LogPage",
    "LogQuery",
    "LogRecord",
    "LogSearch",
    "LogStore",
    "Receipt",
    "SqliteStore",
    "Store",
    "StoreError",
    "StoredEvent",
    "StoredLog",
    "StreamReport",
    "StreamSummary",
    "Viewer",
    "attached_logs",
    "parse_search",
]
