"""Values made JSON-safe or cut to size, as 1.x offered it to applications for their own data."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["safe_json_clone", "safe_stringify", "truncate_payload", "truncate_utf8_string"]

_PREVIEW_CHARACTERS = 2000
"""The seed's preview: enough to recognise a payload, small beside any limit in use."""


def safe_json_clone(value: Any) -> Any:
    """Return `value` as it looks after a round trip through JSON.

    Tuples become lists, keys become strings, what JSON does not know becomes its `str()`.
    A container inside itself becomes `[Circular]`; one that merely occurs twice is cloned
    twice (1.x took it for circular). Where all that fails the result is `str(value)`.
    """
    open_containers: set[int] = set()

    def opened(item: Any) -> Any:
        if isinstance(item, tuple):
            return [opened(child) for child in item]
        if not isinstance(item, (dict, list)):
            return item
        if id(item) in open_containers:
            return "[Circular]"
        open_containers.add(id(item))
        result: Any
        if isinstance(item, dict):
            result = {key: opened(child) for key, child in item.items()}
        else:
            result = [opened(child) for child in item]
        open_containers.discard(id(item))
        return result

    try:
        return json.loads(json.dumps(opened(value), default=str))
    except Exception:  # noqa: BLE001 - tuple keys, endless depth, a foreign __str__: text is the last resort
        return str(value)


def safe_stringify(value: Any) -> str:
    """Return `value` as JSON text, or as `str(value)` where JSON cannot hold it."""
    try:
        return json.dumps(value, default=str)
    except Exception:  # noqa: BLE001 - a cycle, tuple keys, a foreign __str__
        return str(value)


def truncate_payload(value: Any, max_bytes: int) -> Any:
    """Return `value` itself, or the seed's marker if its JSON text is over `max_bytes`.

    The size is that of ASCII-only JSON. No limit applies for `max_bytes` <= 0 and for what
    cannot be written as JSON.
    """
    if value is None or max_bytes <= 0:
        return value
    try:
        text = json.dumps(value, default=str)
    except Exception:  # noqa: BLE001 - as safe_stringify; without a text there is no size
        return value
    if len(text) <= max_bytes:  # ASCII: one character is one byte
        return value
    return {
        "__truncated": True,
        "originalSizeBytes": len(text),
        "maxSizeBytes": max_bytes,
        "preview": text[: min(max_bytes, _PREVIEW_CHARACTERS)],
    }


def truncate_utf8_string(value: str, max_bytes: int) -> str:
    """Return `value`, cut at a character to at most `max_bytes` UTF-8 bytes and marked with `…`.

    The mark itself is not counted. Raises `UnicodeEncodeError` for lone surrogates.
    """
    if not value:
        return value
    encoded = value.encode()
    if len(encoded) <= max_bytes:
        return value
    return encoded[: max(max_bytes, 0)].decode(errors="ignore") + "…"
