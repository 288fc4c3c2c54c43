"""A log entry's texts and fields, masked at the call; the entry encoded for `/v1/logs`, later.

A call of a logger is worth a microsecond or two, so what most calls pass takes a short way: a
flat dict of names that are known to be no secret, numbers, and texts too short to hold one. All
else goes the way of every value. Both give the same (`tests/core/sanitize/test_log_entries.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._backend import current, mask_text
from ._json import dumps
from ._keys import LOC, NAME, TITLE, Place
from ._limits import Limits, preview_of, utf8_length
from ._marks import CUT, MASKED, dropped, truncated
from ._masked import Masked, seal
from ._rules import Rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._policy import Policy

__all__ = ["encode_log_entry", "logs_document", "mask_log_fields", "mask_log_text"]

_FIELDS_BYTES: Final = 4 * 524_288
"""How far fields are looked at, as `mask_value` does: what goes on may have no end."""

_TEXT_BYTES: Final = 256 * 1024
"""The same for one text: far beyond the 10 000 characters that stay of it, far from a pause."""

_INT_SMALL: Final = 10**12  # no card number is shorter than 13 digits
_FLOAT_MAX: Final = 1.7976931348623157e308
_SHORTEST: Final = 5  # no rule knows a secret of four characters
_HARMLESS: Final = NAME | TITLE | LOC
"""Roles that matter only beside a `value` or an `input`, which are not harmless."""


def mask_log_fields(fields: dict[str, Any], policy: Policy) -> dict[str, Any]:
    """Return a log entry's fields as plain JSON values of their own, masked by key and by value.

    Never raises; what cannot be masked becomes `{"__unmasked_dropped": True}`.
    """
    known = policy.keyring.walked(Place.LOG)
    masked: dict[str, Any] = {}
    for key, value in fields.items():
        verdict = known.get(key) if type(key) is str else None
        if verdict is None or verdict & ~_HARMLESS:
            return _mask_all(fields, policy)
        kind = type(value)
        if kind is str:
            if len(value) >= _SHORTEST or not value.isascii():
                value = mask_text(value, policy)  # noqa: PLW2901 - the value as it may be kept
        elif kind is int:
            if not -_INT_SMALL < value < _INT_SMALL:
                return _mask_all(fields, policy)
        elif kind is float:
            if not -_FLOAT_MAX <= value <= _FLOAT_MAX:
                return _mask_all(fields, policy)
        elif kind is not bool and value is not None:
            return _mask_all(fields, policy)
        masked[key] = value
    return masked


def _mask_all(fields: dict[str, Any], policy: Policy) -> dict[str, Any]:
    try:
        masked, is_full = current().value(fields, policy, _FIELDS_BYTES, Place.LOG)
        _learn(fields, policy)
    except Exception:  # noqa: BLE001 - fail closed: never the raw fields
        return dropped()
    if is_full:
        return truncated(_FIELDS_BYTES, _FIELDS_BYTES, None, lower_bound=True)
    return masked if type(masked) is dict else {"value": masked}


def _learn(fields: dict[str, Any], policy: Policy) -> None:
    """Let the short way know these names from now on: the native walk keeps its verdicts to itself."""
    known = policy.keyring.walked(Place.LOG)
    rules = Rules(policy)
    for key in fields.copy():
        if type(key) is str and key not in known:
            rules.verdict(key, Place.LOG)


def mask_log_text(text: str, policy: Policy, max_chars: int, *, keep_end: bool = False) -> str:
    """Return `text` under the value rules, at most `max_chars` long.

    What is cut is named: `…[+123 characters]`, at the end; with `keep_end` in the middle, so that a
    traceback keeps its last line (of more than 256 Ki characters the beginning is kept). Never raises.
    """
    if len(text) < _SHORTEST and text.isascii():
        return text
    if len(text) > _TEXT_BYTES:
        return _mask_long(text, policy, max_chars)
    masked = mask_text(text, policy)
    if len(masked) <= max_chars:
        return masked
    return _shortened(masked, policy, max_chars, len(masked), keep_end=keep_end)


def _mask_long(text: str, policy: Policy, max_chars: int) -> str:
    """Mask as much of a very long text as may be shown, from its beginning: the mask knows how to end there.

    A cut at the other side could begin inside of a secret.
    """
    try:
        masked, _ = current().value(text, policy, _TEXT_BYTES)
    except Exception:  # noqa: BLE001 - fail closed: never the raw text
        masked = MASKED
    if type(masked) is not str:
        masked = MASKED
    return _shortened(masked, policy, max_chars, len(text), keep_end=False)


def _shortened(masked: str, policy: Policy, max_chars: int, length: int, *, keep_end: bool) -> str:
    room = max_chars
    for _ in range(3):  # masking what was cut may make it longer again; then cut more
        marker = f"{CUT}[+{length - room} characters]"
        room = max(0, room - len(marker))
        head = room // 2 if keep_end else room
        tail = masked[len(masked) - (room - head) :] if keep_end and room > head else ""
        cut = mask_text(masked[:head] + f"{CUT}[+{length - room} characters]" + tail, policy)
        if len(cut) <= max_chars:
            return cut
    return MASKED[:max_chars]


def encode_log_entry(
    envelope: Mapping[str, Any], fields: Mapping[str, Any] | None, policy: Policy, limits: Limits
) -> Masked:
    """Return one entry of `POST /v1/logs` as masked bytes.

    The texts of the envelope get the value rules and are matched by no key; `fields` become `data`,
    within `max_payload_bytes`. Never raises.
    """
    try:
        document = _part(dict(envelope), policy, Place.NONE)
        if fields:
            data = _part(dict(fields), policy, Place.LOG)
            size = utf8_length(data)
            if size > limits.max_payload_bytes:
                preview = preview_of(data, limits.max_payload_bytes, lambda text: mask_text(text, policy))
                data = dumps(truncated(size, limits.max_payload_bytes, preview))
            document = f'{document[:-1]},"data":{data}}}'
        return seal(document.encode())
    except Exception:  # noqa: BLE001 - fail closed: the entry is counted, its content stays here
        return seal(dumps({"level": "error", "message": "[unmasked, dropped]"}).encode())


def _part(value: dict[str, Any], policy: Policy, place: Place) -> str:
    tree, is_full = current().value(value, policy, _FIELDS_BYTES, place)
    if is_full:
        tree = truncated(_FIELDS_BYTES, _FIELDS_BYTES, None, lower_bound=True)
    return dumps(tree)


def logs_document(entries: Sequence[Masked]) -> Masked:
    """Return `{"logs":[...]}`: the same bytes, joined; nothing is decoded."""
    return seal(b'{"logs":[' + b",".join(entry.data for entry in entries) + b"]}")
