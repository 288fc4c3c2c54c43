"""`replaystack_fastapi` under its import path and names of 1.x. Needs the extra `fastapi`."""

from __future__ import annotations

from replaystack.paths import DEFAULT_IGNORED_PATHS

try:
    from replaystack_fastapi import FastAPIMiddlewareOptions, ReplayStackMiddleware, setup_fastapi
except ModuleNotFoundError as _error:
    if _error.name != "replaystack_fastapi":
        raise  # the adapter is there; what it lacks is for its own error to say
    raise ImportError(
        'the FastAPI adapter is not installed: pip install "replaystack-sdk[fastapi]"', name=_error.name
    ) from _error

ReplayStackFastAPIMiddleware = ReplayStackMiddleware

__all__ = [
    "DEFAULT_IGNORED_PATHS",
    "FastAPIMiddlewareOptions",
    "ReplayStackFastAPIMiddleware",
    "setup_fastapi",
]
