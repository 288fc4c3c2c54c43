"""A client whose events stay in the process, for tests of the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.core.http.wsgi_side import Server

from replaystack import ReplayStackClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Collected:
    """Events that arrived; the transport is this object itself."""

    status_code = 201
    text = content = ""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.clients: list[ReplayStackClient] = []

    def post(self, url: str, json: dict[str, Any], headers: Any, timeout: float) -> Collected:
        """Take one event."""
        self.events.append(json)
        return self

    def json(self) -> Any:
        """Answer as a receiver does."""
        return {"success": True}

    def client(self, **options: Any) -> ReplayStackClient:
        """Open a client towards this; closed after the test."""
        client = ReplayStackClient(api_key="k", transport=self, batch_interval_seconds=0.001, **options)
        self.clients.append(client)
        return client

    def all(self) -> list[dict[str, Any]]:
        """Return what was captured until now."""
        for client in self.clients:
            assert client.flush()
        return self.events

    def one(self) -> dict[str, Any]:
        """Return the one event of a test."""
        (event,) = self.all()
        return event


@pytest.fixture
def collected() -> Iterator[Collected]:
    """Return where events of `collected.client()` arrive."""
    collected = Collected()
    yield collected
    for client in collected.clients:
        client.close()


@pytest.fixture
def environ() -> Callable[..., dict[str, Any]]:
    """Return a maker of a request's environ, as servers make it."""
    from wsgiref.util import setup_testing_defaults

    def made(method: str = "GET", path: str = "/x", **more: Any) -> dict[str, Any]:
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", **more}
        setup_testing_defaults(environ)
        return environ

    return made


@pytest.fixture
def server() -> Server:
    """Return a server for one request."""
    return Server()
