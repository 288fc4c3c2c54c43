"""One call on its way through the application: what a request and a websocket have in common."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request

from replaystack import CaptureFailure
from replaystack.http import Recording, header_value

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from replaystack.http import Adapter

__all__ = ["Passage"]

RecordingType = TypeVar("RecordingType", bound=Recording)

_SAY_THE_CALLER_IS_GONE = frozenset({"ClientDisconnect", "WebSocketDisconnect"})


class Passage(Generic[RecordingType]):
    """Calls the application with eyes on what it receives and sends. For one call, on one event loop.

    A subclass says what the messages mean: `tapped_receive` and `tapped_send`.
    """

    def __init__(self, recording: RecordingType, adapter: Adapter, scope: Scope) -> None:
        self.recording = recording
        self._guard = adapter.guard
        self.handling: BaseException | None = None
        """The exception of which the application is just making the answer."""
        self._adapter = adapter
        self._recorder = adapter.recorder
        # What is being handled around all of this is not what this call is about.
        self._handled_around = sys.exc_info()[1]
        self.scope = scope
        self._lost_id: int | None = None
        self._root_path: str = scope.get("root_path", "")

    def tapped_receive(self, receive: Receive) -> Receive:
        """Return a `receive` that notes what the application gets."""
        raise NotImplementedError

    def tapped_send(self, send: Send) -> Send:
        """Return a `send` that notes what the application says."""
        raise NotImplementedError

    async def run(self, app: ASGIApp, receive: Receive, send: Send) -> None:
        """Call `app`; whatever it raises goes on."""
        recording = self.recording
        with recording.scope_entered():
            try:
                await app(self.scope, self.tapped_receive(receive), self.tapped_send(send))
            except Exception as error:
                await self._failed(error)
                raise
            except BaseException as error:
                self._torn_off(error)
                raise
            if not recording.ended:
                await self.finish()

    @property
    def may_hand_over_at_once(self) -> bool:
        """Whether it is only an append: in sync mode the application would wait for it."""
        return self._recorder.config.async_send

    @property
    def is_deserted(self) -> bool:
        """Whether the caller went away before the end."""
        return self.recording.disconnected

    def lost_caller(self, error: OSError) -> None:
        """Note that the server could not send: the same error may be raised through the application."""
        self._lost_id = id(error)
        self.recording.caller_gone()

    def with_own_headers(self, message: Message) -> tuple[Message, tuple[Any, ...]]:
        """Return an answer's first message, with `x-trace-id` (and `x-correlation-id`), and its headers.

        The message is the same object where the answer has them.
        """
        headers = message.get("headers", ())
        if not isinstance(headers, (list, tuple)):  # ASGI allows any iterable: it is read once, here
            headers = list(headers)
            message = {**message, "headers": headers}
        headers = tuple(headers)
        given = headers
        for name, value in self.recording.own_headers():
            if header_value(given, name.encode()) is None:
                headers = (*headers, (name.encode(), value.encode()))
        if headers is not given:
            message = {**message, "headers": list(headers)}
        return message, headers

    def note_handling(self, *, is_failure: bool) -> None:
        """Note what is being handled while an answer begins: an error handler makes it of its exception.

        The exception will be raised again, or not: in both cases it belongs to this exchange,
        if the answer is a failure.
        """
        handled = sys.exc_info()[1]
        mine = isinstance(handled, Exception) and handled is not self._handled_around
        counts = is_failure or isinstance(handled, CaptureFailure)
        self.handling = handled if mine and counts else None

    async def finish(self) -> None:
        """End the exchange and hand it over: an append, or a worker thread in sync mode."""
        try:
            if not self.end():
                return
            if self._recorder.config.async_send:
                self._recorder.exchange(self.recording)
            else:
                await _in_own_thread(self._recorder.exchange, self.recording)
        except Exception as error:  # noqa: BLE001 - the answer is out; only the event is at stake
            self._guard.caught(error, "ending an exchange")

    def end(self) -> bool:
        """Complete the recording; True if it is to be captured."""
        recording = self.recording
        if recording.ended:
            return False
        handling, self.handling = self.handling, None
        if handling is not None and recording.error is None:
            recording.fail(handling, handled=True)  # still what happened
        # None where another framework is mounted here: its adapter has said what it knows.
        recording.route = _route_pattern(self.scope, self._root_path) or recording.route
        self._adapter.ask_user(recording, self._framework_request)
        return recording.end()

    def _framework_request(self) -> HTTPConnection:
        kind = Request if self.scope["type"] == "http" else HTTPConnection
        return kind(self.scope)

    async def _failed(self, error: Exception) -> None:
        recording = self.recording
        with self._guard.protect("noting an exception"):
            if recording.ended:
                if not self._is_because_of_caller(error):
                    await self._capture_late(error)
                return
            if not self._is_because_of_caller(error):
                recording.fail(error)
            elif self.handling is not None:
                self.handling = None
                recording.response_withdrawn()  # what was made of it reached nobody
        await self.finish()

    def _is_because_of_caller(self, error: BaseException) -> bool:
        """Tell whether server or framework raised this because the caller went away. Also a group of such."""
        if not self.is_deserted:
            return False
        inner = getattr(error, "exceptions", None)  # a task group wraps what its tasks raise
        if type(inner) is tuple and inner:
            return all(map(self._is_because_of_caller, inner))
        return id(error) == self._lost_id or type(error).__name__ in _SAY_THE_CALLER_IS_GONE

    def _torn_off(self, error: BaseException) -> None:
        """End an exchange that was cancelled or interrupted: nothing may be awaited any more."""
        recording = self.recording
        with self._guard.protect("ending an exchange"):
            if recording.ended:
                return
            if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
                recording.caller_gone()  # or the server shuts down
            else:
                recording.fail(error)
            if self.end():
                self._recorder.exchange_later(recording)

    async def _capture_late(self, error: Exception) -> None:
        """Capture what was raised after the end, say in a background task: an event of its own."""
        capture = self.recording.late_exception
        if self._recorder.config.async_send:
            capture(error)
        else:
            await _in_own_thread(capture, error)


async def _in_own_thread(function: Any, *args: Any) -> None:
    """Run `function` in a thread that the application's own sync endpoints do not wait for."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:  # another event loop than asyncio's
        await run_in_threadpool(function, *args)
    else:
        await asyncio.to_thread(function, *args)


def _route_pattern(scope: Scope, root_path: str) -> str | None:
    """Return the pattern of the route that matched, with the prefix of mounted applications."""
    pattern = getattr(scope.get("route"), "path", None)
    if not isinstance(pattern, str):
        return None
    mounted: str = scope.get("root_path", "")
    prefix = mounted[len(root_path) :] if mounted.startswith(root_path) else ""
    return prefix + pattern
