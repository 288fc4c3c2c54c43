"""From the fields of an event to what the pump sends: composed, masked, asked of `before_send`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..clock import new_id
from ..delivery import Dropped
from ..sanitize import Limits, Masked, Policy, encode_batch, encode_event, native_status
from .composition import Stamp, compose_event, service_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..config import Config
    from ..diagnostics import Guard
    from ..exchange import Exchange

__all__ = ["EventEncoder"]


class EventEncoder:
    """Encodes the events of one client. Any thread; what it keeps never changes."""

    def __init__(self, config: Config, *, policy: Policy, limits: Limits, guard: Guard) -> None:
        self._before_send = config.before_send
        self._policy = policy
        self._limits = limits
        self._guard = guard
        self._service = service_fields(config)

    def event(self, fields: dict[str, Any], stamp: Stamp, own: Mapping[str, object]) -> Masked | Dropped:
        """Encode what user code passed."""
        return self._encode(compose_event(fields, self._service, stamp, own))

    def exchange(self, exchange: Exchange, place: tuple[str, int]) -> Masked | Dropped:
        """Encode what an adapter saw. The id is made here: it is encoded once, whatever the retries."""
        return self._encode(self._composed(exchange, place))

    @property
    def is_batching(self) -> bool:
        """Whether `exchanges` is worth calling: the native masker takes 32 in about a millisecond.

        In Python each would have to give other threads their turn anyway.
        """
        return self._before_send is None and native_status().backend == "native"

    def exchanges(self, waiting: Sequence[tuple[Exchange, tuple[str, int]]]) -> list[Masked]:
        """Encode several in one call, in order. Raises where one cannot be composed."""
        events = [self._composed(exchange, place) for exchange, place in waiting]
        return encode_batch(events, self._policy, self._limits)

    def _composed(self, exchange: Exchange, place: tuple[str, int]) -> dict[str, Any]:
        fields, own = exchange.compose()
        return compose_event(fields, self._service, Stamp(new_id(), *place, exchange.started_at), own)

    def _encode(self, event: Mapping[str, Any]) -> Masked | Dropped:
        """Mask and encode; ask `before_send`; mask again what it returns."""
        masked = encode_event(event, self._policy, self._limits)
        hook = self._before_send
        if hook is None:
            return masked
        try:
            with self._guard.busy():
                changed = hook(json.loads(masked.data))
        except Exception as error:  # noqa: BLE001 - the hook is the user's; its event does not leave unseen
            self._guard.report(error, "replaystack: %s raised", "before_send")
            return Dropped("before_send_error")
        if changed is None:
            return Dropped("before_send")
        if not isinstance(changed, dict):
            problem = TypeError(f"before_send returned {type(changed).__name__}, not a dict or None")
            self._guard.report(problem)
            return Dropped("before_send_error")
        return encode_event(changed, self._policy, self._limits)
