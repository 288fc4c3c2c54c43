"""An entry as the PolyAI seed shows it: one flat JSON object, every field beside the fixed keys."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from .entry import beside
from .levels import EVENT_NAMES

if TYPE_CHECKING:
    from .entry import LogEntry

__all__ = ["FLAT_KEYS", "flat"]

FLAT_KEYS: Final = ("level", "content", "is_pii", "timestamp", "logger")
"""The fixed keys. They win; a field of such a name becomes `field_<name>`."""


@lru_cache(maxsize=4)
def _second(moment: int) -> str:
    """Return a second of the clock as text; most entries share theirs with the one before."""
    return f"{datetime.fromtimestamp(moment, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def flat(entry: LogEntry) -> dict[str, Any]:
    """Return `{level, content, is_pii, timestamp (UTC, seconds, Z), logger, ...fields}`.

    `level` is debug, info, warning or error. Ids and tags of the entry are not part of this shape.
    """
    return {
        "level": EVENT_NAMES[entry.level],
        "content": entry.message,
        "is_pii": entry.is_pii,
        "timestamp": _second(int(entry.timestamp)),
        "logger": entry.logger,
        **beside(entry.fields, FLAT_KEYS),
    }
