"""Uvicorn in a thread on a free port, for tests that want the real thing."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["serve"]


@contextmanager
def serve(app: Any, **options: Any) -> Iterator[str]:
    """Serve `app` on loopback; yields its base URL. Ends the server and its thread.

    `options` join uvicorn's own: `ws="websockets-sansio"` for websockets.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        **{
            "log_level": "critical",
            "lifespan": "auto",
            "timeout_graceful_shutdown": 5,
            "ws": "none",
            "proxy_headers": False,
            **options,
        },
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    started = threading.Event()
    startup = server.startup

    async def announced(sockets: Any = None) -> None:
        await startup(sockets=sockets)
        started.set()

    server.startup = announced  # type: ignore[method-assign]  # uvicorn has no event of its own for this
    thread.start()
    assert started.wait(30), "uvicorn did not start"
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "uvicorn did not stop"
        listener.close()
