"""Putting the middleware around everything, also around the framework's own error handling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replaystack import ReplayStackClient
from replaystack.http import MiddlewareOptions

from .middleware import ReplayStackMiddleware

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from .options import FastAPIMiddlewareOptions

__all__ = ["setup_fastapi"]

_INSTALLED = "_replaystack_clients"


def setup_fastapi(
    app: Starlette, client: ReplayStackClient, options: FastAPIMiddlewareOptions | None = None
) -> None:
    """Capture every request of `app` (FastAPI or Starlette) with `client`.

    Installs outermost: around ServerErrorMiddleware, so that the 500 which the framework
    sends for an unhandled exception is seen with its body and carries `x-trace-id`. Calling it
    again with the same client changes nothing. May be called before or after the first request.
    """
    if not isinstance(client, ReplayStackClient):
        raise TypeError(f"setup_fastapi needs a ReplayStackClient: got {type(client).__name__}")
    if options is not None and not isinstance(options, MiddlewareOptions):
        raise TypeError(f"setup_fastapi needs FastAPIMiddlewareOptions: got {type(options).__name__}")
    installed: list[Any] = app.__dict__.setdefault(_INSTALLED, [])
    if any(known is client for known in installed):
        return
    installed.append(client)

    build = app.build_middleware_stack

    def build_with_replaystack() -> ReplayStackMiddleware:
        return ReplayStackMiddleware(build(), client, options)

    app.build_middleware_stack = build_with_replaystack  # type: ignore[method-assign]
    if app.middleware_stack is not None:  # it serves already
        app.middleware_stack = ReplayStackMiddleware(app.middleware_stack, client, options)
