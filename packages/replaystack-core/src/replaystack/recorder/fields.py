"""From the keyword arguments of `capture_event` to the fields of an event.

Nothing a caller passes may raise at run time: an unknown keyword or a bad value of a closed
set is kept under `metadata`, counted, and warned of once.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from ..auth import detect_auth, is_auth_scheme
from ..diagnostics import RateLimitedLogger
from ..event import AUTH_MODES, EVENT_STATUSES, EVENT_TYPES
from ..paths import normalize_endpoint
from ..sanitize import mask_value
from ..wire import EVENT_FIELDS, is_trace_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..sanitize import Policy

__all__ = ["EventFields", "plain_text", "read_fields"]

_log = RateLimitedLogger(__name__)

_BY_ANY_NAME = {name: wire for snake, wire in EVENT_FIELDS.items() for name in (snake, wire)}
_CLOSED_SETS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "eventType": (EVENT_TYPES, "custom"),
    "status": (EVENT_STATUSES, "success"),
    "authMode": (AUTH_MODES, None),
}
_INTEGERS = ("statusCode", "executionTimeMs")


class EventFields(dict[str, Any]):
    """Wire keys -> the user's own objects, not yet encoded. Lives for one capture call."""


def read_fields(arguments: Mapping[str, Any], plain: Callable[[object], Any]) -> EventFields:
    """Return wire fields for keyword arguments in snake_case or camelCase; None means absent.

    Where both spellings are given, snake_case wins. `plain` turns foreign mappings into dicts.
    """
    fields = EventFields()
    strays: dict[str, Any] = {}
    for name, value in arguments.items():
        wire = _BY_ANY_NAME.get(name)
        if wire is None:
            strays[name] = value
        elif value is not None and (name != wire or wire not in fields or name in EVENT_FIELDS):
            fields[wire] = value
    for wire, (allowed, default) in _CLOSED_SETS.items():
        value = fields.get(wire, default)
        if value is not None and not (type(value) is str and value in allowed):
            # A str-based enum member is a string in all but its exact type.
            text = str.__str__(value) if isinstance(value, str) else None
            if text not in allowed:
                strays[wire] = value
                text = default
            value = text
        if value is None:
            fields.pop(wire, None)
        else:
            fields[wire] = value
    for wire in _INTEGERS:
        _read_integer(fields, strays, wire)
    _read_endpoint(fields)
    trace_id = fields.get("traceId")
    if trace_id is not None and not is_trace_id(trace_id):
        strays["traceId"] = fields.pop("traceId")
    metadata = fields.get("metadata")
    if metadata is not None and type(metadata) is not dict:
        # OrderedDict, mappingproxy and the like: read without running any code of theirs.
        fields["metadata"] = plain(metadata)
    if strays:
        _keep_strays(fields, strays)
    return fields


def _read_integer(fields: EventFields, strays: dict[str, Any], wire: str) -> None:
    value = fields.get(wire)
    if value is None or type(value) is int:
        return
    if isinstance(value, int) and not isinstance(value, bool):  # http.HTTPStatus is an IntEnum
        fields[wire] = int.__int__(value)
    elif type(value) is float and value == value and abs(value) < 2**53:  # noqa: PLR0124 - NaN is not itself
        fields[wire] = int(value)
    else:
        strays[wire] = fields.pop(wire)


def _read_endpoint(fields: EventFields) -> None:
    endpoint = fields.get("endpoint")
    if type(endpoint) is str:
        fields["endpoint"] = normalize_endpoint(endpoint)


def _keep_strays(fields: EventFields, strays: dict[str, Any]) -> None:
    """Keep what has no place of its own under `metadata`, where masking by key applies."""
    metadata = fields.get("metadata")
    kept: dict[str, Any] = {}
    if type(metadata) is dict:
        kept.update(metadata)
    elif metadata is not None:
        kept["metadata"] = metadata
    for name, value in strays.items():
        kept.setdefault(name, value)
    fields["metadata"] = kept
    _log.log(
        logging.WARNING,
        "capture_event got values that it has no field for; they are kept under metadata: %s",
        ", ".join(sorted(strays)),
    )


def read_auth(fields: EventFields) -> None:
    """Fill `authMode` and `authScheme` from the raw request headers, unless they are given.

    A given scheme that is no short word is forgotten: it may well be the credential itself.
    """
    if "authScheme" in fields and not is_auth_scheme(fields["authScheme"]):
        del fields["authScheme"]
    if "authMode" in fields:
        return
    headers = fields.get("requestHeaders")
    pairs = _header_pairs(headers) if headers is not None else []
    mode, scheme = detect_auth(pairs)
    fields["authMode"] = mode
    if scheme is not None:
        fields.setdefault("authScheme", scheme)


def _header_pairs(headers: object) -> list[tuple[str, str]]:
    """Read string pairs out of a dict or a list of pairs; anything else has none."""
    items = headers.items() if type(headers) is dict else headers
    if not isinstance(items, (list, tuple)) and type(headers) is not dict:
        return []
    pairs: list[tuple[str, str]] = []
    for item in list(items):  # type: ignore[call-overload]  # foreign data enters here
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            continue
        name, value = item
        if isinstance(value, (list, tuple)) and value:
            value = value[0]
        if isinstance(name, bytes):
            name = name.decode("latin-1")
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if isinstance(name, str) and isinstance(value, str):
            pairs.append((name, value))
    return pairs


def plain_text(value: object, policy: Policy) -> str:
    """Return a string as it is; of anything else, its masked form as text, calling no user code."""
    if type(value) is str:
        return value
    plain = mask_value(value, policy)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
