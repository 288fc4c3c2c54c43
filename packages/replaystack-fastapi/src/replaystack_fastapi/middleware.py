"""Pure ASGI: it looks on as messages pass, and neither waits for, changes nor holds back any.

What it adds to an answer are the headers `x-trace-id` and, where there is one, `x-correlation-id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request

from replaystack.http import Adapter, HttpRequest, SocketRecording

from .answer import HttpPassage
from .options import FastAPIMiddlewareOptions
from .websocket import SocketPassage

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from replaystack import ReplayStackClient

    from .passage import Passage

__all__ = ["ReplayStackMiddleware"]

_CAPTURED = frozenset({"http", "websocket"})


class ReplayStackMiddleware:
    """Captures each HTTP request and each websocket that passes as one event of `client`.

    `setup_fastapi` puts it around the framework's own error handling. By plain
    `app.add_middleware(ReplayStackMiddleware, client=...)` it sits inside of that, and cannot
    see the 500 that the framework sends for an unhandled exception, only the exception.
    """

    def __init__(
        self, app: ASGIApp, client: ReplayStackClient, options: FastAPIMiddlewareOptions | None = None
    ) -> None:
        self.app = app
        self.options: FastAPIMiddlewareOptions = options or FastAPIMiddlewareOptions()
        self._recorder = client.recorder
        self._adapter = Adapter(client.recorder, self.options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, with eyes on it where it is something that is to be captured."""
        passage: Passage[Any] | None = None
        kind = scope["type"]
        if self._recorder.is_open:
            if kind in _CAPTURED:
                try:
                    passage = self._begin(scope)
                except Exception as error:  # noqa: BLE001 - then it passes unseen
                    self._recorder.guard.caught(error, "beginning an exchange")
            elif kind == "lifespan":
                send = self._flushing_at_shutdown(send)
        if passage is None:
            await self.app(scope, receive, send)
        else:
            await passage.run(self.app, receive, send)

    def _flushing_at_shutdown(self, send: Send) -> Send:
        """Deliver what is left before the server is told that the application is done.

        A server that a signal ends (uvicorn on SIGTERM) leaves no time after that: the
        interpreter's own exit handlers never run. Bounded by `shutdown_timeout_seconds`.
        """
        recorder = self._recorder

        async def flushing(message: Message) -> None:
            if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                try:
                    await run_in_threadpool(recorder.flush_at_shutdown)
                except Exception as error:  # noqa: BLE001 - the application's shutdown goes on
                    recorder.guard.caught(error, "flushing at shutdown")
            await send(message)

        return flushing

    def _begin(self, scope: Scope) -> Passage[Any] | None:
        """Return a passage for this call, or None where it is ignored or recorded already."""
        adapter = self._adapter
        path, mounted = scope["path"], scope.get("root_path")
        if adapter.ignores(path) or (mounted and adapter.ignores(path.removeprefix(mounted))):
            return None
        request = _read_request(scope)
        if scope["type"] == "http":
            recording = adapter.begin(request, scope, lambda: Request(scope))
            return None if recording is None else HttpPassage(recording, adapter, scope)
        socket = adapter.begin(request, scope, lambda: HTTPConnection(scope), SocketRecording)
        return None if socket is None else SocketPassage(socket, adapter, scope)


def _read_request(scope: Scope) -> HttpRequest:
    headers = scope.get("headers", ())
    if not isinstance(headers, (list, tuple)):  # ASGI allows any iterable: the application reads it too
        headers = scope["headers"] = list(headers)
    server, peer = scope.get("server"), scope.get("client")
    is_socket = scope["type"] == "websocket"
    return HttpRequest(
        method=scope.get("method", "GET"),
        scheme=scope.get("scheme", "ws" if is_socket else "http"),
        path=scope["path"],
        raw_path=scope.get("raw_path"),
        query=scope.get("query_string") or b"",
        headers=tuple(headers),
        host=":".join(str(part) for part in server if part is not None) if server else "",
        peer=peer[0] if peer else None,
    )
