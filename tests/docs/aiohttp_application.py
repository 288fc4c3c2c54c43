"""The contract's application on aiohttp, and its server in a thread."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from replaystack import CaptureFailure, get_logger, set_correlation_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["build_app", "serve"]


class HandledError(Exception):
    """An error of which a middleware makes a 500."""


class RefusedError(Exception):
    """An error of which a middleware makes a 409."""


class SorryError(CaptureFailure):
    """A failure of which a middleware makes a 402."""


@web.middleware
async def answers_errors(request: web.Request, handler: Callable[[web.Request], Any]) -> Any:
    """Stand for error handlers, which aiohttp has none of."""
    try:
        return await handler(request)
    except HandledError:
        return web.json_response({"handled": True}, status=500)
    except RefusedError:
        return web.json_response({"refused": True}, status=409)
    except SorryError:
        return web.json_response({"sorry": True}, status=402)


async def ok(request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def item(request: web.Request) -> web.Response:
    return web.json_response({"id": int(request.match_info["item_id"])})


async def echo(request: web.Request) -> web.Response:
    return web.json_response(await request.json())


async def twice(request: web.Request) -> web.Response:
    return web.json_response([len(await request.read()), len(await request.read())])


async def partly(request: web.Request) -> web.Response:
    piece = await request.content.readany()
    return web.json_response({"head": piece[:10].decode()})


async def unparsed(request: web.Request) -> web.Response:
    return web.json_response({"size": len(await request.read())})


async def form(request: web.Request) -> web.Response:
    fields = await request.post()
    files = sorted(name for name, value in fields.items() if isinstance(value, web.FileField))
    return web.json_response({"user": fields["user"], "files": files})


async def upload(request: web.Request) -> web.Response:
    digest, size = hashlib.sha256(), 0
    async for chunk in request.content.iter_chunked(65536):
        digest.update(chunk)
        size += len(chunk)
    return web.json_response({"size": size, "sha256": digest.hexdigest()})


class _Teapot(web.HTTPClientError):
    status_code = 418


async def fail(request: web.Request) -> web.Response:
    try:
        raise OSError("connection refused")
    except OSError as cause:
        raise ValueError("no such order: password=hunter2-CANARY") from cause


def raising(error: Callable[[], Exception]) -> Callable[[web.Request], Any]:
    async def handler(request: web.Request) -> web.Response:
        raise error()

    return handler


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    for piece in (b"first", b"other", b"third"):
        await response.write(piece)
    return response


async def sse(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for number in (b"one", b"two"):
        await response.write(b"data: " + number + b"\n\n")
    await response.write_eof()
    return response


async def midstream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    await response.write(b"first")
    raise RuntimeError("broke in the middle")


async def cached(request: web.Request) -> web.Response:
    return web.Response(status=304, headers={"ETag": '"v1"'})


async def cookie(request: web.Request) -> web.Response:
    response = web.json_response({"ok": True})
    response.set_cookie("session", "CANARY-one")
    response.set_cookie("theme", "CANARY-two")
    return response


async def file(request: web.Request) -> web.FileResponse:
    return web.FileResponse(Path(__file__))


async def logged(request: web.Request) -> web.Response:
    get_logger("orders").warning("out of stock", sku="TEA-001", password="CANARY-body")
    return web.json_response({"ok": True})


async def correlated(request: web.Request) -> web.Response:
    set_correlation_id("order-7")
    return await logged(request)


async def nothing(request: web.Request) -> web.Response:
    return web.Response(status=204)


async def own_trace(request: web.Request) -> web.Response:
    return web.Response(headers={"X-Trace-Id": "mine"})


def build_app() -> web.Application:
    """Return the application."""
    failure = {"reason": "card", "cvv": "123"}
    app = web.Application(middlewares=[answers_errors], client_max_size=8 << 20)
    app.add_routes(
        [
            web.get("/ok", ok),
            web.get("/items/{item_id}", item),
            web.post("/echo", echo),
            web.post("/twice", twice),
            web.post("/unread", ok),
            web.post("/partly", partly),
            web.post("/unparsed", unparsed),
            web.post("/form", form),
            web.post("/upload", upload),
            web.get("/teapot", raising(_Teapot)),
            web.get("/fail", fail),
            web.get("/handled", raising(lambda: HandledError("handled"))),
            web.get("/refused", raising(lambda: RefusedError("refused"))),
            web.get("/declined", raising(lambda: CaptureFailure("declined", failure, 402))),
            web.get("/sorry", raising(lambda: SorryError("declined", failure, 402))),
            web.get("/stream", stream),
            web.get("/sse", sse),
            web.get("/file", file),
            web.get("/midstream", midstream),
            web.get("/logged", logged),
            web.get("/correlated", correlated),
            web.get("/nothing", nothing),
            web.get("/cached", cached),
            web.get("/cookie", cookie),
            web.get("/own-trace", own_trace),
            web.get("/health", ok),
        ]
    )
    return app


@contextmanager
def serve(app: web.Application) -> Iterator[str]:
    """Serve `app` with aiohttp's own server on a free port of loopback; yields its base URL."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
    ports: list[int] = []
    started = threading.Event()

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ports.append(runner.addresses[0][1])
        started.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(30), "aiohttp did not start"
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        assert not thread.is_alive(), "aiohttp did not stop"
