"""From what waits to masked bytes, in slices that leave room for the application's threads."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from .pending import Dropped, Parcel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..clock import Clock
    from ..sanitize import Masked
    from .backlog import Backlog, Taken
    from .meter import Meter
    from .pending import BatchedPending, Pending

__all__ = ["SLICE_BYTES", "SLICE_EVENTS", "Encoder"]

SLICE_EVENTS = 32
"""Encoded in one go: a millisecond in the native masker. Python gives way in between."""

SLICE_BYTES = 1024 * 1024
"""The same for large events."""

_TURN_SECONDS = 0.001
"""Then other threads get their turn. Unasked, the interpreter gives it after 5 ms only."""


class Encoder:
    """Encodes events in flight, outside of all locks; drops and counts what cannot be encoded."""

    def __init__(
        self, backlog: Backlog, *, report: Callable[[BaseException, str], None], meter: Meter, clock: Clock
    ) -> None:
        self._backlog = backlog
        self._report = report
        self._meter = meter
        self._clock = clock
        self._gave_way = 0.0

    def encode(self, taken: Sequence[Taken], parcels: list[Parcel]) -> None:
        """Append to `parcels` what was taken, encoded, in order.

        A list that the caller has, so that what is encoded is not lost when this is torn off.
        """
        for piece in _slices(taken):
            waiting = [event for _, _, event in piece if not isinstance(event, Parcel)]
            results = iter(self._encode_slice(waiting) if waiting else ())
            for ordinal, since, event in piece:
                if isinstance(event, Parcel):
                    parcels.append(event)
                    continue
                result = next(results)
                if isinstance(result, Dropped):
                    self._backlog.drop([ordinal], result.reason)
                    continue
                parcel = Parcel(ordinal, result, event.event_type, since)
                self._backlog.encoded(parcel)
                parcels.append(parcel)

    def _encode_slice(self, pendings: list[Pending]) -> list[Masked | Dropped]:
        """Encode a list: the one place where that happens, so that a batch can be handed over whole."""
        started = self._clock.monotonic() if self._meter.is_on else 0.0
        results: list[Masked | Dropped] = []
        for is_batched, group in itertools.groupby(pendings, _is_batched):
            results += self._encode_group(list(group), is_batched=is_batched)
        if self._meter.is_on:
            elapsed_ms = (self._clock.monotonic() - started) * 1000
            self._meter.tell("record_encode", elapsed_ms=elapsed_ms, events=len(pendings))
        return results

    def _encode_group(self, group: list[Any], *, is_batched: bool) -> Sequence[Masked | Dropped]:
        if is_batched:
            first, *others = group
            try:
                together: Sequence[Masked | Dropped] = first.encode_together(others)
            except Exception:  # noqa: BLE001 - one of them is at fault: by itself it is named, the others pass
                pass
            else:
                self._give_way_if_due()
                return together
        results: list[Masked | Dropped] = []
        for pending in group:
            results.append(self._encode_one(pending))
            self._give_way_if_due()
        return results

    def _give_way_if_due(self) -> None:
        now = self._clock.monotonic()
        if now - self._gave_way > _TURN_SECONDS:
            self._clock.give_way()
            self._gave_way = self._clock.monotonic()

    def _encode_one(self, pending: Pending) -> Masked | Dropped:
        try:
            return pending.encode()
        except Exception as error:  # noqa: BLE001 - fail closed: what cannot be masked never leaves
            self._report(error, "encoding an event")
            return Dropped("encode_error")


def _is_batched(pending: Pending | BatchedPending) -> bool:
    return getattr(pending, "is_batched", False)  # as BatchedPending has it


def _slices(taken: Sequence[Taken]) -> Iterator[list[Taken]]:
    """Yield pieces of at most 32 events and about 1 MiB. What is encoded already weighs nothing."""
    piece: list[Taken] = []
    count = size = 0
    for item in taken:
        event = item[2]
        weight = 0 if isinstance(event, Parcel) else event.size_bytes
        if count and (count >= SLICE_EVENTS or size + weight > SLICE_BYTES):
            yield piece
            piece, count, size = [], 0, 0
        piece.append(item)
        count += not isinstance(event, Parcel)
        size += weight
    if piece:
        yield piece
