"""The contract's application on FastAPI, with a few routes of its own."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from typing import TYPE_CHECKING, Any

from fastapi import BackgroundTasks, FastAPI, HTTPException, Request
from pydantic import BaseModel
from starlette.datastructures import UploadFile as StarletteFile
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse

from replaystack import CaptureFailure, get_logger, set_correlation_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from replaystack import ReplayStackClient

__all__ = ["KNOWS_RANGES", "Gate", "HandledError", "build_app"]


KNOWS_RANGES = hasattr(FileResponse, "generate_multipart")
"""Starlette answers a part of a file since 0.39."""


class HandledError(Exception):
    """An error for which the application has a handler."""


class RefusedError(Exception):
    """An error for which the application has a handler that answers 409."""


class SorryError(CaptureFailure):
    """A failure for which the application has a handler."""


class Order(BaseModel):
    item: str
    count: int


class Gate:
    """Lets a test decide when a streamed answer goes on; safe across threads."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event: asyncio.Event | None = None

    async def wait(self) -> None:
        """Hold the answer until the test opens the gate."""
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._reached.set()
        await self._event.wait()

    def open(self) -> None:
        """Let the answer go on, once it has come here."""
        assert self._reached.wait(30)
        assert self._loop is not None
        assert self._event is not None
        self._loop.call_soon_threadsafe(self._event.set)


def build_app(  # noqa: C901 - one route after the other
    *,
    client: ReplayStackClient | None = None,
    gate: Gate | None = None,
    act: Callable[[], object] | None = None,
    file: Path | None = None,
) -> FastAPI:
    """Return the application; `client` is only used for breadcrumbs inside of routes."""
    app = FastAPI()

    @app.exception_handler(HandledError)
    async def handle(request: Request, error: HandledError) -> JSONResponse:
        return JSONResponse({"handled": True}, status_code=500)

    @app.exception_handler(RefusedError)
    async def refuse(request: Request, error: RefusedError) -> JSONResponse:
        return JSONResponse({"refused": True}, status_code=409)

    @app.exception_handler(SorryError)
    async def be_sorry(request: Request, error: SorryError) -> JSONResponse:
        return JSONResponse({"sorry": True}, status_code=402)

    @app.get("/ok")
    @app.head("/ok")
    async def ok() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/items/{item_id}")
    async def item(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    @app.post("/echo")
    async def echo(payload: dict[str, Any]) -> dict[str, Any]:
        return payload

    @app.post("/validate")
    async def validate(order: Order) -> Order:
        return order

    @app.post("/twice")
    async def twice(request: Request) -> list[int]:
        first = await request.body()
        second = await request.body()
        return [len(first), len(second)]

    @app.post("/unread")
    async def unread() -> dict[str, bool]:
        return {"ok": True}

    @app.post("/partly")
    async def partly(request: Request) -> dict[str, str]:
        async for chunk in request.stream():
            return {"head": chunk[:10].decode()}
        return {"head": ""}

    @app.post("/form")
    async def form(request: Request) -> dict[str, Any]:
        async with request.form() as fields:
            files = sorted(name for name, value in fields.items() if isinstance(value, StarletteFile))
            return {"user": fields["user"], "files": files}

    @app.post("/unparsed")
    async def unparsed(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @app.post("/upload")
    async def upload(request: Request) -> dict[str, Any]:
        digest, size = hashlib.sha256(), 0
        async for chunk in request.stream():
            digest.update(chunk)
            size += len(chunk)
        return {"size": size, "sha256": digest.hexdigest()}

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "short and stout")

    @app.get("/fail")
    async def fail() -> None:
        try:
            raise OSError("connection refused")
        except OSError as cause:
            raise ValueError("no such order: password=hunter2-CANARY") from cause

    @app.get("/handled")
    async def handled() -> None:
        raise HandledError("handled")

    @app.get("/refused")
    async def refused() -> None:
        raise RefusedError("refused")

    @app.get("/declined")
    async def declined() -> None:
        raise CaptureFailure("declined", {"reason": "card", "cvv": "123"}, 402)

    @app.get("/sorry")
    async def sorry() -> None:
        raise SorryError("declined", {"reason": "card", "cvv": "123"}, 402)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for piece in (b"first", b"other", b"third"):
                yield piece

        return StreamingResponse(chunks(), media_type="text/plain")

    @app.get("/sse")
    async def sse() -> StreamingResponse:
        async def events() -> AsyncIterator[bytes]:
            yield b"data: one of /sse\n\n"
            if gate is not None:
                await gate.wait()
            yield b"data: two\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    @app.get("/midstream")
    async def midstream() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            if gate is not None:
                await gate.wait()
            raise RuntimeError("broke in the middle")

        return StreamingResponse(chunks(), media_type="text/plain")

    @app.get("/logged")
    async def logged() -> dict[str, bool]:
        get_logger("orders").warning("out of stock", sku="TEA-001", password="CANARY-body")
        return {"ok": True}

    @app.get("/correlated")
    async def correlated() -> dict[str, bool]:
        set_correlation_id("order-7")
        return await logged()

    @app.get("/nothing", status_code=204)
    async def nothing() -> Response:
        return Response(status_code=204)

    @app.get("/cached")
    async def cached() -> Response:
        return Response(status_code=304, headers={"ETag": '"v1"'})

    @app.get("/cookie")
    async def cookie() -> Response:
        response = JSONResponse({"ok": True})
        response.set_cookie("session", "CANARY-one")
        response.set_cookie("theme", "CANARY-two")
        return response

    @app.get("/own-trace")
    async def own_trace() -> Response:
        return PlainTextResponse("ok", headers={"X-Trace-Id": "mine"})

    @app.get("/health")
    async def health() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> dict[str, bool]:
        def task() -> None:
            raise LookupError("late")

        tasks.add_task(task)
        return {"ok": True}

    @app.get("/crumb/{name}")
    async def crumb(name: str) -> dict[str, str]:
        if client is not None:
            client.add_breadcrumb(f"before {name}")
            await asyncio.sleep(0)
            client.add_breadcrumb(f"after {name}")
        return {"name": name}

    @app.get("/act")
    async def acting() -> dict[str, bool]:
        assert act is not None
        act()
        return {"ok": True}

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            while act is not None and act():
                yield b"x" * 65536
                await asyncio.sleep(0)

        return StreamingResponse(pieces(), media_type="text/plain")

    @app.get("/file")
    async def send_file() -> FileResponse:
        return FileResponse(file or __file__, media_type="text/plain")

    return app
