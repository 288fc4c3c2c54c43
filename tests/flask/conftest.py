"""What the Flask tests share: a receiver, a client towards it, the application served with us inside."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.flask.application import Gate, build_app
from tests.receiver import Receiver
from tests.wsgi_server import serve

from replaystack import ReplayStackClient
from replaystack_flask import FlaskMiddlewareOptions, setup_flask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver that takes batches."""
    with Receiver(capabilities="bulk") as running:
        yield running


@pytest.fixture
def client(receiver: Receiver) -> Iterator[ReplayStackClient]:
    """Open a client for one test."""
    with ReplayStackClient(api_key="rs_test", endpoint=receiver.origin) as running:
        yield running


@pytest.fixture
def gate() -> Gate:
    """Return the gate of the streamed answers."""
    return Gate()


@pytest.fixture
def serving(client: ReplayStackClient, gate: Gate) -> Callable[..., AbstractContextManager[str]]:
    """Return a context manager that serves the application with the adapter installed."""

    @contextmanager
    def serving(**options: Any) -> Iterator[str]:
        app = build_app(client=client, gate=gate)
        setup_flask(app, client, FlaskMiddlewareOptions(**options))
        with serve(app) as base_url:
            yield base_url

    return serving
