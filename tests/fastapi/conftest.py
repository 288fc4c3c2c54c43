"""What the FastAPI tests share: the application served with us around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.fastapi.stand import ASGI

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from replaystack import ReplayStackClient


@pytest.fixture
def instrumented(client: ReplayStackClient) -> Callable[..., AbstractContextManager[str]]:
    """Return a context manager that serves the application with our middleware around it."""

    def serving(**options: Any) -> AbstractContextManager[str]:
        return ASGI.serve(client, options, gate=ASGI.make_gate())

    return serving
