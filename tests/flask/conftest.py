"""What the Flask tests share: the application served with us inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.flask.stand import WSGI

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from replaystack import ReplayStackClient


@pytest.fixture
def serving(client: ReplayStackClient) -> Callable[..., AbstractContextManager[str]]:
    """Return a context manager that serves the application with the adapter installed."""

    def serving(**options: Any) -> AbstractContextManager[str]:
        return WSGI.serve(client, options)

    return serving
