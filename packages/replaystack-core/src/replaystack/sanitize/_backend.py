"""The seam: which implementation masks, Rust (`replaystack_native`) or Python. Nobody else imports the Rust.

Decided once for a process, by the first client or the first text that is masked:
`REPLAYSTACK_BACKEND=auto|python|native`. Both make the same bytes (`tests/parity`), so a choice is about
speed alone. What the Rust does not take (a body that is no `bytes`), Python does, event by event; after a
panic it is not asked again in this process.

Nothing here holds a lock: two threads that decide at once decide alike, and a fork finds nothing held.
"""

from __future__ import annotations

import logging
import os
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar, cast

from ..exchange import RawBody, RawHeaders
from . import _event
from ._json import NotJsonError, loads
from ._keys import Place
from ._limits import Limits
from ._marks import MASKED, dropped, truncated
from ._masked import Masked, seal
from ._plain import key_text, plain
from ._raw_json import mask_json as mask_document
from ._rules import Rules
from ._walk import Walker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

    from ._policy import Policy

__all__ = [
    "CONTRACT",
    "NativeStatus",
    "current",
    "encode_batch",
    "encode_event",
    "mask_json",
    "mask_text",
    "mask_url",
    "mask_value",
    "native_status",
    "require_backend",
    "use",
]

CONTRACT: Final = 2
"""What this seam and the extension agree on: names, arguments, and the rules themselves."""

