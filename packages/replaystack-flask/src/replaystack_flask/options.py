"""The options of the Flask adapter: those that every adapter takes, under the seed's name."""

from __future__ import annotations

from dataclasses import dataclass

from replaystack.http import MiddlewareOptions

__all__ = ["FlaskMiddlewareOptions"]


@dataclass
class FlaskMiddlewareOptions(MiddlewareOptions):
    """See `MiddlewareOptions`; callables get a `flask.Request`.

    `get_trace_id` runs before Flask sees the request: it gets the head, without session, `g` and
    URL rule, and reading the body raises. `get_user` runs when the answer is made: it gets the
    application's own `flask.request`, inside of its context.
    """
