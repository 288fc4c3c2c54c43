"""Where Flask and the kit meet: WSGI for what passes, Flask's own objects for what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flask

from replaystack.http import WsgiMiddleware

if TYPE_CHECKING:
    from collections.abc import Callable

    from replaystack import ReplayStackClient
    from replaystack.http import Recording

    from .options import FlaskMiddlewareOptions

__all__ = ["FlaskMiddleware"]

_REQUEST = "werkzeug.request"
"""Where Flask's request object leaves itself in the environ."""


class FlaskMiddleware(WsgiMiddleware):
    """Stands in for `app.wsgi_app`. Sees the answer that Flask makes of an exception, too."""

    def __init__(
        self, app: flask.Flask, client: ReplayStackClient, options: FlaskMiddlewareOptions | None
    ) -> None:
        super().__init__(app.wsgi_app, client.recorder, options)
        # Not the application: signals must not keep it alive.
        self._request_class: Callable[..., flask.Request] = app.request_class

    def framework_request(self, environ: dict[str, Any]) -> object:
        """Return Flask's own request once there is one; before, its head: the body cannot be read."""
        known = environ.get(_REQUEST)
        if known is not None:
            return known
        return self._request_class(environ, populate_request=False, shallow=True)

    def describe(self, recording: Recording, environ: dict[str, Any]) -> None:
        """Note the URL rule with what the application is mounted under, and the user."""
        rule = getattr(environ.get(_REQUEST), "url_rule", None)
        if rule is not None:
            recording.route = environ.get("SCRIPT_NAME", "") + rule.rule
        super().describe(recording, environ)

    def note_handled(self, error: BaseException) -> None:
        """Note an exception for which the application may have a handler: also `abort(404)`."""
        with self.adapter.guard.protect("noting an exception"):
            recording = self._running()
            if recording is not None and not recording.ended:
                recording.handled(error)

    def note_unhandled(self, error: BaseException) -> None:
        """Note an exception that nothing handled."""
        with self.adapter.guard.protect("noting an exception"):
            recording = self._running()
            if recording is not None:
                self.adapter.fail(recording, error)
                if not recording.ended:
                    self.describe(recording, flask.request.environ)

    def on_exception(self, _app: object, exception: BaseException, **_: object) -> None:
        """Receive the signal `got_request_exception`."""
        self.note_unhandled(exception)

    def _running(self) -> Recording | None:
        if not flask.has_request_context():
            return None
        return self.adapter.recording_of(flask.request.environ)
