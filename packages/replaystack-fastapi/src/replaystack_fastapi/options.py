"""The options of the FastAPI adapter: those that every adapter takes, under the seed's name."""

from __future__ import annotations

from dataclasses import dataclass

from replaystack.http import MiddlewareOptions

__all__ = ["FastAPIMiddlewareOptions"]


@dataclass
class FastAPIMiddlewareOptions(MiddlewareOptions):
    """See `MiddlewareOptions`; callables get a `starlette.requests.Request`."""
