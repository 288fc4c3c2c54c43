"""A websocket on its way through the application: one exchange, from the handshake to the close."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replaystack.http import SocketRecording

from .passage import Passage

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Send

__all__ = ["SocketPassage"]

_SERVER_ERROR = 500
_NORMAL, _ABNORMAL, _INTERNAL_ERROR = 1000, 1006, 1011
_HEADERS_SINCE = (2, 1)
"""The version of the specification in which `websocket.accept` has headers."""


class SocketPassage(Passage[SocketRecording]):
    """One websocket: it ends with its close, whoever closes, or with the last of a denial."""

    @property
    def is_deserted(self) -> bool:
        """Whether the caller went away, in order or not: then the application may say so by raising."""
        return self.recording.closed_by == "caller"

    def tapped_receive(self, receive: Receive) -> Receive:
        """Return a `receive` that counts what the caller says, and sees the caller leave."""
        recording, guard = self.recording, self._guard

        async def tapped() -> Message:
            message = await receive()
            gone = False
            try:
                if message["type"] == "websocket.receive":
                    recording.message(recording.received, _data(message))
                elif message["type"] == "websocket.disconnect":
                    code = message.get("code")
                    recording.closed(_ABNORMAL if code is None else code, message.get("reason"), "caller")
                    gone = True
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the connection
                guard.caught(error, "looking at a websocket")
            if gone and self.may_hand_over_at_once:
                await self.finish()
            return message

        return tapped

    def tapped_send(self, send: Send) -> Send:
        """Return a `send` that notes the handshake's answer, counts messages and sees the close."""
        recording, guard = self.recording, self._guard

        async def tapped(message: Message) -> None:
            try:
                message = self._before(message)
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the connection
                guard.caught(error, "looking at a websocket")
            try:
                await send(message)
            except OSError as error:  # the server's way to say that the caller is gone
                recording.closed(_ABNORMAL, None, "caller")
                self.lost_caller(error)
                raise
            if recording.ended:
                return
            last = False
            try:
                last = self._after(message)
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the connection
                guard.caught(error, "looking at a websocket")
            if last and self.handling is None:
                await self.finish()

        return tapped

    def _before(self, message: Message) -> Message:
        """Note the answer to the handshake, and what it is made of. It may be a denial, or a close."""
        kind = message["type"]
        if kind == "websocket.accept":
            headers = tuple(message.get("headers") or ())
            if self._may_have_headers():
                message, headers = self.with_own_headers(message)
            self.recording.accepted(headers, message.get("subprotocol"))
        elif kind == "websocket.http.response.start":
            message, headers = self.with_own_headers(message)
            status = message["status"]
            self.recording.response_start(status, headers)
            self.note_handling(is_failure=status >= _SERVER_ERROR)
        elif kind == "websocket.close":
            self.note_handling(is_failure=message.get("code", _NORMAL) == _INTERNAL_ERROR)
        return message

    def _after(self, message: Message) -> bool:
        """Note what was sent; True if the exchange ends with it."""
        recording, kind = self.recording, message["type"]
        if kind == "websocket.send":
            recording.message(recording.sent, _data(message))
        elif kind == "websocket.close":
            recording.closed(message.get("code", _NORMAL), message.get("reason"), "application")
            return True
        elif kind == "websocket.http.response.body":
            last = not message.get("more_body", False)
            recording.response_chunk(message.get("body", b""), last=last)
            return last
        return False

    def _may_have_headers(self) -> bool:
        """Tell whether the server takes headers with `websocket.accept`."""
        version = str(self.scope.get("asgi", {}).get("spec_version", "2.0")).split(".")
        try:
            return tuple(map(int, version[:2])) >= _HEADERS_SINCE
        except ValueError:
            return False


def _data(message: Message) -> bytes | str | None:
    """Return what a message says; None of one that says nothing."""
    data: bytes | str | None = message.get("bytes")
    return message.get("text") if data is None else data
