"""Where everything that is captured enters: one recorder per client.

It admits or skips, gives an event its identity and its place in the sequence, reads the
scope, and hands the event to the pump. Loggers, jobs and adapters receive a recorder,
never a client.
"""

from __future__ import annotations

import itertools
import json
import threading
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM_CLOCK, Clock, new_id
from ..delivery import Dropped, Pump, Stats, Worker
from ..event import LOG_LEVELS, Breadcrumb, CaptureResponse
from ..exchange import ErrorInfo
from ..sanitize import Limits, Masked, Policy, encode_event, mask_value
from ..scope import BreadcrumbBuffer, current_scope
from ..stacktrace import describe_exception, error_fields
from .admission import Admission
from .composition import Stamp, compose_event, service_fields
from .fields import read_auth, read_fields
from .pending import EncodedEvent, PendingExchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..config import Config
    from ..diagnostics import Guard
    from ..event import LogLevel
    from ..exchange import Exchange
    from ..scope import Scope

__all__ = ["Recorder"]

DEFAULT_FLUSH_SECONDS = 10.0
MAX_BREADCRUMB_CHARS = 8192
"""A breadcrumb is a hint; as long as an error message may be (MASKING.md section 4)."""
_LEVELS: dict[str, LogLevel] = {
    **{level: level for level in LOG_LEVELS},
    "warn": "warning",
    "critical": "error",
    "fatal": "error",
}


