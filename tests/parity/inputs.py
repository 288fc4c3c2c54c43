"""One input of the comparison: what is masked, under which policy, place and limits, all from a seed."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from replaystack.sanitize import RECEIVER_POLICY, VALUE_CLASSES, Limits, Policy
from replaystack.sanitize._event import encode_event
from replaystack.sanitize._keys import Place
from replaystack.sanitize._rules import UNBOUNDED

from .odd_events import OddEvents
from .words import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["KINDS", "Input", "Kind", "made", "policies"]

Kind: TypeAlias = Literal["text", "url", "json", "prefix", "value", "event", "batch"]

KINDS: Final[Mapping[Kind, int]] = {
    "text": 30,
    "url": 15,
    "json": 15,
    "prefix": 10,
    "value": 12,
    "event": 15,
    "batch": 3,
}
"""What is compared, and of a hundred inputs how many are of each kind."""

DEFAULT_BYTES: Final = 524_288


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a kind, and all that decides on its output."""

    kind: Kind
    value: Any
    """A text, a document or its beginning, an object, an event, or a list of events."""
    policy: Policy
    place: Place = Place.PAYLOAD
    """Of a value."""
    budget_bytes: int = UNBOUNDED
    """Of a value."""
    max_payload_bytes: int = DEFAULT_BYTES
    """Of events."""


def policies() -> tuple[Policy, ...]:
    """Return new policies: nothing that either implementation learned under others is known of them."""
    own: tuple[dict[str, Any], ...] = (
        {
            "mask_fields": ["plain_name", "value"],
            "unmask_fields": ["token", "pin"],
            "remote_fields": ["note"],
        },
        {"mask_values": False},
        {"mask_values": False, "mask_fields": ["message", "user", "x"], "unmask_fields": ["session"]},
        {"mask_values": list(VALUE_CLASSES)},
        {
            "mask_values": ["email"],
            "mask_fields": ["user", "x y"],
            "unmask_fields": ["password"],
            "remote_fields": ["token"],
        },
        {"mask_values": ["phone", "ip"], "unmask_fields": ["password", "auth", "cookie", "key"]},
        {"mask_values": ["iban"], "remote_fields": ["note", "data", "id"]},
    )
    receivers = tuple(replace(RECEIVER_POLICY, mask_classes=classes) for classes in ((), VALUE_CLASSES))
    return (*(Policy.build(),) * 11, *(Policy.build(**options) for options in own), *receivers)


def made(kind: Kind, seed: str, index: int, known: tuple[Policy, ...]) -> Input:
    """Return the input that these three name, under one of the `known` policies or one of its own."""
    rng = random.Random(f"{seed}/{kind}/{index}")
    maker = OddEvents(rng)
    policy = _own_policy(maker) if maker.happens(0.02) else maker.pick(known)
    if kind == "value":
        budget = maker.pick((*(UNBOUNDED,) * 6, 10, 50, 100, 300, 1000))
        return Input(kind, maker.value(), policy, maker.pick(tuple(Place)), budget)
    if kind in ("event", "batch"):
        size = maker.pick((*(DEFAULT_BYTES,) * 6, 1, 2, 5, 20, 50, 100, 300, 1000, 3000))
        made = maker.batch() if kind == "batch" else _event(maker, policy, size)
        return Input(kind, made, policy, max_payload_bytes=size)
    makers: dict[Kind, Callable[[], str]] = {
        "text": maker.text,
        "url": maker.url,
        "json": maker.document,
        "prefix": maker.prefix,
    }
    return Input(kind, makers[kind](), policy)


def _event(maker: OddEvents, policy: Policy, size: int) -> dict[Any, Any]:
    """Return an event; rarely a large one, or one that was masked before, under this policy or not."""
    event = maker.large_event() if maker.happens(0.01) else maker.event()
    if maker.happens(0.1):
        encoded = encode_event(event, maker.pick((policy, policy, RECEIVER_POLICY)), Limits(size))
        again: dict[Any, Any] = json.loads(encoded)
        return again
    return event


def _own_policy(maker: OddEvents) -> Policy:
    names = [[maker.pick(NAMES) for _ in range(maker.below(4))] for _ in range(3)]
    masked, unmasked, remote = ([name for name in some if any(map(str.isalnum, name))] for some in names)
    return Policy.build(mask_fields=masked, unmask_fields=unmasked, remote_fields=remote)
