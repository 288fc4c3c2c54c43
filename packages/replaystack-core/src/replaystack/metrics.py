"""What an application's own metrics can be told about delivery."""

from __future__ import annotations

__all__ = ["METRICS_METHODS", "MetricsHook"]


class MetricsHook:
    """Numbers as they arise. Override what you want.

    The option `metrics` takes any object that has some of these methods.

    Called by keyword, in the sender's thread (in sync mode also in the caller's), never while a
    lock of ours is held. What a method raises is reported and changes nothing. What it captures
    is dropped and counted as `reentrant`.
    """

    def record_event_dropped(self, *, reason: str, event_type: str, count: int) -> None:
        """`count` events were lost for `reason` (see `Stats.dropped`); `event_type` may be "unknown"."""

    def record_queue_depth(self, *, depth: int, bytes: int) -> None:
        """So many events, and about so many bytes, are in memory. Told before each attempt."""

    def record_delivery(self, *, elapsed_ms: float, success: bool, events: int, bytes: int) -> None:
        """One attempt ended. `success` means: the receiver took the request."""

    def record_retry(self, *, attempt: int, reason: str) -> None:
        """Hear of an attempt beyond the first; `reason` is the last one's status or the name of its error."""

    def record_encode(self, *, elapsed_ms: float, events: int) -> None:
        """So many events were masked and encoded by the sender."""


METRICS_METHODS: tuple[str, ...] = tuple(name for name in vars(MetricsHook) if name.startswith("record_"))
