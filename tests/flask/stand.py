"""Flask on Werkzeug's server, for the suite that all adapters share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.adapters.gate import Gate
from tests.adapters.stands import Stand
from tests.flask.application import build_app
from tests.wsgi_server import serve

from replaystack_flask import FlaskMiddlewareOptions, setup_flask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replaystack import ReplayStackClient

__all__ = ["WSGI"]


@contextmanager
def _serve(
    client: ReplayStackClient | None,
    options: dict[str, Any] | None = None,
    *,
    gate: Gate | None = None,
    act: Callable[[], object] | None = None,
) -> Iterator[str]:
    app = build_app(client=client, gate=gate, act=act)
    if client is not None:
        setup_flask(app, client, FlaskMiddlewareOptions(**(options or {})))
    with serve(app) as base_url:
        yield base_url


WSGI = Stand(_serve, Gate, lambda request: request.args.get("user"))
