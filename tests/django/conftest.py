"""What the Django tests share: the site served with us inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.django.site import STACK
from tests.django.stand import serve_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from replaystack import ReplayStackClient


@pytest.fixture(params=["wsgi", "asgi"])
def serving(
    request: pytest.FixtureRequest, client: ReplayStackClient
) -> Callable[..., AbstractContextManager[str]]:
    """Return a context manager that serves the site, with settings as given; once as WSGI, once as ASGI."""

    def serving(
        options: Any = None,
        middleware: list[str] = STACK,
        client: ReplayStackClient | None = client,
        **settings: Any,
    ) -> AbstractContextManager[str]:
        return serve_site(request.param, client, options, middleware=middleware, **settings)

    return serving
