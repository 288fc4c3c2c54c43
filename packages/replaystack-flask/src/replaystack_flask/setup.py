"""Putting the adapter into an application: by one call, or as a Flask extension."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import flask
from flask.signals import got_request_exception

from replaystack import ReplayStackClient
from replaystack.http import MiddlewareOptions

from .middleware import FlaskMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from .options import FlaskMiddlewareOptions

__all__ = ["ReplayStackFlask", "setup_flask"]

_EXTENSION = "replaystack"
"""In `app.extensions`: the client and the middleware of each installation."""


def setup_flask(
    app: flask.Flask, client: ReplayStackClient, options: FlaskMiddlewareOptions | None = None
) -> None:
    """Capture every request of `app` with `client`.

    Calling it again with the same client changes nothing. May be called before or after blueprints
    and handlers are registered, also after the first request. Raises TypeError for what is no
    Flask application, client or options.
    """
    if not isinstance(app, flask.Flask):
        raise TypeError(f"setup_flask needs a Flask application: got {type(app).__name__}")
    if not isinstance(client, ReplayStackClient):
        raise TypeError(f"setup_flask needs a ReplayStackClient: got {type(client).__name__}")
    if options is not None and not isinstance(options, MiddlewareOptions):
        raise TypeError(f"setup_flask needs FlaskMiddlewareOptions: got {type(options).__name__}")
    installed: list[tuple[ReplayStackClient, FlaskMiddleware]] = app.extensions.setdefault(_EXTENSION, [])
    if any(known is client for known, _ in installed):
        return
    middleware = FlaskMiddleware(app, client, options)
    installed.append((client, middleware))  # it also keeps the signal's receiver alive
    app.wsgi_app = middleware  # type: ignore[method-assign]  # Flask's documented way
    _watch_handled_errors(app, middleware)
    _watch_unhandled_errors(app, middleware)


def _watch_handled_errors(app: flask.Flask, middleware: FlaskMiddleware) -> None:
    """See exceptions that go to the application's error handlers: Flask has no signal for them."""
    app.handle_user_exception = _first(  # type: ignore[method-assign]  # what an instance has, is called
        middleware.note_handled, app.handle_user_exception
    )


def _watch_unhandled_errors(app: flask.Flask, middleware: FlaskMiddleware) -> None:
    try:
        got_request_exception.connect(middleware.on_exception, app)
    except RuntimeError:  # Flask 2.2 without blinker, which 2.3 made a requirement
        app.handle_exception = _first(  # type: ignore[method-assign]  # same
            middleware.note_unhandled, app.handle_exception
        )


def _first(look: Callable[[BaseException], None], handle: Callable[..., Any]) -> Callable[..., Any]:
    """Return `handle` with a look at the exception first: its last argument in every version of Flask."""

    @wraps(handle)
    def watched(*args: Any) -> Any:
        look(args[-1])
        return handle(*args)

    return watched


class ReplayStackFlask:
    """The adapter as a Flask extension, for application factories.

        replaystack = ReplayStackFlask(client)

        def create_app():
            app = Flask(__name__)
            replaystack.init_app(app)
            return app

    One may serve several applications; it holds none of them.
    """

    def __init__(self, client: ReplayStackClient, options: FlaskMiddlewareOptions | None = None) -> None:
        self._client = client
        self._options = options

    def init_app(self, app: flask.Flask) -> None:
        """Capture every request of `app`. Twice is once."""
        setup_flask(app, self._client, self._options)
