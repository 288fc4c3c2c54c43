"""A server made by hand: it has the messages that a test gives it, and keeps what it gets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from replaystack_fastapi import ReplayStackMiddleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from replaystack import ReplayStackClient

__all__ = ["EMPTY", "START", "call", "says", "sent_by"]

START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"x-trace-id", b"mine")]}
EMPTY: Message = {"type": "http.request", "body": b"", "more_body": False}


def says(*messages: Message) -> ASGIApp:
    """Return an application that sends these messages and does nothing else."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def call(app: ASGIApp, client: ReplayStackClient, /, *received: Message, **scope: Any) -> list[Message]:
    """Call `app` with our middleware around it, and a server that has `received`; return what it gets."""
    arrived: list[Message] = []
    coming = iter(received)

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        arrived.append(message)

    asyncio.run(ReplayStackMiddleware(app, client)({"type": "http", "path": "/x", **scope}, receive, send))
    return arrived


def sent_by(app: ASGIApp, scope: Scope, *received: Message) -> list[Message]:
    """Call `app` as it is with `received`, then an empty body; return what it says."""
    arrived: list[Message] = []
    coming = iter([*received, EMPTY])

    async def receive() -> Message:
        return next(coming)

    async def send(message: Message) -> None:
        arrived.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]  # an application may be any awaitable
    return arrived
