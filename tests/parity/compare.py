"""Both implementations on one input, by kind: what is left, how much was counted, what crossed a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import Limits, _event
from replaystack.sanitize._backend import _Native
from replaystack.sanitize._json import NotJsonError, dumps
from replaystack.sanitize._plain import key_text, plain
from replaystack.sanitize._raw_json import mask_json, mask_json_prefix
from replaystack.sanitize._rules import Rules
from replaystack.sanitize._walk import Walker

from .inputs import Input, Kind, made, policies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Comparison", "Outcome", "differing"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out: results, counts and flags, in a form that `==` compares."""

    result: object
    failure: str | None = None
    """Which implementation raised, and what. Neither must, so two failures are never alike."""


class Comparison:
    """Asks both. Raise ImportError where the extension was not built."""

    def __init__(self) -> None:
        import replaystack_native  # here, since it may be missing, and who asks then skips

        self._native = replaystack_native
        self._seam = _Native(replaystack_native)
        self._encoder = replaystack_native.EventEncoder(RawBody, RawHeaders)

    def differs(self, given: Input) -> bool:
        """Return whether the two make different things of an input."""
        return self.python(given) != self.native(given)

    # --- Python ---

    def python(self, given: Input) -> Outcome:
        """Return what Python makes of an input."""
        try:
            return Outcome(_PYTHON[given.kind](given))
        except NotJsonError:
            return Outcome(None)
        except Exception as error:  # noqa: BLE001 - a finding like any other
            return Outcome(None, f"Python raised {type(error).__name__}: {str(error)[:200]}")

    # --- Rust ---

    def native(self, given: Input) -> Outcome:
        """Return what the extension makes of an input. What it refuses at the seam is a failure here."""
        try:
            return Outcome(self._asked(given))
        except Exception as error:  # noqa: BLE001 - a finding like any other
            return Outcome(None, f"the extension raised {type(error).__name__}: {str(error)[:200]}")
        except BaseException as error:
            if type(error).__module__ != "pyo3_runtime":
                raise
            return Outcome(None, f"the extension panicked at {self._native.panic_place()}")

    def _asked(self, given: Input) -> object:
        compiled = self._seam._compiled(given.policy)
        if given.kind == "value":
            return self._native.encode_value(
                compiled, given.value, given.place, given.budget_bytes, plain, key_text
            )
        if given.kind == "event":
            return self._event(given, given.value)
        if given.kind == "batch":
            size, name = given.max_payload_bytes, given.policy.hash
            batch = self._encoder.encode_batch(compiled, name, size, given.value, plain, key_text)
            return batch, [self._event(given, event) for event in given.value]
        functions = {
            "text": self._native.mask_text,
            "url": self._native.mask_url,
            "json": self._native.mask_json,
            "prefix": self._native.mask_json_prefix,
        }
        function = cast("Callable[[Any, str], object]", functions[given.kind])
        return function(compiled, given.value)

    def _event(self, given: Input, event: dict[Any, Any]) -> bytes:
        compiled, size = self._seam._compiled(given.policy), given.max_payload_bytes
        return self._encoder.encode_event(compiled, given.policy.hash, size, event, plain, key_text)


def differing(kind: Kind, seed: str, start: int, count: int) -> tuple[list[int], int]:
    """Return the indexes, from `start` on, of the inputs that differ, and how many inputs were masked at all.

    They share their policies, and so what is remembered under these.
    """
    compare, known = Comparison(), policies()
    found, masked = [], 0
    for index in range(start, start + count):
        given = made(kind, seed, index, known)
        expected = compare.python(given)
        if compare.native(given) != expected:
            found.append(index)
        masked += "[MASKED]" in repr(expected.result)
    return found, masked


def _text(given: Input) -> object:
    rules = Rules(given.policy)
    return rules.text(given.value), rules.masked


def _url(given: Input) -> object:
    rules = Rules(given.policy)
    return rules.url(given.value), rules.masked


def _json(given: Input) -> object:
    walker = Walker(given.policy)
    return mask_json(given.value, walker), walker.masked


def _prefix(given: Input) -> object:
    walker = Walker(given.policy)
    return mask_json_prefix(given.value, walker), walker.masked


def _value(given: Input) -> object:
    walker = Walker(given.policy, given.budget_bytes)
    text = dumps(walker.walk(given.value, given.place))
    return text, walker.masked, walker.full


def _encoded(given: Input, event: dict[Any, Any]) -> bytes:
    return _event.encode_event(event, given.policy, Limits(given.max_payload_bytes))


def _batch(given: Input) -> object:
    events = [_encoded(given, event) for event in given.value]
    return events, events


_PYTHON: Final[Mapping[Kind, Callable[[Input], object]]] = {
    "text": _text,
    "url": _url,
    "json": _json,
    "prefix": _prefix,
    "value": _value,
    "event": lambda given: _encoded(given, given.value),
    "batch": _batch,
}
