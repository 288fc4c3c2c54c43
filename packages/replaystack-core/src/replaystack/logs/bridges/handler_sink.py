"""Out: any handler of the standard library's logging as a sink of ours."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from ..entry import ENTRY_ATTRIBUTE
from ..levels import SEVERITY

if TYPE_CHECKING:
    from ..entry import LogEntry

__all__ = ["HandlerSink"]

_RESERVED: Final = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})
"""What a record has already, or a formatter gives it."""
_IDS: Final = ("correlation_id", "request_id", "user_id", "session_id", "flow_id", "step_index")


class HandlerSink:
    """Hands every entry to `handler`, as a record with the entry's fields as attributes.

    The handler's level, filters and formatter work as ever. A field whose name a record has
    already is `field_<name>`. The traceback is there as text, masked: formatters print it.

    Args:
        handler: whose it stays; closing it is its owner's.
        accepts_pii: whether it may have entries that are marked as personal data.

    """

    def __init__(self, handler: logging.Handler, *, accepts_pii: bool = False) -> None:
        self.handler: logging.Handler = handler
        self.accepts_pii: bool = accepts_pii

    def emit(self, entry: LogEntry) -> None:
        """Hand over one entry, on the thread that logs."""
        if SEVERITY[entry.level] >= self.handler.level:
            self.handler.handle(_record(entry))


def _record(entry: LogEntry) -> logging.LogRecord:
    attributes: dict[str, Any] = {
        "name": entry.logger,
        "levelno": SEVERITY[entry.level],
        "levelname": entry.level.upper(),
        "msg": entry.message,
        "created": entry.timestamp,
        "msecs": float(int(entry.timestamp % 1 * 1000)),
        "exc_text": entry.error_stack,
        ENTRY_ATTRIBUTE: True,  # a bridge back passes over it; the entry itself need not be picklable
    }
    for key, value in entry.fields.items():
        attributes[f"field_{key}" if key in _RESERVED or key == ENTRY_ATTRIBUTE else key] = value
    for name in _IDS:
        value = getattr(entry, name)
        if value is not None:
            attributes.setdefault(name, value)
    if entry.tags:
        attributes.setdefault("tags", list(entry.tags))
    return logging.makeLogRecord(attributes)
