"""The life of one exchange: begun, request chunks, answer begun, answer chunks, error, ended.

An adapter calls these as the framework's own messages pass by. Each is a few assignments;
nothing is parsed, masked or encoded before the pump does it on its own thread.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..auth import detect_auth
from ..clock import iso_timestamp
from ..errors import CaptureFailure
from ..event import Breadcrumb
from ..exchange import Exchange, RawHeaders
from ..scope import Scope, enter_scope
from ..stacktrace import describe_exception
from .address import resolve_client, resolve_origin
from .tap import BodyTap
from .trace import choose_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..event import EventStatus, LogLevel
    from ..exchange import ErrorInfo, RawBody
    from ..recorder import Recorder
    from .options import MiddlewareOptions

__all__ = ["STREAMING_MARKER", "HttpRequest", "Recording"]

STREAMING_MARKER: Mapping[str, object] = {"captured": False, "reason": "Streaming response body not captured"}
"""The seed's marker, to the letter."""

_BODILESS_STATUSES = frozenset({204, 304})


class HttpRequest:
    """The head of a request as an adapter reads it from its framework. All values are raw."""

    __slots__ = ("by_name", "headers", "host", "method", "path", "peer", "scheme", "target")

    def __init__(
        self,
        *,
        method: str,
        scheme: str,
        host: str,
        path: str,
        target: str,
        headers: tuple[tuple[bytes, bytes], ...],
        peer: str | None,
    ) -> None:
        self.method = method
        self.scheme = scheme
        self.host = host
        self.path = path
        """Decoded, without the query."""
        self.target = target
        """Path and query as they stood in the request line."""
        self.headers = headers
        self.peer = peer
        """The IP address at the other end of the connection, where there is one."""
        by_name: dict[str, str] = {}
        for name, value in headers:
            by_name.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        self.by_name = by_name
        """The first value of each header, names in lower case."""


def _content_length(headers: Mapping[str, str]) -> int | None:
    value = headers.get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None


