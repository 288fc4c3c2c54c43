"""The kit that adapters share: one HTTP exchange, whatever the framework."""

from .adapter import Adapter
from .composition import STREAMING_MARKER
from .environ import has_body, read_environ, read_path
from .head import HttpRequest, header_value
from .options import MiddlewareOptions
from .recording import Recording
from .stream import RequestStream
from .trace import current_traceparent, make_traceparent, parse_traceparent
from .websocket import SocketRecording
from .wsgi import WsgiMiddleware

__all__ = [
    "STREAMING_MARKER",
    "Adapter",
    "HttpRequest",
    "MiddlewareOptions",
    "Recording",
    "RequestStream",
    "SocketRecording",
    "WsgiMiddleware",
    "current_traceparent",
    "has_body",
    "header_value",
    "make_traceparent",
    "parse_traceparent",
    "read_environ",
    "read_path",
]
