"""Ways into and out of ReplayStack's log for those who log otherwise (docs/bridges.md)."""

from .handler_sink import HandlerSink
from .otlp import OtlpSink, OtlpStats
from .stdlib import ReplayStackHandler, capture_warnings
from .structured import LoguruSink, StructlogProcessor

__all__ = [
    "HandlerSink",
    "LoguruSink",
    "OtlpSink",
    "OtlpStats",
    "ReplayStackHandler",
    "StructlogProcessor",
    "capture_warnings",
]
