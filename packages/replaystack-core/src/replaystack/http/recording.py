"""The life of one exchange: begun, request chunks, answer begun, answer chunks, error, ended.

An adapter calls these as the framework's own messages pass by. Each is a few assignments;
nothing is parsed, masked or encoded: that is for `compose`, which the pump calls on its own
thread once the exchange has ended and changes no more.
"""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING

from ..errors import CaptureFailure
from ..event import Breadcrumb
from ..scope import Scope, ScopeEntered
from ..stacktrace import describe_exception
from ..wire import is_trace_id
from .composition import compose
from .head import header_value
from .tap import BodyTap
from .trace import CORRELATION_HEADER, TRACE_HEADER, choose_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..event import EventStatus, EventType, LogLevel
    from ..exchange import ErrorInfo
    from ..recorder import Recorder
    from ..scope import Loggable
    from .head import HeaderPairs, HttpRequest
    from .options import MiddlewareOptions

__all__ = ["Recording"]

_CORRELATION_HEADER = CORRELATION_HEADER.encode()
_BODILESS_STATUSES = frozenset({204, 304})
_SERVER_ERROR = 500


def _length(value: bytes | None) -> int | None:
    """Read a Content-Length; None where there is none or it is rubbish."""
    # 18 digits: what is longer is no length, and int() of a megabyte of digits is slow.
    return int(value) if value is not None and value.isdigit() and len(value) <= 18 else None


