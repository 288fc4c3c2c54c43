"""ReplayStack for Flask: a WSGI middleware for bodies, the application's own hooks for routes and errors."""

from replaystack import __version__

from .options import FlaskMiddlewareOptions
from .setup import ReplayStackFlask, setup_flask

__all__ = ["FlaskMiddlewareOptions", "ReplayStackFlask", "__version__", "setup_flask"]
