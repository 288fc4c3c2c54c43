"""Out: OpenTelemetry, by OTLP over HTTP as JSON (`POST /v1/logs` of a collector).

A few lines of JSON instead of an SDK with its exporters and threads. Entries wait in a bounded
queue; a thread sends them in batches. What cannot be sent is dropped, and counted.
"""

from __future__ import annotations

import atexit
import logging
import os
import random
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ...delivery import HttpTransport
from ...diagnostics import RateLimitedLogger
from ...errors import ConfigError
from ...sanitize import Policy, otlp_document
from ...version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..entry import LogEntry

__all__ = ["OtlpSink", "OtlpStats"]

_log = RateLimitedLogger(__name__)

# Severity numbers and texts of OpenTelemetry's data model for logs.
_SEVERITIES: Final = {
    "debug": (5, "DEBUG"),
    "info": (9, "INFO"),
    "warning": (13, "WARN"),
    "error": (17, "ERROR"),
    "critical": (21, "FATAL"),
}
_RETRYABLE: Final = frozenset({429, 502, 503, 504})
"""The statuses after which OTLP allows to send once more."""
_ATTEMPTS: Final = 4
_FIRST_DELAY_SECONDS: Final = 0.5
_MAX_DELAY_SECONDS: Final = 30.0
_EXIT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class OtlpStats:
    """What became of the entries: taken = delivered + queued + in_flight + rejected + dropped."""

    taken: int
    delivered: int
    queued: int
    in_flight: int
    rejected: int
    """Refused by the collector, the whole batch or part of it."""
    dropped: int
    """Given up: the queue was full, or every attempt failed."""


