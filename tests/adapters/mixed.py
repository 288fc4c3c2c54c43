"""One process with all three: FastAPI, and mounted in it Flask and Django, each with its adapter or bare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from a2wsgi import WSGIMiddleware
from fastapi import FastAPI
from tests.django import site
from tests.fastapi.application import build_app as build_fastapi
from tests.flask.application import build_app as build_flask

from replaystack_fastapi import setup_fastapi
from replaystack_flask import setup_flask

if TYPE_CHECKING:
    from collections.abc import Callable

    from replaystack import ReplayStackClient

__all__ = ["MOUNTS", "mixed", "mounted"]


def _flask(client: ReplayStackClient | None) -> Any:
    app = build_flask(client=client)
    if client is not None:
        setup_flask(app, client)
    return WSGIMiddleware(app)  # type: ignore[arg-type]  # its types know one kind of environ only


def _django(client: ReplayStackClient | None) -> Any:
    chain = site.STACK if client is not None else [name for name in site.STACK if name != site.OURS]
    return WSGIMiddleware(site.wsgi(chain, client))


def _async_django(client: ReplayStackClient | None) -> Any:
    chain = site.STACK if client is not None else [name for name in site.STACK if name != site.OURS]
    return site.asgi(chain, client)


MOUNTS: dict[str, Callable[[ReplayStackClient | None], Any]] = {
    "flask": _flask,
    "django": _django,
    "async-django": _async_django,
}


def mixed(client: ReplayStackClient | None, inner: ReplayStackClient | None = None) -> FastAPI:
    """Return the contract's FastAPI application with the others under `/flask`, `/django` ...

    `client` captures the whole, `inner` what is mounted; the same one by default.
    """
    app = build_fastapi(client=client)
    for name, build in MOUNTS.items():
        app.mount(f"/{name}", build(inner or client))
    if client is not None:
        setup_fastapi(app, client)
    return app


def mounted(name: str, client: ReplayStackClient | None) -> FastAPI:
    """Return a FastAPI application that is nothing but one of the others, mounted at its root."""
    app = FastAPI(openapi_url=None)
    app.mount("", MOUNTS[name](client))
    if client is not None:
        setup_fastapi(app, client)
    return app
