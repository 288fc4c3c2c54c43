"""Running the application under uvicorn: a socket, a start that tells, a stop that is prompt."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

__all__ = ["DEFAULT_PORT", "Server", "listen", "url_of"]

DEFAULT_PORT: Final = 8790

_BACKLOG: Final = 2048
_SHUTDOWN_SECONDS: Final = 5
"""For requests under way. Streams do not count: they end at once."""


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that port 0 has become a number before anything is told.

    Raises:
        OSError: the address is taken or not ours.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    # Accepted connections inherit it. asyncio sets it only on sockets that were made with an
    # explicit protocol number; without it each answer waits 40 ms for the other side's ACK.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the URL by which a browser on this machine reaches the socket."""
    host, port = bound.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """uvicorn for one application.

    Args:
        app: made by `create_app`.
        on_started: called in the event loop once requests are answered.

    """

    def __init__(self, app: FastAPI, on_started: Callable[[], None] = lambda: None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="on",
                log_level="warning",
                access_log=False,  # it would write the token of the login link
                server_header=False,
                proxy_headers=False,  # nobody's word about the scheme or the peer is taken
                ws="none",
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            )
        )
        self._app = app
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop. Event streams never end by themselves, so they are asked to before uvicorn waits."""
        self._app.state.service.feed.close()
        await super().shutdown(sockets=sockets)
