"""Structured logs: one entry, many renderings."""

from .entry import ENTRY_ATTRIBUTE, LogEntry
from .levels import LEVELS, SEVERITY, Level, read_level
from .sinks import Sink, add_sink, local_sinks, remove_sink

__all__ = [
    "ENTRY_ATTRIBUTE",
    "LEVELS",
    "SEVERITY",
    "Level",
    "LogEntry",
    "Sink",
    "add_sink",
    "local_sinks",
    "read_level",
    "remove_sink",
]