class OtlpSink:
    """Sends entries to a collector. `emit` only appends; any thread.

    Args:
        endpoint: the collector's base address; `/v1/logs` is added unless the path ends so.
        headers: sent along with each request, such as an authorization.
        resource: attributes of the resource, beside `service.name`.
        service_name: who speaks.
        accepts_pii: whether the collector may have entries that are marked as personal data.
        max_queue: entries that wait at most; the oldest give way.
        batch: entries of one request at most.
        interval_seconds: how long an entry waits for others at most.
        timeout_seconds: of one attempt; there are four, after 0.5, 1 and 2 s or what `Retry-After` says.

    Raises:
        ConfigError: `endpoint` is no http or https address.

    """

    def __init__(
        self,
        endpoint: str = "http://127.0.0.1:4318",
        *,
        headers: Mapping[str, str] | None = None,
        resource: Mapping[str, str] | None = None,
        service_name: str = "unknown_service",
        accepts_pii: bool = False,
        max_queue: int = 2048,
        batch: int = 512,
        interval_seconds: float = 1.0,
        timeout_seconds: float = 10.0,
    ) -> None:
        address = urlsplit(endpoint)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ConfigError("endpoint must be an http or https address of a collector")
        path = endpoint.rstrip("/")
        self.accepts_pii: bool = accepts_pii
        self.url: str = path if path.endswith("/v1/logs") else f"{path}/v1/logs"
        self._headers = {**(headers or {}), "Content-Type": "application/json"}
        self._resource = {"service.name": service_name, **(resource or {})}
        self._policy = Policy.build()
        self._max_queue = max(1, max_queue)
        self._batch = max(1, batch)
        self._interval_seconds = interval_seconds
        self._timeout_seconds = timeout_seconds
        self._begin()
        _known.add(self)
        _watch()

    def _begin(self) -> None:
        # Guards the queue, the counters and the thread's being there. Re-entrant: a signal handler may log.
        self._changed = threading.Condition(threading.RLock())
        self._queue: deque[LogEntry] = deque()
        self._thread: threading.Thread | None = None
        self._transport = HttpTransport()
        self._taken = self._delivered = self._in_flight = self._rejected = self._dropped = 0
        self._is_hurried = False
        self._is_closed = False

    def emit(self, entry: LogEntry) -> None:
        """Queue one entry. What the sender's own thread logs is left out: it would feed itself."""
        with self._changed:
            if threading.current_thread() is self._thread:
                return
            self._taken += 1
            if self._is_closed:
                self._dropped += 1
                return
            self._queue.append(entry)
            if len(self._queue) > self._max_queue:
                self._queue.popleft()
                self._dropped += 1
            if len(self._queue) >= self._batch:
                self._changed.notify_all()
            if self._thread is None:
                self._start()

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Send what is queued; True once all of it is delivered, rejected or dropped."""
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not self._queue and not self._in_flight, timeout_seconds)

    def close(self, timeout_seconds: float = 2.0) -> bool:
        """Flush and end the thread; later entries are counted as dropped."""
        done = self.flush(timeout_seconds)
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        return done

    def stats(self) -> OtlpStats:
        """Return the account at this moment."""
        with self._changed:
            return OtlpStats(
                taken=self._taken,
                delivered=self._delivered,
                queued=len(self._queue),
                in_flight=self._in_flight,
                rejected=self._rejected,
                dropped=self._dropped,
            )

    def begin_again(self) -> None:
        """Start empty in a forked child: what is queued is the parent's to send."""
        self._begin()

    # -- the sender's thread ------------------------------------------------------------------------

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="replaystack-otlp", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is on its way out
            return
        self._thread = thread

    def _work(self) -> None:
        while batch := self._next():
            accepted, rejected = 0, 0
            try:
                accepted, rejected = self._send(batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next batch is tried
                _log.log(logging.WARNING, "replaystack: OTLP %s failed", type(error).__name__, exc_info=error)
            with self._changed:
                self._delivered += accepted
                self._rejected += rejected
                self._dropped += len(batch) - accepted - rejected
                self._in_flight = 0
                self._changed.notify_all()

    def _next(self) -> list[LogEntry]:
        """Wait for a batch; nothing means: the end."""
        with self._changed:
            while not self._queue:
                if self._is_closed:
                    return []
                self._is_hurried = False
                self._changed.wait()
            self._changed.wait_for(
                lambda: len(self._queue) >= self._batch or self._is_hurried or self._is_closed,
                self._interval_seconds,
            )
            batch = [self._queue.popleft() for _ in range(min(self._batch, len(self._queue)))]
            self._in_flight = len(batch)
            return batch

    def _send(self, batch: list[LogEntry]) -> tuple[int, int]:
        """Send one batch; return how many were accepted, and how many refused. Blocks."""
        document = otlp_document(
            [_shaped(entry) for entry in batch], self._resource, __version__, self._policy
        )
        delay = _FIRST_DELAY_SECONDS
        for attempt in range(_ATTEMPTS):
            wait = delay * (0.5 + random.random() / 2)  # noqa: S311 - jitter
            try:
                answer = self._transport.post(self.url, document, self._headers, self._timeout_seconds)
            except OSError as error:
                why = type(error).__name__
            else:
                if 200 <= answer.status < 300:
                    refused = min(len(batch), _refused(answer.json()))
                    return len(batch) - refused, refused
                why = f"HTTP {answer.status}"
                if answer.status not in _RETRYABLE:
                    _log.log(logging.WARNING, "replaystack: the OTLP collector refused entries: %s", why)
                    return 0, len(batch)
                wait = _retry_after(answer.headers) or wait
            if attempt == _ATTEMPTS - 1 or not self._pause(min(wait, _MAX_DELAY_SECONDS)):
                _log.log(logging.WARNING, "replaystack: the OTLP collector cannot be reached: %s", why)
                break
            delay *= 2
        return 0, 0

    def _pause(self, seconds: float) -> bool:
        """Wait before the next attempt; False once closed."""
        with self._changed:
            return not self._changed.wait_for(lambda: self._is_closed, seconds)


def _shaped(entry: LogEntry) -> dict[str, Any]:
    """Return an entry as `otlp_document` takes it; names of attributes as OpenTelemetry has them."""
    number, text = _SEVERITIES[entry.level]
    known = {
        "exception.type": entry.error_name,
        "exception.stacktrace": entry.error_stack,
        "user.id": entry.user_id,
        "session.id": entry.session_id,
        "request_id": entry.request_id,
        "correlation_id": entry.correlation_id,
        "flow_id": entry.flow_id,
        "step_index": entry.step_index,
        "log.record.uid": entry.id,
        "tags": list(entry.tags) or None,
        "is_pii": True if entry.is_pii else None,
    }
    return {
        "scope": entry.logger,
        "timeUnixNano": int(entry.timestamp * 1_000_000) * 1000,  # a float knows microseconds, no more
        "severityNumber": number,
        "severityText": text,
        "body": entry.message,
        "attributes": {**{key: value for key, value in known.items() if value is not None}, **entry.fields},
        "traceId": entry.request_id,
    }


def _refused(document: Any) -> int:
    """Read `partialSuccess.rejectedLogRecords`, which is a number or, as 64-bit ones are, a text."""
    partial = document.get("partialSuccess") if type(document) is dict else None
    count = partial.get("rejectedLogRecords", 0) if type(partial) is dict else 0
    try:
        return max(0, int(count))
    except (TypeError, ValueError):
        return 0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


_known: weakref.WeakSet[OtlpSink] = weakref.WeakSet()
_is_watched = False


def _watch() -> None:
    global _is_watched  # noqa: PLW0603 - one handler per process
    if not _is_watched:
        _is_watched = True
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_in_child)


def _at_exit() -> None:
    """Send what is queued, all sinks together within two seconds."""
    deadline = time.monotonic() + _EXIT_SECONDS
    for sink in list(_known):
        sink.close(max(0.0, deadline - time.monotonic()))


def _in_child() -> None:
    for sink in list(_known):
        sink.begin_again()
