"""An HTTP request on its way through the application, message by message.

Messages that are not known here pass as they are: `http.response.debug`, `.early_hint`, `.push` ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replaystack.http import Recording

from .passage import Passage

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Send

__all__ = ["HttpPassage"]

_SERVER_ERROR = 500


class HttpPassage(Passage[Recording]):
    """One request: it ends with the last message of its answer."""

    _trailers_follow = False

    def tapped_receive(self, receive: Receive) -> Receive:
        """Return a `receive` that notes the request's body as the application reads it."""
        recording, guard = self.recording, self._guard

        async def tapped() -> Message:
            message = await receive()
            try:
                if message["type"] == "http.request":
                    recording.request_chunk(
                        message.get("body", b""), last=not message.get("more_body", False)
                    )
                elif message["type"] == "http.disconnect":
                    recording.caller_gone()
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the request
                guard.caught(error, "looking at a request")
            return message

        return tapped

    def tapped_send(self, send: Send) -> Send:
        """Return a `send` that notes the answer once the server has taken it."""
        recording, guard = self.recording, self._guard

        async def tapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                try:
                    message = self._begins(message)
                except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
                    guard.caught(error, "looking at an answer")
            try:
                await send(message)
            except OSError as error:  # the server's way to say that the caller is gone
                self.lost_caller(error)
                raise
            if recording.ended:
                return
            last = False
            try:
                last = self._goes_on(message)
            except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
                guard.caught(error, "looking at an answer")
            if last:
                await self.finish()

        return tapped

    def _begins(self, message: Message) -> Message:
        """Note the head of the answer and return it with the trace id, in a message of our own."""
        message, headers = self.with_own_headers(message)
        status = message["status"]
        self.recording.response_start(status, headers)
        self._trailers_follow = bool(message.get("trailers"))
        self.note_handling(is_failure=status >= _SERVER_ERROR)
        return message

    def _goes_on(self, message: Message) -> bool:
        """Note a piece of the answer; True if the exchange ends with it."""
        recording, kind = self.recording, message["type"]
        if kind == "http.response.body":
            last = not message.get("more_body", False)
            recording.response_chunk(message.get("body", b""), last=last)
        elif kind == "http.response.pathsend":
            last = True
            recording.response_unseen()
        elif kind == "http.response.zerocopysend":
            last = not message.get("more_body", False)
            recording.response_unseen(last=last)
        elif kind == "http.response.trailers":
            last, self._trailers_follow = not message.get("more_trailers", False), False
        else:
            return False
        # While an exception is being handled it will be raised again, and belongs to this exchange.
        return last and self.handling is None and not self._trailers_follow
