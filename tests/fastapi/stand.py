"""FastAPI on uvicorn, for the suite that all adapters share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.adapters.stands import Stand
from tests.asgi_server import serve
from tests.fastapi.application import Gate, build_app

from replaystack_fastapi import FastAPIMiddlewareOptions, setup_fastapi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replaystack import ReplayStackClient

__all__ = ["ASGI"]


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
        setup_fastapi(app, client, FastAPIMiddlewareOptions(**(options or {})))
    with serve(app) as base_url:
        yield base_url


ASGI = Stand(_serve, Gate, lambda request: request.query_params.get("user"))