class Recorder:
    """Captures, flushes and accounts for one client. Every method may be called from any thread."""

    def __init__(
        self,
        config: Config,
        *,
        pump: Pump,
        worker: Worker,
        policy: Policy,
        guard: Guard,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.config = config
        self.guard = guard
        self._pump = pump
        self._worker = worker
        self._policy = policy
        self._limits = Limits(max_payload_bytes=config.max_payload_bytes)
        self._clock = clock
        self._admission = Admission(config, clock.chance)
        self._service = service_fields(config)
        self._process = new_id()
        # next() on it is one step of the interpreter: gap-free from any number of threads.
        self._sequence = itertools.count()
        self._breadcrumbs = BreadcrumbBuffer()
        self._closed = False
        self._own_error = threading.local()  # sync mode: what this thread's last capture came to
        self.exiting: bool = False
        """Set once the interpreter is on its way out: no thread may be counted on any more."""
        self.on_late_capture: Callable[[Recorder], None] | None = None
        """Called where something was captured that no thread and no exit would deliver."""
        self.user: str | None = None
        """The user of events outside of any scope."""
        self.session: str | None = None

    # -- capturing ------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether captures lead anywhere: adapters of a disabled or closed client do nothing."""
        return self.config.enabled and not self._closed

    def event(
        self, arguments: Mapping[str, Any], own_part: Mapping[str, object] | None = None
    ) -> CaptureResponse | None:
        """Capture what user code passes to `capture_event`; encoded before this returns.

        `own_part` joins `metadata.replaystack` (causes, parentTraceId). In sync mode it also
        sends, and may block for (max_retries + 1) x timeout_seconds.
        """
        fields = read_fields(arguments, self.plain)
        read_auth(fields)
        if not self._admission.admits(_text(fields.get("endpoint")), fields["status"]):
            return None
        scope = current_scope()
        self._add_breadcrumbs(fields, scope)
        own: dict[str, object] = {
            "user": self.user if scope is None else scope.user or self.user,
            "session": self.session if scope is None else scope.session or self.session,
            **(own_part or {}),
        }
        if not self._may_capture():
            return None
        stamp = self._stamp(self._clock.wall())
        encoded = self._encode(compose_event(fields, self._service, stamp, own))
        if isinstance(encoded, Dropped):
            self._pump.backlog.book_drop(encoded.reason)
            return None
        return self._hand_over(EncodedEvent(encoded, fields["eventType"]))

    def _may_capture(self) -> bool:
        """Tell whether a capture leads anywhere; count it as dropped if not."""
        if self._closed:
            self._pump.backlog.book_drop("closed")
            return False
        if self.guard.is_busy_here:
            # From inside of a hook, of a log line of ours, of a step of the sender: it would feed itself.
            self._pump.backlog.book_drop("reentrant")
            return False
        return True

    def exception(
        self, error: BaseException, arguments: Mapping[str, Any], *, parent_trace_id: str | None = None
    ) -> CaptureResponse | None:
        """Capture `error` as a failed event; what `arguments` give wins over the exception's own."""
        info = describe_exception(error) if isinstance(error, BaseException) else self._describe_other(error)
        merged: dict[str, Any] = dict(arguments)
        given = {name for name, value in merged.items() if value is not None}
        for name, value in error_fields(info).items():
            if not value:
                continue
            snake = _SNAKE_ERROR_FIELDS[name]
            if snake not in given and name not in given:
                merged[snake] = value
        merged["status"] = "failed"
        if "status_code" not in given and "statusCode" not in given:
            merged["status_code"] = 500
        own = {"causes": [dict(cause) for cause in info.causes], "parentTraceId": parent_trace_id}
        return self.event(merged, own)

    def _describe_other(self, error: object) -> ErrorInfo:
        """Describe what user code passes instead of an exception, as the original did: as a message."""
        return ErrorInfo(name="", message=self._plain_text(error), stack_trace="", frames=())

    def exchange(self, exchange: Exchange) -> CaptureResponse | None:
        """Capture what an adapter saw. Costs some microseconds; encoding happens in the pump.

        In sync mode it sends in the caller, and may block for (max_retries + 1) x
        timeout_seconds: an ASGI adapter calls it in a worker thread.
        """
        pending = self._pending_exchange(exchange)
        return None if pending is None else self._hand_over(pending)

    def exchange_later(self, exchange: Exchange) -> None:
        """Capture without blocking in sync mode either: it leaves with the next flush, close or tick."""
        pending = self._pending_exchange(exchange)
        if pending is not None:
            self._pump.backlog.put(pending)
            if self.config.async_send:
                self._worker.start()
            if self._closed:
                self._settle_late_capture()

    def _pending_exchange(self, exchange: Exchange) -> PendingExchange | None:
        if not self._admission.admits(exchange.endpoint, exchange.status):
            return None
        if not self._may_capture():
            return None
        return PendingExchange(exchange, next(self._sequence), self._encode_exchange)

    def _encode_exchange(self, exchange: Exchange, sequence: int) -> Masked | Dropped:
        """Compose and encode, in the pump. The id is made here: it is encoded once, whatever the retries."""
        fields, own = exchange.compose()
        stamp = Stamp(new_id(), self._process, sequence, exchange.started_at)
        return self._encode(compose_event(fields, self._service, stamp, own))

    def _stamp(self, timestamp: float) -> Stamp:
        return Stamp(new_id(), self._process, next(self._sequence), timestamp)

    def _encode(self, event: Mapping[str, Any]) -> Masked | Dropped:
        """Mask and encode; ask `before_send`; mask again what it returns."""
        masked = encode_event(event, self._policy, self._limits)
        hook = self.config.before_send
        if hook is None:
            return masked
        try:
            with self.guard.busy():
                changed = hook(json.loads(masked.data))
        except Exception as error:  # noqa: BLE001 - the hook is the user's; its event does not leave unseen
            self.guard.report(error, "replaystack: %s raised", "before_send")
            return Dropped("before_send_error")
        if changed is None:
            return Dropped("before_send")
        if not isinstance(changed, dict):
            self.guard.report(TypeError(f"before_send returned {type(changed).__name__}, not a dict or None"))
            return Dropped("before_send_error")
        return encode_event(changed, self._policy, self._limits)

    def _hand_over(self, pending: EncodedEvent | PendingExchange) -> CaptureResponse | None:
        pump = self._pump
        if not self.config.async_send and not pump.is_delivering_here:
            response, self._own_error.value = pump.deliver(pending)
            if self.config.flush_interval_seconds > 0:
                self._worker.start()
            return response
        # Also in sync mode where a signal handler or a destructor interrupts a delivery: the
        # network is in use on this very thread. It leaves with the next flush, close or tick.
        pump.backlog.put(pending)
        if self.config.async_send:
            self._worker.start()
        if self._closed or self.exiting:
            self._settle_late_capture()
        return None

    def _settle_late_capture(self) -> None:
        """Let somebody care for an event that came while the client closed or the process ends."""
        if self.on_late_capture is not None:
            self.on_late_capture(self)

    def raise_own_error(self) -> None:
        """Raise what the calling thread's last capture met, in sync mode with `raise_on_error`."""
        error = getattr(self._own_error, "value", None)
        self._own_error.value = None
        if error is not None and self.config.raise_on_error:
            raise error

    def raise_last_error(self) -> None:
        """Raise the last transport error since the last call, if `raise_on_error` asks for it."""
        if not self.config.raise_on_error:
            return
        error = self._pump.take_last_error()
        if error is not None:
            raise error

    # -- scope ----------------------------------------------------------------------------------

    def _add_breadcrumbs(self, fields: dict[str, Any], scope: Scope | None) -> None:
        if "breadcrumbs" in fields:
            return
        kept = self._breadcrumbs.take() if scope is None else scope.breadcrumbs.snapshot()
        if kept:
            fields["breadcrumbs"] = [breadcrumb.to_dict() for breadcrumb in kept]

    def add_breadcrumb(self, message: object, *, category: object, level: object, metadata: object) -> None:
        """Keep one breadcrumb in the current scope, else in this client's own buffer."""
        breadcrumb = self.breadcrumb(message, category=category, level=level, metadata=metadata)
        if breadcrumb is None:
            return
        scope = current_scope()
        buffer = self._breadcrumbs if scope is None else scope.breadcrumbs
        buffer.append(breadcrumb, self.config.max_breadcrumbs)

    def breadcrumb(
        self, message: object, *, category: object = None, level: object = "info", metadata: object = None
    ) -> Breadcrumb | None:
        """Return a breadcrumb that no later change of its arguments can reach; None without message."""
        text = self._plain_text(message)
        if not text:
            return None
        if len(text) > MAX_BREADCRUMB_CHARS:
            text = text[:MAX_BREADCRUMB_CHARS] + "…"
        kept = _snapshot(metadata, self._policy)
        known = _LEVELS.get(level) if type(level) is str else None
        if known is None:
            kept = {**(kept or {}), "level": self._plain_text(level)}
        return Breadcrumb(
            message=text,
            timestamp=self._clock.wall(),
            category=self._plain_text(category) if category is not None else None,
            level=known or "info",
            metadata=kept,
        )

    def plain(self, value: object) -> Any:
        """Return `value` as masked plain JSON values: a snapshot that no later change can reach."""
        return mask_value(value, self._policy)

    def _plain_text(self, value: object) -> str:
        """Return a string as it is; of anything else, its masked form as text, calling no user code."""
        if type(value) is str:
            return value
        plain = mask_value(value, self._policy)
        return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)

    def breadcrumbs(self) -> list[dict[str, Any]]:
        """Return the breadcrumbs that the next event would carry."""
        scope = current_scope()
        buffer = self._breadcrumbs if scope is None else scope.breadcrumbs
        return [breadcrumb.to_dict() for breadcrumb in buffer.snapshot()]

    def clear_breadcrumbs(self) -> None:
        """Forget the breadcrumbs of the current scope, else this client's own."""
        scope = current_scope()
        (self._breadcrumbs if scope is None else scope.breadcrumbs).clear()

    # -- ending ---------------------------------------------------------------------------------

    def request_flush(self) -> int:
        """Ask for everything captured so far to go out now; returns what to wait for. Never blocks."""
        return self._pump.hurry()

    def wait_flushed(self, target: int, timeout_seconds: float) -> bool:
        """Block until what `request_flush` named is delivered or dropped, at most `timeout_seconds`."""
        if self._worker.is_current or self.guard.is_busy_here:
            # From a hook, or from a signal handler that interrupts a step: this thread cannot wait
            # for itself.
            return self._pump.backlog.is_settled(target)
        if self._worker.is_running and self.config.async_send:
            return self._pump.backlog.wait_settled(target, timeout_seconds)
        return self._pump.drive(target, self._clock.monotonic() + timeout_seconds)

    def flush(self, timeout_seconds: float | None = None) -> bool:
        """Deliver everything captured before this call. None means 10 s; a plain bound.

        True iff all of it is delivered or dropped; what is in flight is waited for.
        """
        return self.wait_flushed(self.request_flush(), _bound(timeout_seconds))

    def close(self, timeout_seconds: float | None = None) -> bool:
        """Take no more captures, flush, end the thread. Twice is fine: it flushes again."""
        self._closed = True
        seconds = _bound(timeout_seconds)
        deadline = self._clock.monotonic() + seconds
        flushed = self.flush(seconds)
        self._worker.stop(deadline - self._clock.monotonic())
        if flushed:
            self._pump.close()
        return flushed

    @property
    def undelivered(self) -> int:
        """How many captured events are neither delivered nor dropped."""
        return self._pump.backlog.unsettled

    def stats(self) -> Stats:
        """Return the ledger at this moment."""
        return self._pump.backlog.stats(errors=self._pump.errors, skipped=self._admission.skipped)


_SNAKE_ERROR_FIELDS = {
    "errorName": "error_name",
    "errorMessage": "error_message",
    "stackTrace": "stack_trace",
    "stackFrames": "stack_frames",
}
_SCALARS = frozenset({str, int, float, bool, type(None)})


def _bound(timeout_seconds: float | None) -> float:
    """Return a flush's bound in seconds, one that the platform's locks can take."""
    if timeout_seconds is None:
        return DEFAULT_FLUSH_SECONDS
    return min(max(0.0, timeout_seconds), threading.TIMEOUT_MAX / 2)


def _text(value: object) -> str | None:
    return value if type(value) is str else None


def _snapshot(metadata: object, policy: Policy) -> dict[str, Any] | None:
    """Return metadata that later changes cannot reach: a flat dict is copied, others are encoded."""
    if metadata is None:
        return None
    if type(metadata) is dict:
        flat = metadata.copy()
        if all(type(key) is str and type(value) in _SCALARS for key, value in flat.items()):
            return flat
    plain = mask_value(metadata, policy)
    return plain if isinstance(plain, dict) else {"value": plain}
