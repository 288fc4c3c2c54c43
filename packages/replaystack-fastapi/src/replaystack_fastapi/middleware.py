"""Pure ASGI: it looks on as messages pass, and neither waits for, changes nor holds back any.

The one thing that it adds to an answer is the header `x-trace-id`.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from replaystack.http import TRACE_HEADER, HttpRequest, Recording, header_value

from .options import FastAPIMiddlewareOptions

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from replaystack import ReplayStackClient

__all__ = ["ReplayStackMiddleware"]

_MARK = "replaystack.recordings"
"""In the ASGI scope: the recordings of this request by the id of their recorder, outermost first."""
_TRACE_HEADER = TRACE_HEADER.encode()
_SERVER_ERROR = 500


class ReplayStackMiddleware:
    """Captures each HTTP request that passes as one event of `client`.

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
        self._ignored = self.options.path_filter(client.config.ignored_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, with eyes on it where it is an HTTP request that is to be captured."""
        recording: _AsgiRecording | None = None
        if scope["type"] == "http" and self._recorder.is_open:
            try:
                recording = self._begin(scope)
            except Exception as error:  # noqa: BLE001 - then the request passes unseen
                self._recorder.guard.caught(error, "beginning an exchange")
        if scope["type"] == "lifespan" and self._recorder.is_open:
            send = self._flushing_at_shutdown(send)
        if recording is None:
            await self.app(scope, receive, send)
        else:
            await recording.run(self.app, scope, receive, send)

    def _flushing_at_shutdown(self, send: Send) -> Send:
        """Deliver what is left before the server is told that the application is done.

        A server that a signal ends (uvicorn on SIGTERM) leaves no time after that: the
        interpreter's own exit handlers never run. Bounded by `shutdown_timeout_seconds`.
        """
        recorder = self._recorder

        async def flushing(message: Message) -> None:
            if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                try:
                    await run_in_threadpool(recorder.flush, recorder.config.shutdown_timeout_seconds)
                except Exception as error:  # noqa: BLE001 - the application's shutdown goes on
                    recorder.guard.caught(error, "flushing at shutdown")
            await send(message)

        return flushing

    def _begin(self, scope: Scope) -> _AsgiRecording | None:
        """Return a recording for this request, or None where it is ignored or recorded already."""
        if self._ignored.ignores(scope["path"]):
            return None
        running: dict[int, Recording] = scope.setdefault(_MARK, {})
        if id(self._recorder) in running:
            return None
        outer = next(iter(running.values()), None)
        asked = _ask(self.options.get_trace_id, scope, self._recorder.guard, "get_trace_id")
        recording = Recording(self._recorder, self.options, _read_request(scope), asked, outer=outer)
        running[id(self._recorder)] = recording
        return _AsgiRecording(recording, self._recorder, self.options)


class _AsgiRecording:
    """One request on its way through the application."""

    def __init__(self, recording: Recording, recorder: Any, options: FastAPIMiddlewareOptions) -> None:
        self._recording = recording
        self._recorder = recorder
        self._options = options
        self._handling: BaseException | None = None
        # What is being handled around all of this is not what this request is about.
        self._handled_around = sys.exc_info()[1]
        self._scope: Scope = {}
        self._root_path = ""

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Call `app` with eyes on what it receives and sends; whatever it raises goes on."""
        recording = self._recording
        self._scope = scope
        self._root_path = scope.get("root_path", "")
        with recording.scope_entered():
            try:
                await app(scope, self._tapped_receive(receive), self._tapped_send(send))
            except Exception as error:
                await self._failed(error)
                raise
            except BaseException as error:
                self._torn_off(error)
                raise
            if not recording.ended:
                await self._finish()

    def _tapped_receive(self, receive: Receive) -> Receive:
        recording, guard = self._recording, self._recorder.guard

        async def tapped() -> Message:
            message = await receive()
            try:
                if message["type"] == "http.request":
                    recording.request_chunk(
                        message.get("body", b""), last=not message.get("more_body", False)
                    )
                elif message["type"] == "http.disconnect" and not recording.ended:
                    recording.disconnected = True
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the request
                guard.caught(error, "looking at a request")
            return message

        return tapped

    def _tapped_send(self, send: Send) -> Send:
        recording, guard = self._recording, self._recorder.guard

        async def tapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                try:
                    message = self._answer_begins(message)
                except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
                    guard.caught(error, "looking at an answer")
            try:
                await send(message)
            except OSError:  # the server's way to say that the caller is gone
                recording.disconnected = True
                raise
            if recording.ended:
                return
            last = False
            try:
                last = self._answer_goes_on(message)
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
                guard.caught(error, "looking at an answer")
            if last:
                await self._finish()

        return tapped

    def _answer_begins(self, message: Message) -> Message:
        """Note the head of the answer and return it with the trace id, in a message of our own."""
        headers = message.get("headers", ())
        if not isinstance(headers, (list, tuple)):  # ASGI allows any iterable: it is read once, here
            headers = list(headers)
            message = {**message, "headers": headers}
        headers = tuple(headers)
        if header_value(headers, _TRACE_HEADER) is None:
            headers = (*headers, (_TRACE_HEADER, self._recording.trace_id.encode()))
            message = {**message, "headers": list(headers)}
        status = message["status"]
        self._recording.response_start(status, headers)
        # An error handler runs while the exception is being handled, so this is its exception.
        handled = sys.exc_info()[1]
        mine = isinstance(handled, Exception) and handled is not self._handled_around
        self._handling = handled if mine and status >= _SERVER_ERROR else None
        return message

    def _answer_goes_on(self, message: Message) -> bool:
        """Note a piece of the answer; True if the exchange ends with it."""
        kind = message["type"]
        if kind == "http.response.body":
            last = not message.get("more_body", False)
            self._recording.response_chunk(message.get("body", b""), last=last)
        elif kind == "http.response.pathsend":
            last = True  # the server sends a file by itself: its bytes never pass by
        else:
            return False
        # While an exception is being handled it will be raised again, and belongs to this exchange.
        return last and self._handling is None

    async def _failed(self, error: Exception) -> None:
        recording = self._recording
        with self._recorder.guard.protect("noting an exception"):
            if recording.ended:
                await self._capture_late(error)
                return
            if not (recording.disconnected and _is_disconnect(error)):
                recording.fail(error)
        await self._finish()

    async def _finish(self) -> None:
        """End the exchange and hand it over: an append, or a worker thread in sync mode."""
        try:
            if not self._end():
                return
            if self._recorder.config.async_send:
                self._recorder.exchange(self._recording)
            else:
                await _in_own_thread(self._recorder.exchange, self._recording)
        except Exception as error:  # noqa: BLE001 - the answer is out; only the event is at stake
            self._recorder.guard.caught(error, "ending an exchange")

    def _torn_off(self, error: BaseException) -> None:
        """End an exchange that was cancelled or interrupted: nothing may be awaited any more."""
        recording = self._recording
        with self._recorder.guard.protect("ending an exchange"):
            if recording.ended:
                return
            if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
                recording.disconnected = True  # the caller is gone, or the server shuts down
            else:
                recording.fail(error)
            if self._end():
                self._recorder.exchange_later(self._recording)

    def _end(self) -> bool:
        """Complete the recording; True if it is to be captured."""
        recording = self._recording
        if recording.ended:
            return False
        if self._handling is not None and recording.error is None:
            recording.fail(self._handling, handled=True)  # still what happened
        self._handling = None
        recording.route = _route_pattern(self._scope, self._root_path)
        user = _ask(self._options.get_user, self._scope, self._recorder.guard, "get_user")
        recording.user = user if isinstance(user, str) else None
        return recording.end()

    async def _capture_late(self, error: Exception) -> None:
        """Capture what a background task raised after the answer: an event of its own."""
        capture = self._recording.late_exception
        if self._recorder.config.async_send:
            capture(error)
        else:
            await _in_own_thread(capture, error)


def _ask(question: Any, scope: Scope, guard: Any, name: str) -> object:
    """Call a user's option with the framework's request; None where there is none or it raises."""
    if question is None:
        return None
    try:
        answer: object = question(Request(scope))
        if inspect.iscoroutine(answer):
            answer.close()
            raise TypeError(f"{name} must be a plain function: it returned a coroutine")
    except Exception as error:  # noqa: BLE001 - the user's callable falls back, the request goes on
        guard.report(error, "replaystack: %s raised", name)
        return None
    return answer


def _is_disconnect(error: Exception) -> bool:
    """Tell how frameworks say that the caller is gone (starlette raises ClientDisconnect)."""
    return isinstance(error, OSError) or type(error).__name__ == "ClientDisconnect"


async def _in_own_thread(function: Any, *args: Any) -> None:
    """Run `function` in a thread that the application's own sync endpoints do not wait for."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # another event loop than asyncio's
        await run_in_threadpool(function, *args)
    else:
        await asyncio.to_thread(function, *args)


def _read_request(scope: Scope) -> HttpRequest:
    headers = scope.get("headers", ())
    if not isinstance(headers, (list, tuple)):  # ASGI allows any iterable: the application reads it too
        headers = scope["headers"] = list(headers)
    server, peer = scope.get("server"), scope.get("client")
    return HttpRequest(
        method=scope.get("method", "GET"),
        scheme=scope.get("scheme", "http"),
        path=scope["path"],
        raw_path=scope.get("raw_path"),
        query=scope.get("query_string") or b"",
        headers=tuple(headers),
        host=":".join(str(part) for part in server if part is not None) if server else "",
        peer=peer[0] if peer else None,
    )


def _route_pattern(scope: Scope, root_path: str) -> str | None:
    """Return the pattern of the route that matched, with the prefix of mounted applications."""
    pattern = getattr(scope.get("route"), "path", None)
    if not isinstance(pattern, str):
        return None
    mounted: str = scope.get("root_path", "")
    prefix = mounted[len(root_path) :] if mounted.startswith(root_path) else ""
    return prefix + pattern
