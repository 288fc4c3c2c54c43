"""The options of the Django adapter: those that every adapter takes, under the seed's name."""

from __future__ import annotations

from dataclasses import dataclass

from replaystack.http import MiddlewareOptions

__all__ = ["DjangoMiddlewareOptions"]


@dataclass
class DjangoMiddlewareOptions(MiddlewareOptions):
    """See `MiddlewareOptions`; callables get the `django.http.HttpRequest`.

    `get_trace_id` runs when the request reaches the middleware: it sees what middlewares before it
    have set. In an async chain it runs in the event loop. `get_user` runs when the answer passes, in an
    async chain in the request's thread for sync code, so that `request.user` may ask the database.
    """
