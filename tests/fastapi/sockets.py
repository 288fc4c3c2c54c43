"""An application with websockets, and how to open one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, WebSocketException
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.sync.client import connect

from replaystack import CaptureFailure

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

    from replaystack import ReplayStackClient

__all__ = ["build_app", "open_socket"]


def open_socket(url: str, **options: Any) -> ClientConnection:
    """Connect, without the machine's proxy and without compression, which changes no count."""
    connection: ClientConnection = connect(url, proxy=None, compression=None, close_timeout=20, **options)
    return connection


def build_app(  # noqa: C901 - one websocket after the other
    client: ReplayStackClient | None = None,
) -> FastAPI:
    """Return an application with one websocket for each way that it may go."""
    app = FastAPI()

    @app.websocket("/echo/{room}")
    async def echo(socket: WebSocket, room: str) -> None:
        await socket.accept(subprotocol="chat" if "chat" in socket.scope["subprotocols"] else None)
        if client is not None:
            client.add_breadcrumb(f"entered {room}")
        while True:  # WebSocketDisconnect goes through, as in most applications
            message = await socket.receive_text()
            if message == "bye":
                await socket.close(1000, "bye password=CANARY-reason")
                return
            await socket.send_text(message)
            await socket.send_bytes(b"12345")

    @app.websocket("/polite")
    async def polite(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await socket.receive_text()
        except WebSocketDisconnect:
            return

    @app.websocket("/refuse")
    async def refuse(socket: WebSocket) -> None:
        await socket.close(1008)

    @app.websocket("/deny")
    async def deny(socket: WebSocket) -> None:
        await socket.send_denial_response(JSONResponse({"token": "CANARY-denial", "why": "no"}, 401))

    @app.websocket("/fail")
    async def fail(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_text()
        raise ValueError("no such room")

    @app.websocket("/fail-at-once")
    async def fail_at_once(socket: WebSocket) -> None:
        raise ValueError("no such room")

    @app.websocket("/policy")
    async def policy(socket: WebSocket) -> None:
        await socket.accept()
        raise WebSocketException(1008, "not allowed")

    @app.websocket("/broken")
    async def broken(socket: WebSocket) -> None:
        await socket.accept()
        raise WebSocketException(1011, "cannot go on")

    @app.websocket("/declined")
    async def declined(socket: WebSocket) -> None:
        await socket.accept()
        raise CaptureFailure("declined", {"cvv": "123"}, 402)

    @app.websocket("/untidy")
    async def untidy(socket: WebSocket) -> None:
        await socket.accept()
        try:
            await socket.receive_text()
        except WebSocketDisconnect:
            raise LookupError("nobody in this room") from None

    return app
