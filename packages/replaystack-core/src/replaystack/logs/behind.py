"""The standard library's logger behind each of ours: its level, its handlers, and what caplog sees."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .entry import ENTRY_ATTRIBUTE, beside
from .levels import SEVERITY

if TYPE_CHECKING:
    from .entry import LogEntry

__all__ = ["RESERVED", "hand_to_logging", "record_of"]

_HERE: Final = str(Path(__file__).resolve().parent.parent)
RESERVED: Final = (*logging.LogRecord("", 0, "", 0, "", (), None).__dict__, "message", "asctime", "taskName")
"""What a record has already, or a formatter gives it: a field of such a name is `field_<name>`."""


def record_of(logger: logging.Logger, entry: LogEntry) -> logging.LogRecord:
    """Return the record of an entry: the caller's place, the fields as attributes, all of it masked.

    The traceback is there as text (`exc_text`), masked, and not as the live exception: what formats
    that would write what was masked here.
    """
    frame = sys._getframe(2)  # noqa: SLF001 - as `logging` itself finds the caller
    while frame.f_code.co_filename.startswith(_HERE) and frame.f_back is not None:
        frame = frame.f_back
    code = frame.f_code
    record = logger.makeRecord(
        entry.logger,
        SEVERITY[entry.level],
        code.co_filename,
        frame.f_lineno,
        entry.message,
        (),
        None,
        code.co_name,
    )
    record.created = entry.timestamp
    record.msecs = int(entry.timestamp % 1 * 1000) + 0.0
    record.exc_text = entry.error_stack
    record.__dict__.update(beside(entry.fields, RESERVED))
    if entry.correlation_id is not None:
        record.__dict__.setdefault("correlation_id", entry.correlation_id)
    record.__dict__[ENTRY_ATTRIBUTE] = entry
    return record


def hand_to_logging(logger: logging.Logger, entry: LogEntry) -> None:
    """Let the handlers have the entry that are there for this logger; personal data only those that say so.

    A handler says so by an attribute `accepts_pii = True`. May raise what a handler raises.
    """
    if not entry.is_pii:
        if logger.hasHandlers():  # else `logging` would print it on stderr, as its last resort
            logger.handle(record_of(logger, entry))
        return
    record: logging.LogRecord | None = None
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            if getattr(handler, "accepts_pii", False) is True and SEVERITY[entry.level] >= handler.level:
                record = record or record_of(logger, entry)
                handler.handle(record)
        current = current.parent if current.propagate else None
