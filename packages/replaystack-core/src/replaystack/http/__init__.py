"""The kit that adapters share: one HTTP exchange, whatever the framework."""

from .composition import STREAMING_MARKER
from .head import HttpRequest, header_value
from .options import MiddlewareOptions
from .recording import Recording
from .trace import TRACE_HEADER

__all__ = [
    "STREAMING_MARKER",
    "TRACE_HEADER",
    "HttpRequest",
    "MiddlewareOptions",
    "Recording",
    "header_value",
]
