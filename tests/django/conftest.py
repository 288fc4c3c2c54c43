"""What the Django tests share: a receiver, a client towards it, the site served with us inside."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.asgi_server import serve as serve_asgi
from tests.django.site import STACK, Gate, asgi, configure, sited, wsgi
from tests.receiver import Receiver
from tests.wsgi_server import serve as serve_wsgi

from replaystack import ReplayStackClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

configure()


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


@pytest.fixture(params=["wsgi", "asgi"])
def serving(
    request: pytest.FixtureRequest, client: ReplayStackClient, gate: Gate
) -> Callable[..., AbstractContextManager[str]]:
    """Return a context manager that serves the site, with settings as given; once as WSGI, once as ASGI."""
    build, serve = (wsgi, serve_wsgi) if request.param == "wsgi" else (asgi, serve_asgi)

    @contextmanager
    def serving(
        options: Any = None,
        middleware: list[str] = STACK,
        client: ReplayStackClient | None = client,
        **settings: Any,
    ) -> Iterator[str]:
        with (
            sited(middleware, client, options, GATE=gate, **settings),
            serve(build(middleware, client, options)) as base_url,
        ):
            yield base_url

    return serving
