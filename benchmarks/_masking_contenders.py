"""The two sides of each ratio: what masks, and the floors that do nothing but decode, encode or search.

A backend is one implementation of masking; a new one is one more entry of `BACKENDS`. Each contender is a
loop of its own, for a call of a function of ours per item would cost as much as `bytes.find`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson

from replaystack.sanitize import Limits, Policy, _backend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "BACKENDS",
    "LIMITS",
    "POLICY",
    "Backend",
    "Passes",
    "each",
    "encode",
    "find_absent",
    "json_dumps",
    "mask",
    "reload",
]

_Item = TypeVar("_Item")

POLICY: Final = Policy.build()
LIMITS: Final = Limits()

json_dumps: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""The floor that needs no extension, written as masking writes."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One implementation of masking."""

    name: str
    encode: Callable[[Mapping[str, object], Policy, Limits], Any]
    """As `encode_event`: mask, limit, encode; `.data` of the result is the event's bytes."""
    mask_text: Callable[[str, Policy], str]


@dataclass(frozen=True, slots=True)
class _Encoded:
    data: bytes


def _backends() -> dict[str, Backend]:
    """Return what can be had here; the native one is left out, with a line, where it was not built."""
    before, found = _backend._active, {}  # noqa: SLF001 - the seam's, to be asked one by one
    for name in ("python", "native"):
        try:
            _backend.use(name)
        except ImportError as problem:
            print(f"no {name} backend: {problem}", flush=True)
            continue
        found[name] = _timed(name, _backend._active)  # noqa: SLF001 - same
    _backend._active = before  # noqa: SLF001 - same
    return found


def _timed(name: str, implementation: Any) -> Backend:
    def encode(event: Mapping[str, object], policy: Policy, limits: Limits) -> _Encoded:
        return _Encoded(implementation.events((event,), policy, limits)[0])

    return Backend(name, encode, implementation.text)


BACKENDS: Final = _backends()

Passes = dict[str, "Callable[[int], object]"]
"""By contender: one pass over the part of the corpus whose turn it is in the round of that number."""


def _split(items: Sequence[_Item], parts: int) -> list[Sequence[_Item]]:
    return [items[at::parts] for at in range(parts)]


def each(function: Callable[[Any], object], items: Sequence[Any], parts: int = 1) -> Callable[[int], None]:
    """Call `function` with each item."""
    turns = _split(items, parts)

    def run(number: int) -> None:
        for item in turns[number % parts]:
            function(item)

    return run


def reload(items: Sequence[bytes], parts: int = 1) -> Callable[[int], None]:
    """Decode and encode each body, as the least that any masking of values must do."""
    turns = _split(items, parts)
    loads, dumps = orjson.loads, orjson.dumps

    def run(number: int) -> None:
        for item in turns[number % parts]:
            dumps(loads(item))

    return run


def find_absent(items: Sequence[bytes]) -> Callable[[int], None]:
    """Search each text for a byte that is not in it: the least that looking at every byte costs."""

    def run(_number: int) -> None:
        for item in items:
            item.find(b"\x00")

    return run


def encode(backend: Backend, events: Sequence[Mapping[str, object]], parts: int = 1) -> Callable[[int], None]:
    """Mask, limit and encode each event."""
    turns = _split(events, parts)
    function, policy, limits = backend.encode, POLICY, LIMITS

    def run(number: int) -> None:
        for event in turns[number % parts]:
            function(event, policy, limits)

    return run


def mask(backend: Backend, texts: Sequence[str]) -> Callable[[int], None]:
    """Mask each text."""
    function, policy = backend.mask_text, POLICY

    def run(_number: int) -> None:
        for text in texts:
            function(text, policy)

    return run
