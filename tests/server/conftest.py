"""One real server for the folder: tests keep apart by the name of the service that they send as."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
import pytest

from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack_server.testing import RunningServer

HANG_GUARD_SECONDS = 30.0


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """Run a server that other tests use at the same time; nothing in it is only yours."""
    with running_server() as running:
        yield running


@pytest.fixture
def service() -> str:
    """Return a service name that no other test uses."""
    return f"service-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def sender(server: RunningServer) -> Iterator[httpx.Client]:
    """Make a client that may send events."""
    headers = {"x-replaystack-api-key": server.key}
    with httpx.Client(base_url=server.url, headers=headers, timeout=HANG_GUARD_SECONDS) as client:
        yield client


@pytest.fixture(scope="session")
def reader(server: RunningServer) -> Iterator[httpx.Client]:
    """Make a client that may read, by token."""
    headers = {"authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=HANG_GUARD_SECONDS) as client:
        yield client


@pytest.fixture(scope="session")
def stranger(server: RunningServer) -> Iterator[httpx.Client]:
    """Make a client without key or token."""
    with httpx.Client(base_url=server.url, timeout=HANG_GUARD_SECONDS) as client:
        yield client
