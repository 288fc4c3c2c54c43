"""What the FastAPI tests share: a receiver, a client towards it, both applications served."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.asgi_server import serve
from tests.fastapi.application import Gate, build_app
from tests.receiver import Receiver

from replaystack import ReplayStackClient
from replaystack_fastapi import FastAPIMiddlewareOptions, setup_fastapi

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
    """Return the gate of the streamed answer."""
    return Gate()


@pytest.fixture
def instrumented(
    client: ReplayStackClient, gate: Gate, tmp_path: Any
) -> Callable[..., AbstractContextManager[str]]:
    """Return a context manager that serves the application with our middleware around it."""

    @contextmanager
    def serving(**options: Any) -> Iterator[str]:
        app = build_app(client=client, gate=gate)
        setup_fastapi(app, client, FastAPIMiddlewareOptions(**options))
        with serve(app) as base_url:
            yield base_url

    return serving
