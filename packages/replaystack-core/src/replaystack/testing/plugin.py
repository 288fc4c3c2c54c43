"""The pytest plugin: `pytest_plugins = ["replaystack.testing.plugin"]` in a conftest.py.

While it is on, errors inside the SDK fail the test instead of being swallowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..diagnostics import raise_internal_errors
from .canaries import Canaries
from .watch import watch_transports

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pytest_configure", "pytest_unconfigure", "replaystack_canaries"]


def pytest_configure() -> None:
    """Let internal errors through for this run."""
    raise_internal_errors(True)


def pytest_unconfigure() -> None:
    """Swallow internal errors again."""
    raise_internal_errors(False)


@pytest.fixture
def replaystack_canaries() -> Iterator[Canaries]:
    """Secrets to plant; the test fails at its end if one of them left through any client.

    Flush or close the client inside of the test: what is still queued has not been seen yet.
    """
    canaries = Canaries()
    with watch_transports(canaries):
        yield canaries
