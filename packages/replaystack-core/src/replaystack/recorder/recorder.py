"""Where everything that is captured enters: one recorder per client.

It admits or skips, gives an event its identity and its place in the sequence, reads the
scope, and hands the event to the pump. Loggers, jobs and adapters receive a recorder,
never a client.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM_CLOCK, Clock, new_id
from ..delivery import Delivery, Dropped, Stats
from ..exchange import ErrorInfo
from ..sanitize import Limits, Policy, encode_log_entry, mask_value
from ..scope import current_flow_id, current_scope
from ..stacktrace import describe_exception, error_fields
from .admission import Admission
from .breadcrumb_keeping import BreadcrumbKeeper
from .composition import Stamp
from .encoding import EventEncoder
from .fields import plain_text, read_auth, read_fields
from .lifetime import Lifetime
from .log_keeping import LogKeeper
from .pending import EncodedEvent, PendingExchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..config import Config
    from ..delivery import DropReason
    from ..diagnostics import Guard
    from ..event import CaptureResponse
    from ..exchange import Exchange
    from ..scope import Scope
    from .lifetime import FlushTarget
    from .log_keeping import LogItem

__all__ = ["Recorder"]


class Recorder:
    """Captures, flushes and accounts for one client. Every method may be called from any thread."""

    def __init__(
        self,
        config: Config,
        *,
        policy: Policy,
        guard: Guard,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.config = config
        self.guard = guard
        self.policy: Policy = policy
        """What this client masks. For loggers, which mask at the call."""
        limits = Limits(max_payload_bytes=config.max_payload_bytes)
        self._encoder = EventEncoder(config, policy=policy, limits=limits, guard=guard)
        self._clock = clock
        self._admission = Admission(config, clock.chance)
        self.lifetime: Lifetime = Lifetime(
            config,
            lambda: Delivery(config, policy=policy, limits=limits, guard=guard, clock=clock),
            guard=guard,
            clock=clock,
        )
        self.breadcrumbs: BreadcrumbKeeper = BreadcrumbKeeper(config, policy=policy, clock=clock)
        """What is kept for the next event, in scopes and outside of them."""
        self.on_late_capture: Callable[[Recorder], None] | None = None
        """Called where something was captured that no thread and no exit would deliver."""
        self.logs: LogKeeper = LogKeeper(config, self.lifetime, policy=policy, limits=limits, guard=guard)
        """Where loggers hand over their entries."""
        self.on_shutdown: Callable[[Recorder], None] | None = None
        """Called where an application has ended and something is undelivered."""
        self.on_begin: Callable[[], None] | None = None
        """Called in the thread, and on the loop, of each exchange or job as it begins; never raises.

        Process guards set it, to see every event loop once."""
        self.user: str | None = None
        """The user of events outside of any scope."""
        self.session: str | None = None

    # -- capturing ------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether captures lead anywhere: adapters of a disabled or closed client do nothing."""
        return self.config.enabled and not self.lifetime.is_closed

    @property
    def exiting(self) -> bool:
        """Whether the interpreter is on its way out: no thread may be counted on any more."""
        return self.lifetime.exiting

    @exiting.setter
    def exiting(self, value: bool) -> None:
        self.lifetime.exiting = value

    @property
    def is_busy_here(self) -> bool:
        """Whether the calling thread is inside of the SDK's own work: a signal handler asks. Lock-free."""
        return self.lifetime.is_busy_here

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
        self.breadcrumbs.attach(fields, scope)
        own: dict[str, object] = {
            "logsOmitted": self._add_logs(fields, scope),
            "flowId": current_flow_id(),
            "user": self.user if scope is None else scope.user or self.user,
            "session": self.session if scope is None else scope.session or self.session,
            **(own_part or {}),
        }
        delivery = self._enter(fields["eventType"])
        if delivery is None:
            return None
        stamp = Stamp(new_id(), delivery.process, next(delivery.sequence), self._clock.wall())
        encoded = self._encoder.event(fields, stamp, own)
        if isinstance(encoded, Dropped):
            delivery.pump.backlog.book_drop(encoded.reason, fields["eventType"])
            delivery.pump.backlog.inbox.wake()  # the sender tells the hooks
            return None
        return self._hand_over(delivery, EncodedEvent(encoded, fields["eventType"]), through=True)

    def _enter(self, event_type: str) -> Delivery | None:
        """Return what takes a capture; None where it leads nowhere, and is counted as dropped."""
        delivery = self.lifetime.enter()
        if self.lifetime.is_closed:
            reason: DropReason = "closed"
        elif self.guard.is_busy_here:
            # From inside of a hook, of a log line of ours, of a step of the sender: it would feed itself.
            reason = "reentrant"
        else:
            return delivery
        next(delivery.sequence)  # its number stays open, so that the receiver sees a known drop
        delivery.pump.backlog.book_drop(reason, event_type)
        return None

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
        return ErrorInfo(name="", message=plain_text(error, self.policy), stack_trace="", frames=())

    def exchange(self, exchange: Exchange) -> CaptureResponse | None:
        """Capture what an adapter saw. Costs some microseconds; encoding happens in the pump.

        In sync mode it sends in the caller, and may block for (max_retries + 1) x
        timeout_seconds: an ASGI adapter calls it in a worker thread.
        """
        if not self._admission.admits(exchange.endpoint, exchange.status):
            return None
        delivery = self._enter(exchange.event_type)
        if delivery is None:
            return None
        pending = self._pending(delivery, exchange)
        if not self.config.async_send:
            return self._hand_over(delivery, pending)
        self._queue(delivery, pending)
        return None

    def exchange_later(self, exchange: Exchange) -> None:
        """Capture without blocking in sync mode either: it leaves with the next flush, close or tick."""
        if not self._admission.admits(exchange.endpoint, exchange.status):
            return
        delivery = self._enter(exchange.event_type)
        if delivery is not None:
            self._queue(delivery, self._pending(delivery, exchange))

    def _pending(self, delivery: Delivery, exchange: Exchange) -> PendingExchange:
        return PendingExchange(exchange, (delivery.process, next(delivery.sequence)), self._encoder)

    def _hand_over(
        self, delivery: Delivery, pending: EncodedEvent | PendingExchange, *, through: bool = False
    ) -> CaptureResponse | None:
        """Send or queue; `through`: user events, which durability "sync" writes to disk in the call."""
        direct = delivery.direct
        if not self.config.async_send and not direct.is_delivering_here:
            response = direct.deliver(pending)
            if self.config.flush_interval_seconds > 0:
                delivery.worker.start()
            return response
        # Also in sync mode where a signal handler or a destructor interrupts a delivery: the
        # network is in use on this very thread. It leaves with the next flush, close or tick.
        depot = delivery.pump.depot
        if through and depot is not None and self.config.durability == "sync":
            with self.guard.busy():
                written = depot.write_through(pending)
            if written:
                delivery.pump.backlog.inbox.wake()
                self.lifetime.start()
                return None
        self._queue(delivery, pending)
        return None

    def _queue(self, delivery: Delivery, pending: EncodedEvent | PendingExchange) -> None:
        delivery.pump.backlog.put(pending)
        self.lifetime.start()
        if self.lifetime.is_closed or self.lifetime.exiting:
            self._settle_late_capture()

    def _settle_late_capture(self) -> None:
        """Let somebody care for what came while the client closed or the process ends."""
        if self.on_late_capture is not None:
            self.on_late_capture(self)

    def log(self, item: LogItem, severity: int) -> bool:
        """Take a log entry: for its event and for `/v1/logs`. Some microseconds; never blocks.

        False where it came from inside of the SDK's own work; then it should go nowhere else either.
        """
        taken = self.logs.take(item, severity)
        if self.lifetime.exiting and taken:
            self._settle_late_capture()
        return taken

    def create_flow(self, name: str) -> Any:
        """Ask the receiver for a flow; return the document that it answers, or None. Blocks; never raises."""
        if not self.is_open or self.guard.is_busy_here:
            return None
        return self.lifetime.enter().create_flow(
            encode_log_entry({"name": name}, None, self.policy, Limits())
        )

    def raise_own_error(self) -> None:
        """Raise what the calling thread's last capture met, in sync mode with `raise_on_error`."""
        error = self.lifetime.delivery.direct.take_own_error()
        if error is not None and self.config.raise_on_error:
            raise error

    def raise_last_error(self) -> None:
        """Raise the last transport error since the last call, if `raise_on_error` asks for it."""
        if not self.config.raise_on_error:
            return
        error = self.lifetime.delivery.pump.take_last_error()
        if error is not None:
            raise error

    # -- scope ----------------------------------------------------------------------------------

    def _add_logs(self, fields: dict[str, Any], scope: Scope | None) -> int | None:
        """Add the log entries that belong to an event; return how many older ones had to go, or None."""
        if "logs" in fields:
            fields["logs"] = self.logs.without_pii(fields["logs"])
            return None
        entries, omitted = self.logs.attached(scope)
        if entries:
            fields["logs"] = entries
        return omitted or None

    def plain(self, value: object) -> Any:
        """Return `value` as masked plain JSON values: a snapshot that no later change can reach."""
        return mask_value(value, self.policy)

    # -- the life of the process ------------------------------------------------------------------

    def begin_again(self) -> None:
        """Start from nothing in a forked child (see `Lifetime.begin_again`)."""
        self.lifetime.begin_again()
        self.breadcrumbs.begin_again()
        self.logs.begin_again()
        self._admission.reset()

    def request_flush(self) -> FlushTarget:
        """Ask for everything captured so far to go out now; returns what to wait for. Never blocks."""
        return self.lifetime.request_flush()

    def wait_flushed(self, target: FlushTarget, timeout_seconds: float) -> bool:
        """Block until what `request_flush` named is delivered, dropped or on disk, at most so long."""
        return self.lifetime.wait_flushed(target, timeout_seconds)

    def flush(self, timeout_seconds: float | None = None) -> bool:
        """Deliver everything captured before this call. None means 10 s; a plain bound.

        True iff all of it is delivered, dropped or on disk; what is in flight is waited for.
        """
        return self.lifetime.flush(timeout_seconds)

    def close(self, timeout_seconds: float | None = None) -> bool:
        """Take no more captures, flush, end the thread. Twice is fine: it flushes again."""
        return self.lifetime.close(timeout_seconds)

    def flush_at_shutdown(self) -> None:
        """Do what the interpreter's exit would, for a server that ends without one (uvicorn on SIGTERM).

        Blocks for `shutdown_timeout_seconds` at most. The client stays open.
        """
        deadline = self._clock.monotonic() + self.config.shutdown_timeout_seconds
        flushed = self.lifetime.finish(self.request_flush(), deadline)
        if not flushed and self.on_shutdown is not None:
            self.on_shutdown(self)

    @property
    def undelivered_events(self) -> int:
        """How many captured events are neither delivered nor dropped nor on disk."""
        return self.lifetime.delivery.pump.backlog.unsettled

    @property
    def undelivered_logs(self) -> int:
        """The same for log entries."""
        pump = self.lifetime.delivery.log_pump
        return 0 if pump is None else pump.backlog.unsettled

    @property
    def undelivered(self) -> int:
        """Both together."""
        return self.undelivered_events + self.undelivered_logs

    def stats(self) -> Stats:
        """Return both ledgers at this moment: that of events, and in its `logs` that of log entries."""
        delivery = self.lifetime.delivery
        pump = delivery.pump
        events = pump.backlog.stats(errors=pump.errors, skipped=self._admission.skipped)
        return replace(events, logs=self.logs.stats(delivery))


_SNAKE_ERROR_FIELDS = {
    "errorName": "error_name",
    "errorMessage": "error_message",
    "stackTrace": "stack_trace",
    "stackFrames": "stack_frames",
}


def _text(value: object) -> str | None:
    return value if type(value) is str else None
