"""Structured logs: one entry, many renderings."""

from .correlation import log_with_correlation
from .entry import ENTRY_ATTRIBUTE, LogEntry
from .flat import flat
from .flows import Flow
from .levels import LEVELS, SEVERITY, Level, read_level
from .logger import Logger, get_logger
from .options import LogOptions
from .sinks import Sink, add_sink, local_sinks, remove_sink

__all__ = [
    "ENTRY_ATTRIBUTE",
    "LEVELS",
    "SEVERITY",
    "Flow",
    "Level",
    "LogEntry",
    "LogOptions",
    "Logger",
    "Sink",
    "add_sink",
    "flat",
    "get_logger",
    "local_sinks",
    "log_with_correlation",
    "read_level",
    "remove_sink",
]
