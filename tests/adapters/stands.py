"""Where `test_serving` finds the contract's application: a framework on a kind of server is a stand.

Each framework's folder offers its own, in `stand.py`. They are imported when a test asks for them, so
that the suite runs where only one of the frameworks is installed (`scripts/oldest.py`).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from replaystack import ReplayStackClient

__all__ = ["EACH_STAND", "Opening", "Stand", "find_stand"]


class Opening(Protocol):
    """What a test holds of a gate: FastAPI's waits in an event loop, the others' in a thread."""

    def open(self) -> None:
        """Let the answer go on."""


class Serve(Protocol):
    """Serve the contract's application on loopback; a context manager that yields its base URL."""

    def __call__(
        self,
        client: ReplayStackClient | None,
        options: dict[str, Any] | None = None,
        *,
        gate: Any = None,
        act: Callable[[], object] | None = None,
    ) -> AbstractContextManager[str]:
        """Without a client it is bare; `options` are the adapter's.

        `gate` holds /sse and /midstream after their first piece. `act` is called by /act, and by
        /endless before each piece: it goes on for as long as that returns something true.
        """


@dataclass(frozen=True)
class Stand:
    """One framework on one kind of server."""

    serve: Serve
    make_gate: Callable[[], Opening]
    asked_user: Callable[[Any], str | None]
    """What `get_user` may be: the parameter `user` of the framework's request."""
    notices_leaving: bool = True
    """Whether framework and server listen for a caller that goes away in the middle of a stream."""
    reads_chunks: bool = True
    """Whether the framework reads a body without a length."""


_STANDS = {
    "fastapi": ("fastapi", "tests.fastapi.stand", "ASGI"),
    "flask": ("flask", "tests.flask.stand", "WSGI"),
    "django-wsgi": ("django", "tests.django.stand", "WSGI"),
    "django-asgi": ("django", "tests.django.stand", "ASGI"),
}

EACH_STAND = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec(framework) is None, reason=f"no {framework} here"))
    for name, (framework, _, _) in _STANDS.items()
]
"""The names, for `parametrize`."""


def find_stand(name: str) -> Stand:
    """Import the stand of this name."""
    _, module, attribute = _STANDS[name]
    found: Stand = getattr(importlib.import_module(module), attribute)
    return found
