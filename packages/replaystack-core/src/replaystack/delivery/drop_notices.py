"""Telling what was dropped: a log line now and then, the user's hook, the user's metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..diagnostics import Guard, RateLimitedLogger

if TYPE_CHECKING:
    from collections.abc import Callable

    from .backlog import Backlog
    from .meter import Meter

__all__ = ["DropNotices"]

_log = RateLimitedLogger(__name__)

_OVERFLOWS = ("max_queue_size", "spool_max_bytes")
"""The reasons that mean: a bound was reached. The others are reported where they arise."""


class DropNotices:
    """Passes on what a backlog noted. For any thread that holds no lock of ours."""

    def __init__(
        self,
        backlog: Backlog,
        *,
        guard: Guard,
        meter: Meter,
        on_queue_drop: Callable[[dict[str, Any]], None] | None,
    ) -> None:
        self._backlog = backlog
        self._guard = guard
        self._meter = meter
        self._on_queue_drop = on_queue_drop

    def tell(self) -> None:
        """Say what was dropped since the last call. Costs nothing if that is nothing; never raises."""
        notices = self._backlog.take_drop_notices()
        if not notices:
            return
        with self._guard.busy():
            for (reason, event_type), count in notices.items():
                self._meter.tell("record_event_dropped", reason=reason, event_type=event_type, count=count)
            for reason in _OVERFLOWS:
                types = {kind: count for (why, kind), count in notices.items() if why == reason}
                if types:
                    self._tell_overflow(reason, types)

    def _tell_overflow(self, reason: str, types: dict[str, int]) -> None:
        count = sum(types.values())
        _log.log(
            logging.WARNING,
            "the queue is full (%s): %d events dropped",
            reason,
            count,
            extra={"event_count": count, "reason": reason},
        )
        if self._on_queue_drop is None:
            return
        for event_type, dropped in types.items():
            for _ in range(dropped):
                try:
                    self._on_queue_drop({"reason": reason, "eventType": event_type})
                except Exception as error:  # noqa: BLE001 - the user's hook; sending goes on
                    self._guard.report(error, "replaystack: %s raised", "on_queue_drop")
