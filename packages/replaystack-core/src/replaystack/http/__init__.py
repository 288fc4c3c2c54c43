"""The kit that adapters share: one HTTP exchange, whatever the framework."""

from .options import MiddlewareOptions
from .recording import STREAMING_MARKER, HttpRequest, Recording
from .trace import TRACE_HEADER

__all__ = ["STREAMING_MARKER", "TRACE_HEADER", "HttpRequest", "MiddlewareOptions", "Recording"]
