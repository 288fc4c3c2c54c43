"""Ways into and out of ReplayStack's log for those who log otherwise (docs/bridges.md)."""

from .handler_sink import HandlerSink
from .otlp import OtlpSink, OtlpStats

__all__ = ["HandlerSink", "OtlpSink", "OtlpStats"]
