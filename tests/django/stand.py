"""Django on a WSGI and on an ASGI server, for the suite that all adapters share."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import django
from tests.adapters.gate import Gate
from tests.adapters.stands import Stand
from tests.asgi_server import serve as serve_asgi
from tests.django.site import AFTER, BEFORE, STACK, asgi, configure, sited, wsgi
from tests.wsgi_server import serve as serve_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replaystack import ReplayStackClient

__all__ = ["ASGI", "LISTENS", "WSGI", "serve_site"]

configure()

LISTENS = django.VERSION >= (5, 0)
"""Before 5.0, Django does not listen for a caller that goes away from an ASGI server."""


@contextmanager
def serve_site(
    kind: str,
    client: ReplayStackClient | None,
    options: Any = None,
    *,
    gate: Gate | None = None,
    act: Callable[[], object] | None = None,
    middleware: list[str] | None = None,
    **settings: Any,
) -> Iterator[str]:
    """Serve the site with these settings, as "wsgi" or "asgi"; yields its base URL.

    Without `middleware` it is the usual chain, with us where there is a client.
    """
    build, serve = (wsgi, serve_wsgi) if kind == "wsgi" else (asgi, serve_asgi)
    if middleware is None:
        middleware = STACK if client is not None else [*BEFORE, *AFTER]
    with (
        sited(middleware, client, options, GATE=gate, ACT=act, **settings),
        serve(build(middleware, client, options)) as base_url,
    ):
        yield base_url


def _asked_user(request: Any) -> str | None:
    user: str | None = request.GET.get("user")
    return user


WSGI = Stand(partial(serve_site, "wsgi"), Gate, _asked_user, reads_chunks=False)  # WSGI: Content-Length alone
ASGI = Stand(partial(serve_site, "asgi"), Gate, _asked_user, notices_leaving=LISTENS)
