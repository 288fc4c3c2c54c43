"""What a recorder does with a log entry: it goes along with an event, and to whoever receives entries.

Loggers make entries, masked and stamped; this module decides where they may go. It knows their
shape only by the protocol `LogItem`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

from ..delivery import NO_STATS, Dropped
from ..sanitize import encode_log_entry
from ..scope import LogBuffer, Loggable, current_scope
from ..wire import RESERVED_METADATA_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..config import Config
    from ..delivery import Delivery, DropReason, Stats
    from ..diagnostics import Guard
    from ..sanitize import Limits, Masked, Policy
    from ..scope import Scope
    from .lifetime import Lifetime

__all__ = ["LogItem", "LogKeeper"]

_SEVERITY = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class LogItem(Loggable, Protocol):
    """One entry: what goes into an event, and what goes to `/v1/logs`."""

    def to_wire(self, config: Config, *, advertised: bool) -> tuple[dict[str, Any], dict[str, Any], int]:
        """Return the envelope, the fields, and how many parts were cut to fit the wire's limits.

        `advertised`: the receiver knows more keys than the Timberlogs seed has.
        """


class PendingLog:
    """One entry in the inbox. It is encoded by the pump, once the receiver is known."""

    __slots__ = ("_is_carried", "_item", "_keeper", "size_bytes")

    event_type = "log"

    def __init__(self, item: LogItem, keeper: LogKeeper, *, is_carried: bool) -> None:
        self._item = item
        self._keeper = keeper
        self._is_carried = is_carried
        self.size_bytes: int = item.size_bytes

    def encode(self) -> Masked | Dropped:
        """Return masked bytes, or why the entry ends here."""
        return self._keeper.encode(self._item, is_carried=self._is_carried)


class LogKeeper:
    """The entries of one client. Every method may be called from any thread."""

    def __init__(
        self, config: Config, lifetime: Lifetime, *, policy: Policy, limits: Limits, guard: Guard
    ) -> None:
        self._config = config
        self._lifetime = lifetime
        self._policy = policy
        self._limits = limits
        self._guard = guard
        self._attaches = config.capture_logs and config.max_logs > 0
        self._threshold = _SEVERITY[config.log_level]
        self.begin_again()

    def begin_again(self) -> None:
        """Start from nothing, in a forked child."""
        self._own = LogBuffer()
        self._shortened = itertools.count()

    def take(self, item: LogItem, severity: int) -> bool:
        """Keep an entry for the event that it belongs to, and queue it for `/v1/logs`. Never blocks.

        False where it was logged from inside of the SDK's own work: it is counted as `reentrant`.
        """
        lifetime = self._lifetime
        delivery = lifetime.enter()
        if lifetime.is_closed or self._guard.is_busy_here:
            reason: DropReason = "closed" if lifetime.is_closed else "reentrant"
            delivery.open_logs().backlog.book_drop(reason, "log")
            return lifetime.is_closed
        is_carried = self._attaches and severity >= self._threshold and self._attach(item)
        pump = delivery.log_pump or delivery.open_logs()
        refusal = delivery.log_refusal
        if refusal is None:
            pump.backlog.put(PendingLog(item, self, is_carried=is_carried))
            if self._config.async_send or self._config.flush_interval_seconds > 0:
                delivery.worker.start()
            return True
        # Nobody to send it to: that is booked at once, without the way through the queue.
        if item.is_pii and not delivery.may_send_pii:
            pump.backlog.book_drop("pii_not_allowed", "log")
        elif is_carried:
            pump.backlog.book_carried()
        else:
            pump.backlog.book_drop(refusal, "log")
        return True

    def _attach(self, item: LogItem) -> bool:
        scope = current_scope()
        if scope is None:
            self._own.append(item, self._config.max_logs)
            return True
        if scope.closed:  # its event is gone
            return False
        scope.logs.append(item, self._config.max_logs)
        return True

    def encode(self, item: LogItem, *, is_carried: bool) -> Masked | Dropped:
        """Return the masked bytes of an entry, or why it is not sent. For the pump."""
        delivery = self._lifetime.delivery
        if item.is_pii and not delivery.may_send_pii:
            return Dropped("pii_not_allowed")
        refusal = delivery.log_refusal
        if refusal is not None:
            return Dropped("carried" if is_carried else refusal)
        # On its way to the disk the receiver may be unknown yet. Who asks before sending meets none but
        # those that advertised it: the entry has its id there, by which a repeat is known.
        advertised = not self._config.logs_without_asking or "logs" in delivery.capabilities
        envelope, fields, shortened = item.to_wire(self._config, advertised=advertised)
        if shortened:
            next(self._shortened)
        return encode_log_entry(envelope, fields, self._policy, self._limits)

    # -- for events -----------------------------------------------------------------------------

    def attached(self, scope: Scope | None) -> tuple[list[dict[str, Any]], int]:
        """Return the entries for one event, in their wire shape, and how many older ones had to go.

        Of the scope, or this client's own, which are forgotten then.
        """
        if scope is None:
            items, omitted = self._own.take()
        else:
            items, omitted = scope.logs.snapshot(), scope.logs.omitted
        return self.render(items), omitted

    def render(self, items: Iterable[Loggable]) -> list[dict[str, Any]]:
        """Return the entries that may leave with an event of this client."""
        if not self._attaches:
            return []
        may_send_pii = self._lifetime.delivery.may_send_pii
        return [item.to_dict() for item in items if may_send_pii or not item.is_pii]

    def without_pii(self, logs: object) -> object:
        """Return what user code gave as an event's logs, less what it marked as PII and may not leave."""
        if type(logs) not in (list, tuple) or self._lifetime.delivery.may_send_pii:
            return logs
        return [entry for entry in logs if not _is_marked_pii(entry)]  # type: ignore[attr-defined]  # one of the two

    # -- the account ----------------------------------------------------------------------------

    def stats(self, delivery: Delivery) -> Stats:
        """Return the account of entries: zeros before the first one."""
        pump = delivery.log_pump
        if pump is None:
            return NO_STATS
        return pump.backlog.stats(errors=pump.errors, skipped={}, shortened=_peek(self._shortened))


def _peek(counter: itertools.count[int]) -> int:
    """Return what a counter gives next, without taking it."""
    return int(repr(counter)[6:-1])


def _is_marked_pii(entry: object) -> bool:
    if type(entry) is not dict:
        return False
    marks = [entry.get("is_pii"), entry.get("isPii")]
    metadata = entry.get("metadata")
    own = metadata.get(RESERVED_METADATA_KEY) if type(metadata) is dict else None
    marks.append(own.get("isPii") if type(own) is dict else None)
    return any(mark is not None and mark is not False for mark in marks)