class Recording:
    """One exchange while it runs, and an `Exchange` once it has ended.

    Used by one request at a time; not thread-safe before its end, immutable after.
    """

    event_type: EventType = "api"
    noun: str = "HTTP request"
    """What the automatic breadcrumbs say has started and finished."""

    # As attributes of the class: of most requests most stay as they are, and this runs in each.
    route: str | None = None
    """The path's pattern, such as `/orders/{order_id}`."""
    user: str | None = None
    session: str | None = None
    disconnected: bool = False
    """The caller went away before the answer was complete."""
    status: EventStatus = "pending"
    status_code: int | None = None
    elapsed_ms: int = 0
    response_headers: HeaderPairs | None = None
    error: ErrorInfo | None = None
    response_payload: Any = None
    """What `CaptureFailure` carries instead of the answer's body; masked already."""
    streamed: bool = False
    flow: str | None = None
    breadcrumbs: tuple[Breadcrumb, ...] = ()
    logs: tuple[Loggable, ...] = ()
    logs_omitted: int = 0
    request_tap: BodyTap | None = None
    response_tap: BodyTap | None = None
    ended: bool = False
    """Whether the exchange is complete: what happens now belongs to another event."""
    _failure_status: int | None = None
    _handled: BaseException | None = None
    _error_id: int | None = None
    _body_chunks = 0
    _bodiless = False
    _length: int | None = None
    _max_breadcrumbs = 0

    def __init__(
        self,
        recorder: Recorder,
        options: MiddlewareOptions,
        request: HttpRequest,
        asked_trace_id: object = None,
        *,
        outer: Recording | None = None,
    ) -> None:
        self._recorder = recorder
        if recorder.on_begin is not None:
            recorder.on_begin()
        self._started = time.perf_counter_ns()
        self.options = options
        self.request = request
        self.started_at: float = time.time()
        config, headers = recorder.config, request.raw_by_name
        # `outer`: another client records the same request. Both events then carry one trace id
        # and the same breadcrumbs.
        if outer is None:
            self.trace_id: str = choose_trace_id(asked_trace_id, headers)
            self.scope: Scope = Scope(self.trace_id)
            correlation = headers.get(_CORRELATION_HEADER)
            if correlation is not None and is_trace_id(text := correlation.decode("latin-1")):
                self.scope.correlation = text
            if config.automatic_breadcrumbs:
                self._max_breadcrumbs = config.max_breadcrumbs
        else:
            self.trace_id, self.scope = outer.trace_id, outer.scope
        self.scope.recordings[id(recorder)] = self
        self._limit = config.max_payload_bytes
        if options.capture_request_body:
            self.request_tap = BodyTap(self._limit, _length(headers.get(b"content-length")))
        if self._max_breadcrumbs:
            metadata = {"method": request.method, "endpoint": request.path}
            crumb = Breadcrumb(f"{self.noun} started", self.started_at, "http", "info", metadata)
            self.scope.breadcrumbs.append(crumb, self._max_breadcrumbs)

    def scope_entered(self) -> ScopeEntered:
        """Make this exchange's scope the current one for the block."""
        return ScopeEntered(self.scope)

    # -- while it runs --------------------------------------------------------------------------

    def request_chunk(self, chunk: bytes | memoryview, *, last: bool) -> None:
        """Note a piece of the request's body that the application just read."""
        tap = self.request_tap
        if tap is not None and not self.ended:
            if chunk:
                tap.feed(chunk)
            # An end before the declared length is a caller that went away.
            tap.complete = last if tap.declared_bytes is None else tap.seen_bytes >= tap.declared_bytes

    def request_rewound(self) -> None:
        """Note that the application went back to the beginning of the body, to read it again."""
        tap = self.request_tap
        if tap is not None and not self.ended:
            self.request_tap = BodyTap(self._limit, tap.declared_bytes)

    def own_headers(self) -> tuple[tuple[str, str], ...]:
        """Return what the answer gets where the application gives it no such header itself.

        `x-trace-id`, and `x-correlation-id` where the caller sent one or the application set one: a
        caller that knows of none gets none.
        """
        correlation = self.scope.correlation_set or self.scope.correlation
        # What an application sets may be anything; a header must not have a line break in it.
        if correlation is None or correlation == self.trace_id or not is_trace_id(correlation):
            return ((TRACE_HEADER, self.trace_id),)
        return ((TRACE_HEADER, self.trace_id), (CORRELATION_HEADER, correlation))

    def response_start(self, status_code: int, headers: HeaderPairs) -> None:
        """Note the head of the answer. A second one (an error after the first) wins."""
        self.status_code = status_code
        self.response_headers = headers
        content_type = header_value(headers, b"content-type")
        self.streamed = content_type is not None and content_type.lower().startswith(b"text/event-stream")
        self.response_tap = None
        self._length = _length(header_value(headers, b"content-length"))
        self._bodiless = self.request.method == "HEAD" or status_code in _BODILESS_STATUSES
        if self.options.capture_response_body and not self._bodiless:
            self.response_tap = BodyTap(self._limit, self._length)
            if self.streamed and not self.options.capture_streaming_body:
                self.response_tap.discard()
        handled, self._handled = self._handled, None
        if handled is not None and status_code >= _SERVER_ERROR and self.error is None:
            self.fail(handled, handled=True)

    def response_chunk(self, chunk: bytes | bytearray | memoryview, *, last: bool) -> None:
        """Note a piece of the answer's body that was just sent."""
        tap = self.response_tap
        if tap is None:
            return
        if chunk:
            self._body_chunks += 1
            if self._body_chunks == 2 and not self.streamed and self._length is None:
                self.streamed = True
                if not self.options.capture_streaming_body:
                    tap.discard()
            tap.feed(chunk)
        tap.complete = last

    def response_whole(self, chunks: Iterable[bytes]) -> None:
        """Note a body that lies there complete, in one piece or several: it is no stream."""
        tap = self.response_tap
        if tap is not None:
            for chunk in chunks:
                tap.feed(chunk)
            tap.complete = True

    def response_unseen(self, *, last: bool = True) -> None:
        """Note that the server sends the body, a file, or a part of it by itself: it never passes by."""
        tap = self.response_tap
        if tap is not None:
            tap.discard()
            tap.complete = last

    def response_withdrawn(self) -> None:
        """Note that the answer which began never went out: the server makes one of its own."""
        self.status_code = self.response_headers = self.response_tap = None
        self.streamed = False

    def is_answered(self, sent_bytes: int) -> bool:
        """Tell whether the answer is whole after so many bytes of body, although nobody said: last."""
        if self.status_code is None:
            return False
        return self._bodiless or (self._length is not None and sent_bytes >= self._length)

    def caller_gone(self) -> None:
        """Note that the caller went away before the exchange was over."""
        if not self.ended:
            self.disconnected = True

    def handled(self, error: BaseException) -> None:
        """Note an exception for which the application may have a handler.

        It is this exchange's exception if the answer that begins next is a 5xx, or if it asks
        for that itself (`CaptureFailure`). Call it before `response_start`; the reference is
        let go there.
        """
        if isinstance(error, CaptureFailure):
            self.fail(error, handled=True)
        else:
            self._handled = error

    def fail(self, error: BaseException, *, handled: bool = False) -> None:
        """Note the exception that ended the request. Takes it apart now; keeps no reference.

        The same exception twice, from a framework's signal and then raised, is once.
        `handled`: the application or its framework made the answer of it.
        """
        if self.error is not None and self._error_id == id(error):
            return
        self._error_id = id(error)
        self.error = describe_exception(error)
        if isinstance(error, CaptureFailure):
            self._failure_status = error.status_code
            if error.response_payload is not None:
                self.response_payload = self._recorder.plain(error.response_payload)
        if self._max_breadcrumbs:
            metadata = {"errorName": self.error.name, "errorMessage": self.error.message}
            message = "Handled exception captured" if handled else "Unhandled exception captured"
            self._breadcrumb(message, "exception", "error", metadata)

    def late_exception(self, error: BaseException) -> None:
        """Capture what was raised after the answer was complete, say in a background task.

        An event of its own, of type `custom`, that names this exchange as `parentTraceId`.
        """
        with self.scope_entered():
            self._recorder.exception(error, {"endpoint": self.request.path}, parent_trace_id=self.trace_id)

    # -- at its end -----------------------------------------------------------------------------

    def end(self) -> bool:
        """Complete the exchange; False where `should_capture` declines or it was complete before."""
        if self.ended:
            return False
        self.ended = True
        # The mark stays, so that nobody records this request again; the reference would be a cycle.
        self.scope.recordings[id(self._recorder)] = None
        self._handled = None
        self.elapsed_ms = (time.perf_counter_ns() - self._started) // 1_000_000
        if self._failure_status is not None:
            self.status_code = self._failure_status
        elif self.status_code is None and self.error is not None:
            self.status_code = 500  # what the server in front of us will answer
        self.status = self._judge()
        if self.error is None and self._max_breadcrumbs:
            level: LogLevel = "info"
            if self.status != "success":
                level = "error" if self.status == "failed" else "warning"
            metadata = {"statusCode": self.status_code, "executionTimeMs": self.elapsed_ms}
            self._breadcrumb(f"{self.noun} finished", "http", level, metadata)
        scope, recorder = self.scope, self._recorder
        self.breadcrumbs = scope.breadcrumbs.snapshot()
        self.logs, self.logs_omitted = scope.logs.snapshot(), scope.logs.omitted
        self.flow = scope.flow
        self.user = self.user or scope.user or recorder.user
        self.session = scope.session or recorder.session
        scope.closed = True
        return self.options.should_capture is None or self._is_wanted(self.options.should_capture)

    def _judge(self) -> EventStatus:
        code = self.status_code
        if self.error is not None or (code is not None and code >= 500):
            return "failed"
        if code is None:
            return "warning" if self.disconnected else "failed"
        return "warning" if code >= 400 or self.disconnected else "success"

    def _is_wanted(self, decide: Any) -> bool:
        info = {
            "method": self.request.method,
            "path": self.request.path,
            "statusCode": self.status_code,
            "executionTimeMs": self.elapsed_ms,
        }
        try:
            return bool(decide(info))
        except Exception as error:  # noqa: BLE001 - the user's callable; raising means: capture
            self._recorder.guard.report(error, "replaystack: %s raised", "should_capture")
            return True

    def _breadcrumb(self, message: str, category: str, level: LogLevel, metadata: dict[str, Any]) -> None:
        crumb = Breadcrumb(message, time.time(), category, level, metadata)
        self.scope.breadcrumbs.append(crumb, self._max_breadcrumbs)

    # -- as an Exchange -------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """The request's path."""
        return self.request.path

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that this exchange keeps alive. Not exact, and cheap."""
        request = self.request
        size = 3072 + len(request.path) + len(request.query)  # 3072: the objects that every exchange has
        pairs = request.headers if self.response_headers is None else request.headers + self.response_headers
        # 130: a tuple and the heads of two bytes objects. Added up in C: this runs in the request.
        size += 130 * len(pairs) + sum(map(len, chain.from_iterable(pairs)))
        if self.request_tap is not None:
            size += self.request_tap.held_bytes
        if self.response_tap is not None:
            size += self.response_tap.held_bytes
        if self.error is not None:
            size += 2 * (len(self.error.stack_trace) + len(self.error.message))
        for breadcrumb in self.breadcrumbs:
            size += breadcrumb.size_bytes
        for entry in self.logs:
            size += entry.size_bytes
        return size

    def rendered_logs(self) -> list[dict[str, Any]]:
        """Return the log entries that this client may send along. For the pump: it knows the receiver."""
        return self._recorder.logs.render(self.logs)

    def compose(self) -> tuple[dict[str, object], dict[str, object]]:
        """Return the wire fields and our own part. For the pump, once the exchange has ended."""
        return compose(self)
