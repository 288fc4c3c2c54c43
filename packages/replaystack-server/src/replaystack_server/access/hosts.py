"""Only requests for this server's own names, from its own pages.

A web page anywhere can let the visitor's browser talk to 127.0.0.1. Two checks stop it: the
Host header must be a name that this server goes by (a page that rebinds its own DNS name to
127.0.0.1 still sends that name), and an Origin header, which a browser adds to every request
that a script or a form of another page makes, must be this very server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..answers import failure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["HostCheck", "host_name"]

_OWN_NAMES: Final = ("127.0.0.1", "localhost", "::1")


def host_name(host: str) -> str | None:
    """Return the name in a `Host` header in lower case, without port and brackets; None if it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises for what is no number
    except ValueError:
        return None
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname


class HostCheck:
    """ASGI middleware around everything else: answers strangers 421 and other origins 403."""

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._names = frozenset((*_OWN_NAMES, *(name.lower().strip("[]") for name in allowed_hosts)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or answer."""
        if scope["type"] == "http":
            hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
            if len(hosts) != 1 or host_name(hosts[0]) not in self._names:
                message = (
                    "this server does not go by the host name of the request; allow it with --allowed-host"
                )
                await failure(421, message)(scope, receive, send)
                return
            if any(not _is_same_origin(origin, hosts[0]) for origin in origins):
                await failure(403, "requests from pages of other origins are refused")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_same_origin(origin: str, host: str) -> bool:
    # The scheme is not compared: behind a proxy that ends TLS we see http where the page has https.
    scheme, separator, netloc = origin.partition("://")
    return bool(separator) and scheme in {"http", "https"} and netloc.lower() == host.lower()
