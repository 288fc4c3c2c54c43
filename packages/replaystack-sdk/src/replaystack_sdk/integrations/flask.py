"""`replaystack_flask` under its import path and names of 1.x. Needs the extra `flask`."""

from __future__ import annotations

from replaystack.paths import DEFAULT_IGNORED_PATHS

try:
    from replaystack_flask import FlaskMiddlewareOptions, setup_flask
except ModuleNotFoundError as _error:
    if _error.name != "replaystack_flask":
        raise  # the adapter is there; what it lacks is for its own error to say
    raise ImportError(
        'the Flask adapter is not installed: pip install "replaystack-sdk[flask]"', name=_error.name
    ) from _error

__all__ = ["DEFAULT_IGNORED_PATHS", "FlaskMiddlewareOptions", "setup_flask"]
