"""Times as they come from outside, and the one form in which they go out."""

from __future__ import annotations

from replaystack.clock import iso_timestamp
from replaystack.logs.formats import parse_ms

__all__ = ["iso_ms", "parse_ms"]


def iso_ms(epoch_ms: int) -> str:
    """Return ISO 8601 in UTC with milliseconds and `Z`."""
    return iso_timestamp(epoch_ms / 1000)
