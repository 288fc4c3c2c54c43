"""One log entry, complete: masked, stamped, a snapshot. Every rendering and every sink reads this."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .levels import Level

__all__ = ["ENTRY_ATTRIBUTE", "ENTRY_KEYS", "NO_FIELDS", "LogEntry"]

ENTRY_ATTRIBUTE: Final = "replaystack_entry"
"""Where a `logging.LogRecord` that a ReplayStack logger made carries its entry.

A bridge from `logging` back to ReplayStack passes over records that have it: they are captured already.
"""

NO_FIELDS: Final[Mapping[str, Any]] = MappingProxyType({})


class LogEntry(NamedTuple):
    """What one call of a logger said, and where and when. Immutable; share it between threads freely.

    A named tuple and not a data class: one is made for each log line, and this is made in a fifth
    of the time. `fields` is this entry's own dict of plain JSON values; nobody may change it.
    """

    id: str
    """A UUID; the receiver keeps the first of several with one id."""
    timestamp: float
    """Seconds since the epoch, at the call."""
    level: Level
    message: str
    """Masked."""
    logger: str
    is_pii: bool = False
    """Message and fields hold personal data: for receivers and sinks that are told so, and no others."""
    fields: Mapping[str, Any] = NO_FIELDS
    """Masked."""
    tags: tuple[str, ...] = ()
    error_name: str | None = None
    error_stack: str | None = None
    """Masked; the traceback with its causes."""
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    """The trace id of the request in which it was logged."""
    correlation_id: str | None = None
    flow_id: str | None = None
    step_index: int | None = None
    dataset: str | None = None
    ip_address: str | None = None
    country: str | None = None


ENTRY_KEYS: Final[frozenset[str]] = frozenset(LogEntry._fields) | {"content", "data", "source", "environment"}
"""What a field may not be called: it would stand in for a part of the entry in some rendering."""
