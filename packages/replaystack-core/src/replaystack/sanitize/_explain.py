"""Which rule masked what: for the person who asks why a value is gone, or why it is not.

The value is masked the way it always is; then the result is laid beside the original, and each place
where they differ is put down to the rule that is responsible. So the answer cannot differ from what is
really masked, and explaining costs the masking itself nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._keys import INPUT, LOC, NAME, VALUE, Place, role
from ._marks import CIRCULAR, DEEP, MASKED
from ._plain import as_json_type, key_text
from ._policy import Policy
from ._rules import Rules
from ._text import fired
from ._walk import Walker

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Finding", "explain"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that masking changed."""

    path: str
    """Where it is, in the notation of JSONPath: `$.user.password`, `$.items[3]['a.b']`. Keys are masked."""
    rule: str
    """What fired, such as `key: password`, `text: JWT`, `sibling: name`, or the mark's own `depth`."""


def explain(value: object, policy: Policy | None = None) -> list[Finding]:
    """Return which rule fired at each place of `value` that masking changes, in the order of the value.

    Takes what `mask_value` takes; a text or `bytes` that is one JSON document is explained as that
    document. `policy` is that of a default client if None. No finding holds anything of what was masked.
    Never raises for what `value` is; reads it twice, so nothing else should change it meanwhile.
    """
    policy = policy or Policy.build()
    document = _document(value)
    original = value if document is None else document
    masked = Walker(policy).walk(original)
    return list(_differences(original, masked, "$", policy, None))


def _document(value: object) -> Any:
    """Return the JSON document that a text or bytes are, or None."""
    text = value.decode("utf-8", "replace") if type(value) is bytes else value
    if type(text) is str and text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None
    return None


def _differences(
    original: Any, masked: Any, path: str, policy: Policy, named: str | None
) -> Iterator[Finding]:
    """Yield the findings below `path`; `named` is what the name of the value says about it."""
    original = as_json_type(original)
    if original is masked:
        return
    if type(original) is dict and type(masked) is dict:
        yield from _fields(original, masked, path, policy)
    elif type(original) in (list, tuple) and type(masked) is list:
        yield from _items(original, masked, path, policy)
    elif masked == MASKED and original != MASKED:
        rules = [named] if named else _text_rules(original, policy)
        yield from (Finding(path, rule) for rule in rules)
    elif masked in (DEEP, CIRCULAR) and type(masked) is str:
        yield Finding(path, "depth" if masked == DEEP else "circular")
    elif type(original) is str and original != masked:
        yield from (Finding(path, rule) for rule in _text_rules(original, policy))


def _fields(original: dict[Any, Any], masked: dict[str, Any], path: str, policy: Policy) -> Iterator[Finding]:
    rules = Rules(policy)
    keys = [key if type(key) is str else key_text(key) for key in original]
    for key, value in zip(keys, original.values(), strict=True):
        written = rules.key(key)
        place = _step(path, written)
        if written != key:
            yield from (Finding(place, f"{rule} (in the key)") for rule in _text_rules(key, policy))
        if written in masked:
            yield from _differences(value, masked[written], place, policy, _why(key, keys, rules))


def _why(key: str, keys: list[str], rules: Rules) -> str | None:
    """Return what masks the value of `key` by its name, or by the name beside it."""
    why = rules.keyring.why(key, Place.PAYLOAD)
    if why:
        return f"key: {why}"
    kind = role(key)
    for half, other in ((VALUE, NAME), (INPUT, LOC)):
        if kind & half:
            beside = [sibling for sibling in keys if role(sibling) & other]
            if beside:
                return f"sibling: {beside[0]}"
    return None


def _items(original: Any, masked: list[Any], path: str, policy: Policy) -> Iterator[Finding]:
    for at, (item, result) in enumerate(zip(original, masked, strict=False)):
        place = f"{path}[{at}]"
        pair = as_json_type(item)
        if type(pair) in (list, tuple) and len(pair) == 2 and type(result) is list and type(pair[0]) is str:
            yield from _differences(pair[0], result[0], f"{place}[0]", policy, None)
            yield from _differences(pair[1], result[1], f"{place}[1]", policy, f"pair: {result[0]}")
        else:
            yield from _differences(item, result, place, policy, None)


def _text_rules(value: object, policy: Policy) -> list[str]:
    text = value if type(value) is str else str(value) if type(value) is int else ""
    return [f"text: {name}" for name in fired(text, Rules(policy))] or ["text"]


def _step(path: str, key: str) -> str:
    if key.isidentifier():
        return f"{path}.{key}"
    quoted = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"{path}['{quoted}']"
