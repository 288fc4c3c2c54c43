"""`replaystack_django` under its import path and names of 1.x. Needs the extra `django`."""

from __future__ import annotations

from replaystack.paths import DEFAULT_IGNORED_PATHS

try:
    from replaystack_django import DjangoMiddlewareOptions, ReplayStackDjangoMiddleware
except ModuleNotFoundError as _error:
    if _error.name != "replaystack_django":
        raise  # the adapter is there; what it lacks is for its own error to say
    raise ImportError(
        'the Django adapter is not installed: pip install "replaystack-sdk[django]"', name=_error.name
    ) from _error

__all__ = ["DEFAULT_IGNORED_PATHS", "DjangoMiddlewareOptions", "ReplayStackDjangoMiddleware"]
