"""One request on its way through Django: what its recording learns, and when it ends.

The answer's content ends the exchange where it lies there whole; a streamed answer ends it with its last
piece, or when the server is done with it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.conf import settings

from replaystack.http import RequestStream, has_body

from .bodies import watched_body
from .closing import hand_over_at_close
from .head import head_of, marks_of, raw_headers, set_own_headers
from .watch import Watcher, is_served, watch_request, watch_rest_framework

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import django.http

    from replaystack.http import Adapter, Recording

__all__ = ["Passage"]

_SERVER_ERROR = 500
_DEBUG_PAGE = b"seeing this error because you have"
"""Stands on each of Django's debug pages."""


class Passage:
    """What the adapter does for one request. None of its methods raises; one thread at a time.

    Where an adapter further out records the request for the same client, it tells that recording what
    only Django knows.
    """

    def __init__(
        self, adapter: Adapter, request: django.http.HttpRequest, recording: Recording, *, is_ours: bool
    ) -> None:
        self._adapter = adapter
        self._request = request
        self._watcher = Watcher(adapter, recording, is_ours=is_ours)
        self.recording: Recording = recording
        self._is_ours = is_ours
        self.must_be_sent_here: bool = False
        """Complete, of a client that sends in the request, and nobody will close the answer."""
        self._sent_bytes = 0
        self._server_sends_file = False
        self._is_streamed = False
        self._waiting = False

    @classmethod
    def begin(cls, adapter: Adapter, request: django.http.HttpRequest) -> Passage | None:
        """Return the passage; None for what is ignored. May raise: then the request passes unseen."""
        if adapter.ignores(request.path) or (
            request.path_info != request.path and adapter.ignores(request.path_info)
        ):
            return None
        marks = marks_of(request)
        recording = adapter.begin(head_of(request), marks, lambda: request)
        is_ours = recording is not None
        if recording is None:
            recording = adapter.recording_of(marks)
            if recording is None:
                return None
        passage = cls(adapter, request, recording, is_ours=is_ours)
        if is_ours:
            passage._tee()
        watch_rest_framework(adapter)
        watch_request(request, passage._watcher)
        return passage

    def scope_entered(self) -> AbstractContextManager[None]:
        """Make the exchange's scope the current one for the block."""
        return self.recording.scope_entered()

    def _tee(self) -> None:
        """See the request's body as it is read: by whom and how is left to them."""
        request, recording = self._request, self.recording
        if recording.request_tap is None:
            return
        # Private names of Django's, unchanged in all its versions that we support: the stream that
        # `read`, `body`, `POST` and `FILES` read, and what a middleware before us may have read of it.
        body = getattr(request, "_body", None)
        if body is not None:
            recording.request_chunk(body, last=True)
        elif request._read_started:  # noqa: SLF001 - see above
            recording.request_tap = None  # it has passed already: nothing can be said about it
        elif has_body(request.META):
            request._stream = RequestStream(request._stream, recording, self._adapter.guard)  # noqa: SLF001

    def torn_off(self, error: BaseException) -> None:
        """Note what went through the middleware instead of an answer."""
        if not self._is_ours:
            return
        with self._adapter.guard.protect("noting an exception"):
            self.recording.route = self._route()
            self.failed(error)

    # -- the answer -----------------------------------------------------------------------------

    @property
    def has_user_to_ask(self) -> bool:
        """Whether `ask_user` calls something of the application's, which may block."""
        return self._adapter.options.get_user is not None

    def ask_user(self) -> None:
        """Note whom `get_user` names."""
        if not self.recording.ended:
            self._adapter.ask_user(self.recording, lambda: self._request)

    def answer(self, response: django.http.HttpResponseBase) -> None:
        """Note the answer that passes. Its body, where it is streamed, is watched from now on."""
        try:
            self.recording.route = self._route() or self.recording.route
            if not self._is_ours:
                return
            self._note_body_read()
            set_own_headers(response, self.recording.own_headers())
            if self._is_about_a_lost_caller(response):
                self._complete()
                return
            self.recording.response_start(response.status_code, raw_headers(response))
            if response.streaming:
                self._watch_stream(response)
                return
            self._note_content(response)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
            self._adapter.guard.caught(error, "looking at an answer")
        self._complete()

    def _is_about_a_lost_caller(self, response: django.http.HttpResponseBase) -> bool:
        """Tell whether Django answers that the body broke off (UnreadablePostError): nobody will get that."""
        return (
            self.recording.disconnected
            and self.recording.error is None
            and response.status_code >= _SERVER_ERROR
        )

    def _note_body_read(self) -> None:
        """Note the end of a body without a length: whoever has Django's `body` has read to it."""
        tap = self.recording.request_tap
        if tap is not None and tap.declared_bytes is None and "_body" in self._request.__dict__:
            self.recording.request_chunk(b"", last=True)

    def _route(self) -> str | None:
        match = self._request.resolver_match
        if match is None:
            return None
        prefix: str = self._request.META.get("SCRIPT_NAME", "")
        return f"{prefix.rstrip('/')}/{match.route}"

    def _note_content(self, response: django.http.HttpResponseBase) -> None:
        recording = self.recording
        if recording.response_tap is None:
            return
        if not getattr(response, "is_rendered", True) or _is_debug_page(response):
            recording.response_unseen()
        else:
            recording.response_whole(response)  # its pieces, not a joined copy

    def _watch_stream(self, response: Any) -> None:
        file = getattr(response, "file_to_stream", None)
        response.streaming_content = watched_body(response, self)
        self._is_streamed = True
        if file is not None:
            # What is set to an iterator forgets its file. The server may want to send that by itself.
            response.file_to_stream = file
            self._server_sends_file = bool(self._request.META.get("wsgi.file_wrapper"))

    # -- a streamed body ------------------------------------------------------------------------

    def note(self, chunk: bytes) -> None:
        """Note a piece of the answer."""
        try:
            self.recording.response_chunk(chunk, last=False)
            self._sent_bytes += len(chunk)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
            self._adapter.guard.caught(error, "looking at an answer")

    def exhausted(self) -> None:
        """Note that there is no more."""
        try:
            self.recording.response_chunk(b"", last=True)
        except Exception as error:  # noqa: BLE001 - looking on must not hurt the answer
            self._adapter.guard.caught(error, "looking at an answer")
        self._complete()

    def failed(self, error: BaseException) -> None:
        """Note what the application raised instead of an answer, or in the middle of one."""
        recording = self.recording
        if recording.ended:
            return
        with self._adapter.guard.protect("noting an exception"):
            if not self._sent_bytes and not hasattr(self._request, "scope"):
                recording.response_withdrawn()  # a WSGI server sends the head with the first piece
            if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
                recording.caller_gone()
            else:
                self._watcher.unhandled(error)
        # Where the answer is there, it will be closed; an interrupt waits for nothing.
        self._complete(may_block=self._is_streamed and isinstance(error, Exception))

    def closed(self, *, may_block: bool = True) -> None:
        """Note that the server is done with the answer, whether or not it has taken all of it."""
        recording = self.recording
        if not recording.ended:
            with self._adapter.guard.protect("ending an exchange"):
                if self._server_sends_file and not self._sent_bytes:
                    recording.response_unseen()
                elif recording.is_answered(self._sent_bytes):
                    recording.response_chunk(b"", last=True)
                else:
                    recording.caller_gone()
            self._complete(may_block=may_block)
        if self._waiting:
            self.hand_over(may_block=may_block)

    # -- the end --------------------------------------------------------------------------------

    def _complete(self, *, may_block: bool = True) -> None:
        adapter = self._adapter
        if not adapter.end(self.recording):
            return
        if adapter.recorder.config.async_send or not may_block:
            adapter.hand_over(self.recording, may_block=may_block)
            return
        # The client sends in the request: after the answer, where somebody will say when that is.
        if self._is_streamed:
            self._waiting = True
        elif is_served(marks_of(self._request)):
            hand_over_at_close(self._request, self)
        else:
            self.must_be_sent_here = True

    def hand_over(self, *, may_block: bool = True) -> None:
        """Give the completed exchange to the client. May block where that sends in the request."""
        self._waiting = self.must_be_sent_here = False
        self._adapter.hand_over(self.recording, may_block=may_block)


def _is_debug_page(response: Any) -> bool:
    """Tell whether this is Django's page about an error: it shows local variables and settings."""
    return settings.DEBUG and response.status_code in {400, 500} and _DEBUG_PAGE in response.content