class Recording:
    """One exchange while it runs. Used by one request at a time; not thread-safe."""

    def __init__(
        self,
        recorder: Recorder,
        options: MiddlewareOptions,
        request: HttpRequest,
        asked_trace_id: object = None,
    ) -> None:
        self._recorder = recorder
        self._options = options
        self._request = request
        self._started = time.perf_counter_ns()
        self._started_at = time.time()
        self.trace_id = choose_trace_id(asked_trace_id, request.by_name)
        self.scope = Scope(self.trace_id)
        self.route: str | None = None
        """The path's pattern, such as `/orders/{order_id}`."""
        self.user: str | None = None
        self.disconnected = False
        """The caller went away before the answer was complete."""
        self._status_code: int | None = None
        self._response_headers: tuple[tuple[bytes, bytes], ...] = ()
        self._response_by_name: dict[str, str] = {}
        self._error: ErrorInfo | None = None
        self._failure: CaptureFailure | None = None
        self._streamed = False
        self._body_chunks = 0
        limit = recorder.config.max_payload_bytes
        declared = _content_length(request.by_name)
        self._request_tap = BodyTap(limit, declared) if options.capture_request_body else None
        self._response_tap: BodyTap | None = None
        self._ended = False
        if recorder.config.automatic_breadcrumbs:
            metadata = {"method": request.method, "endpoint": request.path}
            self._breadcrumb("HTTP request started", "http", "info", metadata)

    @property
    def wants_request_body(self) -> bool:
        """Whether request chunks are of any use."""
        return self._request_tap is not None

    @property
    def ended(self) -> bool:
        """Whether the exchange is complete: what happens now belongs to another event."""
        return self._ended

    @property
    def has_error(self) -> bool:
        """Whether an exception was noted."""
        return self._error is not None

    @contextmanager
    def scope_entered(self) -> Iterator[None]:
        """Make this exchange's scope the current one for the block."""
        before = enter_scope(self.scope)
        try:
            yield
        finally:
            enter_scope(before)

    # -- while it runs --------------------------------------------------------------------------

    def request_chunk(self, chunk: bytes, *, last: bool) -> None:
        """Note a piece of the request's body that the application just read."""
        tap = self._request_tap
        if tap is not None:
            if chunk:
                tap.feed(chunk)
            tap.complete = tap.complete or last

    def response_start(self, status_code: int, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        """Note the head of the answer. A second one (an error after the first) wins."""
        self._status_code = status_code
        self._response_headers = headers
        by_name: dict[str, str] = {}
        for name, value in headers:
            by_name.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
        self._response_by_name = by_name
        self._streamed = by_name.get("content-type", "").lower().startswith("text/event-stream")
        bodiless = self._request.method == "HEAD" or status_code in _BODILESS_STATUSES
        self._response_tap = None
        if self._options.capture_response_body and not bodiless:
            self._response_tap = BodyTap(self._recorder.config.max_payload_bytes, _content_length(by_name))
            if self._streamed and not self._options.capture_streaming_body:
                self._response_tap.discard()

    def response_chunk(self, chunk: bytes | bytearray | memoryview, *, last: bool) -> None:
        """Note a piece of the answer's body that was just sent."""
        tap = self._response_tap
        if tap is None:
            return
        if chunk:
            self._body_chunks += 1
            if (
                self._body_chunks == 2
                and not self._streamed
                and "content-length" not in self._response_by_name
            ):
                self._streamed = True
                if not self._options.capture_streaming_body:
                    tap.discard()
            tap.feed(chunk)
        tap.complete = last

    def fail(self, error: BaseException) -> None:
        """Note the exception that ended the request. Takes it apart now; keeps no reference."""
        self._error = describe_exception(error)
        if isinstance(error, CaptureFailure):
            self._failure = error
        if self._recorder.config.automatic_breadcrumbs:
            metadata = {"errorName": self._error.name, "errorMessage": self._error.message}
            self._breadcrumb("Unhandled exception captured", "exception", "error", metadata)

    def late_exception(self, error: BaseException) -> None:
        """Capture what was raised after the answer was complete, say in a background task.

        An event of its own, of type `custom`, that names this exchange as `parentTraceId`.
        """
        with self.scope_entered():
            self._recorder.exception(error, {"endpoint": self._request.path}, parent_trace_id=self.trace_id)

    # -- at its end -----------------------------------------------------------------------------

    def end(self) -> Exchange | None:
        """Return the finished exchange, or None where `should_capture` declines or it ended before."""
        if self._ended:
            return None
        self._ended = True
        elapsed_ms = (time.perf_counter_ns() - self._started) // 1_000_000
        status_code = self._status_code
        if self._failure is not None and self._failure.status_code is not None:
            status_code = self._failure.status_code
        elif status_code is None and self._error is not None:
            status_code = 500  # what the server in front of us will answer
        status = self._status(status_code)
        if self._error is None and self._recorder.config.automatic_breadcrumbs:
            level: LogLevel = "error" if status == "failed" else "warning" if status == "warning" else "info"
            metadata = {"statusCode": status_code, "executionTimeMs": elapsed_ms}
            self._breadcrumb("HTTP request finished", "http", level, metadata)
        exchange = (
            self._exchange(status, status_code, elapsed_ms)
            if self._is_wanted(status_code, elapsed_ms)
            else None
        )
        self.scope.closed = True
        return exchange

    def _status(self, status_code: int | None) -> EventStatus:
        if self._error is not None or (status_code is not None and status_code >= 500):
            return "failed"
        if status_code is None:
            return "warning" if self.disconnected else "failed"
        return "warning" if status_code >= 400 or self.disconnected else "success"

    def _is_wanted(self, status_code: int | None, elapsed_ms: int) -> bool:
        decide = self._options.should_capture
        if decide is None:
            return True
        info = {
            "method": self._request.method,
            "path": self._request.path,
            "statusCode": status_code,
            "executionTimeMs": elapsed_ms,
        }
        try:
            return bool(decide(info))
        except Exception as error:  # noqa: BLE001 - the user's callable; raising means: capture
            self._recorder.guard.report(error, "replaystack: %s raised", "should_capture")
            return True

    def _exchange(self, status: EventStatus, status_code: int | None, elapsed_ms: int) -> Exchange:
        request, options = self._request, self._options
        networks = options.proxy_networks
        auth_mode, auth_scheme = detect_auth(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers
        )
        scheme, host = resolve_origin(request.scheme, request.host, request.peer, request.by_name, networks)
        response_body, response_payload = self._response_payload()
        return Exchange(
            event_type="api",
            status=status,
            method=request.method,
            endpoint=request.path,
            request_url=f"{scheme}://{host}{request.target}",
            trace_id=self.trace_id,
            auth_mode=auth_mode,
            auth_scheme=auth_scheme,
            status_code=status_code,
            execution_time_ms=elapsed_ms,
            started_at=self._started_at,
            request_headers=RawHeaders(request.headers) if options.capture_headers else None,
            response_headers=RawHeaders(self._response_headers)
            if options.capture_headers and self._status_code is not None
            else None,
            request_body=self._request_body(),
            response_body=response_body,
            response_payload=response_payload,
            error=self._error,
            breadcrumbs=self.scope.breadcrumbs.snapshot(),
            source_ip=resolve_client(request.peer, request.by_name, networks),
            user_agent=request.by_name.get("user-agent"),
            route=self.route,
            user=self.user or self.scope.user or self._recorder.user,
            session=self.scope.session or self._recorder.session,
            bodies=self._bodies(),
        )

    def _request_body(self) -> RawBody | None:
        if self._request_tap is None:
            return None
        by_name = self._request.by_name
        return self._request_tap.body(by_name.get("content-type"), by_name.get("content-encoding"))

    def _response_payload(self) -> tuple[RawBody | None, object]:
        if self._failure is not None and self._failure.response_payload is not None:
            return None, self._recorder.plain(self._failure.response_payload)
        tap = self._response_tap
        if tap is None:
            return None, None
        if self._streamed and not self._options.capture_streaming_body:
            return None, STREAMING_MARKER
        by_name = self._response_by_name
        return tap.body(by_name.get("content-type"), by_name.get("content-encoding")), None

    def _bodies(self) -> dict[str, Any]:
        """Return `metadata.replaystack.bodies`: what of each body was seen, and how it ended."""
        bodies: dict[str, Any] = {}
        tap = self._request_tap
        if tap is not None:
            request = _measure(tap, self._request.by_name)
            if not tap.complete and (tap.declared_bytes or "transfer-encoding" in self._request.by_name):
                request["unread"] = True  # the application did not read it to its end
            if request:
                bodies["request"] = request
        tap = self._response_tap
        if tap is not None:
            response = _measure(tap, self._response_by_name)
            if self._streamed:
                response["streamed"] = True
            if not tap.complete:
                response["incomplete"] = True
            if response:
                bodies["response"] = response
        if self.disconnected:
            bodies["disconnected"] = True
        return bodies

    def _breadcrumb(self, message: str, category: str, level: LogLevel, metadata: dict[str, Any]) -> None:
        crumb = Breadcrumb(message, iso_timestamp(time.time()), category, level, metadata)
        self.scope.breadcrumbs.append(crumb, self._recorder.config.max_breadcrumbs)


def _measure(tap: BodyTap, headers: Mapping[str, str]) -> dict[str, Any]:
    total = max(tap.declared_bytes or 0, tap.seen_bytes)
    if not total:
        return {}
    measured: dict[str, Any] = {"capturedBytes": tap.held_bytes, "totalBytes": total}
    content_type = headers.get("content-type")
    if content_type:
        measured["contentType"] = content_type.partition(";")[0].strip().lower()
    return measured
