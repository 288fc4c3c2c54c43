"""An ASGI application for uvicorn: what is captured are exchanges, encoded later in the pump."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.faults.work import Work

from replaystack_fastapi import FastAPIMiddlewareOptions, ReplayStackMiddleware

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

work = Work()


async def shop(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer /capture/<mark>, /end and /tick; agree to every lifespan."""
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    verb = scope["path"].split("/")[1]
    if verb == "end":
        work.end()
    if verb == "capture":
        await asyncio.to_thread(work.log, scope["path"].split("/")[2])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": f"{verb} done".encode()})


watched = ReplayStackMiddleware(shop, work.client, FastAPIMiddlewareOptions(ignored_paths=("/tick", "/end")))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass everything through the middleware; say which exchanges are captured once they are."""
    await watched(scope, receive, send)
    if scope["type"] == "http" and scope["path"].startswith("/capture/"):
        await asyncio.to_thread(work.captured, scope["path"].split("/")[2])
