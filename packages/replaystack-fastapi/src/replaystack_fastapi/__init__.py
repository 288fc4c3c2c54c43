"""ReplayStack for FastAPI and Starlette: one pure ASGI middleware."""

from replaystack import __version__

from .middleware import ReplayStackMiddleware
from .options import FastAPIMiddlewareOptions
from .setup import setup_fastapi

__all__ = ["FastAPIMiddlewareOptions", "ReplayStackMiddleware", "__version__", "setup_fastapi"]