_VARIABLE: Final = "REPLAYSTACK_BACKEND"
_VALUE_BYTES: Final = 4 * 524_288
"""How far `mask_value` looks: as far as a payload over its limit is. What goes on may have no end."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class NativeStatus:
    """Which implementation masks in this process, and why."""

    backend: Literal["native", "python"]
    version: str | None
    """Of `replaystack-native`, where it could be imported."""
    reason: str | None
    """Why Python masks; None where the native one does."""


class _Backend(Protocol):
    """What an implementation does. Its errors are for the seam, which fails closed."""

    status: NativeStatus

    def events(self, events: Sequence[Mapping[str, object]], policy: Policy, limits: Limits) -> list[bytes]:
        """Return each event as masked bytes, in order."""

    def text(self, text: str, policy: Policy) -> str:
        """Return a text under the value rules."""

    def url(self, url: str, policy: Policy) -> str:
        """Return a URL without secrets."""

    def json(self, text: str, policy: Policy) -> str | None:
        """Return one JSON document, masked by spans; None if it is none."""

    def value(
        self, value: object, policy: Policy, budget_bytes: int, place: Place = Place.PAYLOAD
    ) -> tuple[Any, bool]:
        """Return plain JSON values, masked, and whether the bound was crossed."""


class _Python:
    def __init__(self, version: str | None, reason: str) -> None:
        self.status = NativeStatus("python", version, reason)

    def events(self, events: Sequence[Mapping[str, object]], policy: Policy, limits: Limits) -> list[bytes]:
        return [_event.encode_event(event, policy, limits) for event in events]

    def text(self, text: str, policy: Policy) -> str:
        return Rules(policy).text(text)

    def url(self, url: str, policy: Policy) -> str:
        return Rules(policy).url(url)

    def json(self, text: str, policy: Policy) -> str | None:
        try:
            return mask_document(text, Rules(policy))
        except NotJsonError:
            return None

    def value(
        self, value: object, policy: Policy, budget_bytes: int, place: Place = Place.PAYLOAD
    ) -> tuple[Any, bool]:
        walker = Walker(policy, budget_bytes)
        masked = walker.walk(value, place)
        return masked, walker.full


class _Native:
    """Asks the extension; what it refuses, and all after a panic, goes to Python."""

    def __init__(self, module: ModuleType) -> None:
        self.status = NativeStatus("native", module.__version__, None)
        self._module = module
        self._encoder = module.EventEncoder(RawBody, RawHeaders)
        self._python = _Python(self.status.version, "")

    def _ask(self, ask: Callable[[], _T], instead: Callable[[], _T]) -> _T:
        try:
            return ask()
        except Exception:  # noqa: BLE001 - it does not take this: Python does, and fails closed part by part
            return instead()
        except BaseException as error:  # noqa: BLE001 - a panic is one
            _stop_native_after_panic(error, self)
            return instead()

    def events(self, events: Sequence[Mapping[str, object]], policy: Policy, limits: Limits) -> list[bytes]:
        dicts = [event if type(event) is dict else dict(event.items()) for event in events]
        encoder, size, compiled = self._encoder, limits.max_payload_bytes, self._compiled(policy)
        if len(dicts) == 1:
            return self._ask(
                lambda: [encoder.encode_event(compiled, policy.hash, size, dicts[0], plain, key_text)],
                lambda: self._python.events(dicts, policy, limits),
            )
        return self._ask(
            lambda: encoder.encode_batch(compiled, policy.hash, size, dicts, plain, key_text),
            lambda: [data for event in dicts for data in self.events([event], policy, limits)],
        )

    def text(self, text: str, policy: Policy) -> str:
        return self._ask(
            lambda: str(self._module.mask_text(self._compiled(policy), text)[0]),
            lambda: self._python.text(text, policy),
        )

    def url(self, url: str, policy: Policy) -> str:
        return self._ask(
            lambda: str(self._module.mask_url(self._compiled(policy), url)[0]),
            lambda: self._python.url(url, policy),
        )

    def json(self, text: str, policy: Policy) -> str | None:
        return self._ask(
            lambda: self._document(text, policy),
            lambda: self._python.json(text, policy),
        )

    def _document(self, text: str, policy: Policy) -> str | None:
        found = self._module.mask_json(self._compiled(policy), text)
        return None if found is None else str(found[0])

    def value(
        self, value: object, policy: Policy, budget_bytes: int, place: Place = Place.PAYLOAD
    ) -> tuple[Any, bool]:
        return self._ask(
            lambda: self._tree(value, policy, budget_bytes, place),
            lambda: self._python.value(value, policy, budget_bytes, place),
        )

    def _tree(self, value: object, policy: Policy, budget_bytes: int, place: Place) -> tuple[Any, bool]:
        text, _, is_full = self._module.encode_value(
            self._compiled(policy), value, place, budget_bytes, plain, key_text
        )
        return loads(text), is_full

    def _compiled(self, policy: Policy) -> Any:
        return policy.compiled if policy.compiled is not None else self._compile(policy)

    def _compile(self, policy: Policy) -> Any:
        compiled = self._module.CompiledPolicy(
            policy.mask_fields,
            policy.unmask_fields,
            policy.remote_fields,
            policy.mask_values,
            list(policy.mask_classes),
            policy.contains_only,
        )
        object.__setattr__(policy, "compiled", compiled)
        return compiled


# --- which one ------------------------------------------------------------------------------------

_active: _Backend | None = None


def use(name: str) -> None:
    """Let `python`, `native` or, `auto`, the better one mask in this process from now on.

    For the suite, which runs once with each. Raise ImportError where `native` cannot be had.
    """
    global _active  # noqa: PLW0603 - one for the process is what is meant
    _active = _chosen(name)


def current() -> _Backend:
    """Return the implementation that masks now. Raise ImportError as `require_backend` does."""
    if _active is None:
        require_backend()
    return cast("_Backend", _active)


def require_backend() -> NativeStatus:
    """Decide which implementation masks, if nobody did; say once, at level INFO, why it is Python.

    Raise ImportError if `REPLAYSTACK_BACKEND=native` asks for what is not there. Until it is decided
    otherwise, everything else here fails closed then.
    """
    if _active is None:
        wanted = os.environ.get(_VARIABLE, "").strip().lower() or "auto"
        if wanted not in ("auto", "python", "native"):
            _log.warning("%s is malformed and was not used", _VARIABLE)
            wanted = "auto"
        use(wanted)
        reason = cast("_Backend", _active).status.reason
        if reason is not None:
            _log.info("masking in Python: %s", reason)
    return native_status()


def native_status() -> NativeStatus:
    """Return which implementation masks in this process. Raise ImportError as `require_backend` does."""
    return current().status


def _chosen(name: str) -> _Backend:
    if name == "python":
        return _Python(None, f"{_VARIABLE}=python")
    try:
        import replaystack_native  # noqa: PLC0415 - it may be missing, broken or of another version

        version, contract = replaystack_native.__version__, replaystack_native.contract_version()
        if contract == CONTRACT:
            return _Native(replaystack_native)
    except Exception as error:  # noqa: BLE001 - whatever a broken wheel raises, Python masks
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == "replaystack_native"
        problem = "is not installed" if is_missing else f"cannot be loaded: {type(error).__name__}: {error}"
        return _without_native(name, None, f"replaystack-native {problem}")
    reason = (
        f"replaystack-native {version} speaks contract {contract}, replaystack-core {CONTRACT}: "
        "install the same version of both"
    )
    if name != "native":
        warnings.warn(reason, ImportWarning, stacklevel=2)
    return _without_native(name, version, reason)


def _without_native(name: str, version: str | None, reason: str) -> _Python:
    if name == "native":
        raise ImportError(
            f"{_VARIABLE}=native, but {reason} (pip install 'replaystack-core[native]', or unset {_VARIABLE})"
        )
    return _Python(version, reason)


def _stop_native_after_panic(error: BaseException, native: _Native) -> None:
    """Leave everything to Python if `error` is a panic of the extension; else raise it again.

    Its text may quote what was being masked, so nobody is shown it.
    """
    global _active  # noqa: PLW0603 - as in `use`
    if type(error).__module__ != "pyo3_runtime":
        raise error
    was_active = _active is native
    _active = _Python(native.status.version, "the extension failed in this process")
    if was_active:
        place = native._module.panic_place()  # noqa: SLF001 - of the same module
        _log.error("replaystack-native failed at %s: Python masks in this process from now on", place)


# --- what the rest of the package calls -----------------------------------------------------------


def encode_event(event: Mapping[str, object], policy: Policy, limits: Limits | None = None) -> Masked:
    """Return the event as masked bytes: one JSON object with the wire keys of WIRE.md section 1.

    Headers may be `RawHeaders` and payloads `RawBody`; any other value may be anything. Keys whose
    value is None or empty are left out; 0 and False stay. Never raises: a part whose masking fails
    is replaced by `{"__unmasked_dropped": true}`. Encoding the decoded result again gives the same
    values. Takes some us (native) to some 100 us (Python) for a usual event; from any thread.
    """
    return encode_batch((event,), policy, limits)[0]


def encode_batch(
    events: Sequence[Mapping[str, object]], policy: Policy, limits: Limits | None = None
) -> list[Masked]:
    """Return each event as `encode_event` does, in order; one failing leaves the others as they are.

    For the pump's slices: at most 32 exchanges or 1 MiB at once, or other threads wait too long.
    """
    limits = limits or Limits()
    try:
        return [seal(data) for data in current().events(events, policy, limits)]
    except Exception:  # noqa: BLE001 - fail closed
        if len(events) != 1:
            return [encode_batch((event,), policy, limits)[0] for event in events]
        return [seal(_event.dropped_event(policy))]


def mask_value(value: object, policy: Policy) -> Any:
    """Return `value` as plain JSON values of its own, masked by key and by value.

    What would take more than 2 MiB becomes `{"__truncated": True, ...}`.
    Accepts anything, runs no code of its classes and never raises: what cannot be masked becomes
    `{"__unmasked_dropped": True}`.
    """
    try:
        masked, is_full = current().value(value, policy, _VALUE_BYTES)
        return truncated(_VALUE_BYTES, _VALUE_BYTES, None, lower_bound=True) if is_full else masked
    except Exception:  # noqa: BLE001 - fail closed: never the raw value
        return dropped()


def mask_text(text: str, policy: Policy) -> str:
    """Return `text` under the value rules. Never raises; linear in the length of the text."""
    try:
        return current().text(text, policy)
    except Exception:  # noqa: BLE001 - fail closed: never the raw text
        return MASKED


def mask_json(text: str, policy: Policy) -> str | None:
    """Return one JSON document masked by spans, the rest of it byte for byte; None if it is no JSON.

    Where masking fails, too: what cannot be masked is no document that may go anywhere.
    """
    try:
        return current().json(text, policy)
    except Exception:  # noqa: BLE001 - fail closed: never the raw text
        return None


def mask_url(url: str, policy: Policy) -> str:
    """Return one URL, absolute or relative, without secrets; the rest of it byte for byte."""
    try:
        return current().url(url, policy)
    except Exception:  # noqa: BLE001 - fail closed: never the raw URL
        return MASKED
