"""What a value that is not JSON looks like as JSON, without running any code of its class.

`plain` is shared by both implementations. It dispatches on the real type (`type(x)` and its MRO,
read past metaclasses), never on `isinstance`, which evaluates lazy objects; it reads fields from
`__dict__` and slots through the interpreter's own descriptors, never by `getattr`, which may run a
property or SQL. The two exceptions of MASKING.md section 5 are exceptions and log records.
"""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import enum
import gc
import logging
import pathlib
import types
import uuid
from typing import TYPE_CHECKING, Any, Final

from ._fields import field_reader, instance_dict, mro, tuple_fields
from ._marks import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "JSON_TYPES",
    "as_json_type",
    "float_text",
    "int_text",
    "key_text",
    "plain",
    "snapshot",
    "type_name",
]

BYTES_MAX: Final = 4 * 1024 * 1024
"""Larger binary values are counted, not decoded: four times the highest limit of a field."""

RANGE_MAX: Final = 10_000  # a range is cheap to hold and endless to write

_READ_ATTEMPTS = 3
"""Another thread may change a container while it is read; a fourth time is no accident."""

# Time zones whose `utcoffset` is a library's. Others are the user's code: such times lose their offset.
_ZONE_PACKAGES = frozenset({"datetime", "zoneinfo", "backports", "pytz", "dateutil", "pendulum"})


def plain(value: object) -> Any:
    """Return `value` as one level of JSON: a scalar, or a new dict or list of raw values.

    Accepts anything and never raises: what cannot be read is `"[Unreadable]"`, what is not known is
    `"<module.Type>"`. Containers are copied at once, so that later changes by other threads reach
    the event as a whole or not at all.
    """
    try:
        for _ in range(_WRAPPERS_MAX):
            value = _read(value)
            if id(type(value)) in JSON_TYPES:
                return value
    except Exception:  # noqa: BLE001 - whatever a foreign object does when read, the event survives
        pass
    return UNREADABLE


JSON_TYPES: Final = frozenset(map(id, (str, int, float, bool, type(None), dict, list, tuple)))
"""The types of JSON by `id`: to hash or compare a class may run its metaclass."""

_WRAPPERS_MAX = 8  # an Enum may hold a UserList that holds a deque; what goes on after that is a loop


def as_json_type(value: object) -> Any:
    """Return `value` if it is of a JSON type already, else what `plain` makes of it."""
    return value if id(type(value)) in JSON_TYPES else plain(value)


def _read(value: object) -> Any:
    kind = type(value)
    for base in mro(kind):
        handler = _HANDLERS.get(id(base))
        if handler is not None:
            return handler(value)
        fields = field_reader(base)
        if fields is not None:
            return fields(value)
    return f"<{type_name(kind)}>"


def key_text(key: object) -> str:
    """Return the text of a dict key, as JSON needs one."""
    if type(key) is str:
        return key
    value = plain(key)
    if value is None:
        return "null"
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is str:
        # what has no text of its own ("<module.Type>") is named by its type alone
        return type_name(type(key)).rpartition(".")[2] if _is_placeholder(key, value) else value
    if kind is int:
        return int_text(value)
    if kind is float:
        return float_text(value)
    return type_name(type(key)).rpartition(".")[2]


def _is_placeholder(key: object, value: str) -> bool:
    return value.startswith("<") and value == f"<{type_name(type(key))}>"


def int_text(value: int) -> str:
    """Return the digits, or `"<int>"` over 4300, where Python refuses and nobody reads on."""
    return "<int>" if not -_INT_MAX < value < _INT_MAX else str(value)


_INT_MAX: Final = 10**4300


def float_text(value: float) -> str:
    """Return what `repr` writes, with the names of JavaScript for what JSON has no number for."""
    if value != value:  # noqa: PLR0124 - NaN alone differs from itself
        return "NaN"
    if value in (_INFINITY, -_INFINITY):
        return "Infinity" if value > 0 else "-Infinity"
    return float.__repr__(value)


_INFINITY: Final = float("inf")


def type_name(kind: type) -> str:
    """Return `module.Type`, read past metaclasses."""
    module = type.__getattribute__(kind, "__module__")
    name = type.__getattribute__(kind, "__qualname__")
    return f"{module}.{name}" if type(module) is str else str.__str__(name)


# --- values of the standard library ---------------------------------------------------------------


def _copy(read: Callable[[Any], Iterable[Any]], value: Any) -> list[Any]:
    for _ in range(_READ_ATTEMPTS - 1):
        try:
            return list(read(value))
        except RuntimeError:  # changed size while it was read
            continue
    return list(read(value))


def snapshot(source: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """Return the items of a dict at one moment; another thread may be changing it."""
    return _copy(dict.items, source)


def _copy_dict(value: dict[Any, Any]) -> dict[str, Any]:
    return named(_copy(dict.items, value))


def named(items: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """Return a dict whose keys are texts; of equal ones the last holds, as in any JSON parser.

    The keys themselves are never hashed: that may be their own code.
    """
    return {key if type(key) is str else key_text(key): item for key, item in items}


def _enum(value: enum.Enum) -> Any:
    return instance_dict(value).get("_value_", UNREADABLE)


def _bytes(value: bytes | bytearray) -> Any:
    kind: Any = bytes if _has_base(value, bytes) else bytearray
    size = kind.__len__(value)
    if size <= BYTES_MAX:
        try:
            text: str = kind.decode(value, "utf-8")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text:  # UTF-16 is valid UTF-8 too, with a NUL in each character that hides every name
            return text
    return {"__bytes": size}


def _has_base(value: object, base: type) -> bool:
    return any(item is base for item in mro(type(value)))


def _memoryview(value: memoryview) -> Any:
    return _bytes(value.tobytes()) if value.nbytes <= BYTES_MAX else {"__bytes": value.nbytes}


def _datetime(value: dt.datetime) -> str:
    zone = _part(dt.datetime, value, "tzinfo")
    known = type_name(type(zone)).partition(".")[0] in _ZONE_PACKAGES
    parts = [_part(dt.datetime, value, name) for name in (*_DATE_PARTS, *_TIME_PARTS)]
    exact = dt.datetime(*parts).replace(  # noqa: DTZ001 - as naive as the value is
        tzinfo=zone if known else None, fold=_part(dt.datetime, value, "fold")
    )
    return exact.isoformat()


_DATE_PARTS = ("year", "month", "day")
_TIME_PARTS = ("hour", "minute", "second", "microsecond")


def _part(cls: type, value: object, name: str) -> Any:
    """Read an attribute that C keeps, past whatever a subclass put in its place."""
    return getattr(cls, name).__get__(value)


def _date(value: dt.date) -> str:
    return dt.date(*(_part(dt.date, value, name) for name in _DATE_PARTS)).isoformat()


def _time(value: dt.time) -> str:
    return dt.time(*(_part(dt.time, value, name) for name in _TIME_PARTS)).isoformat()


def _uuid(value: uuid.UUID) -> str:
    return str(uuid.UUID(int=_part(uuid.UUID, value, "int")))


def _path(value: pathlib.PurePath) -> str:
    """Return the text of a path of the standard library; a subclass may compute its text."""
    kind = type(value)
    return str(value) if type_name(kind).startswith("pathlib.") else f"<{type_name(kind)}>"


def _mapping_proxy(value: types.MappingProxyType[Any, Any]) -> Any:
    for content in gc.get_referents(value):  # the proxy itself would ask the mapping, which may be anyone's
        return content
    return UNREADABLE


def _chain_map(value: collections.ChainMap[Any, Any]) -> Any:
    merged: dict[Any, Any] = {}
    maps = instance_dict(value).get("maps")
    for content in reversed(maps if type(maps) is list else []):
        part = content if type(content) is dict else plain(content)
        if type(part) is dict:
            merged.update(_copy_dict(part))
    return merged


def _user_container(value: object) -> Any:
    return instance_dict(value).get("data", UNREADABLE)


def _range(value: range) -> Any:
    return list(value[:RANGE_MAX])


def _guarded_text(value: BaseException) -> str:
    return str.__str__(str(value))


def _log_record(value: logging.LogRecord) -> str:
    return str.__str__(value.getMessage())


def _same(value: object) -> object:
    return value


def _table() -> dict[int, Callable[[Any], Any]]:
    """Return the handlers by `id(class)`: hashing a class may run its metaclass."""
    handlers: dict[type, Callable[[Any], Any]] = {
        enum.Enum: _enum,  # of `class Colour(str, Enum)` str comes first in the MRO: the same value
        str: str.__str__,
        bool: _same,
        int: int.__int__,
        float: float.__float__,
        type(None): _same,
        bytes: _bytes,
        bytearray: _bytes,
        memoryview: _memoryview,
        dict: _copy_dict,
        collections.OrderedDict: lambda value: named(_copy(collections.OrderedDict.items, value)),
        list: lambda value: list(list.__iter__(value)),
        tuple: tuple_fields,
        set: lambda value: _copy(set.__iter__, value),
        frozenset: lambda value: list(frozenset.__iter__(value)),
        collections.deque: lambda value: _copy(collections.deque.__iter__, value),
        array.array: lambda value: list(array.array.__iter__(value)),
        range: _range,
        type({}.keys()): list,
        type({}.values()): list,
        type({}.items()): list,
        types.MappingProxyType: _mapping_proxy,
        collections.ChainMap: _chain_map,
        collections.UserDict: _user_container,
        collections.UserList: _user_container,
        collections.UserString: _user_container,
        dt.datetime: _datetime,
        dt.date: _date,
        dt.time: _time,
        dt.timedelta: dt.timedelta.__str__,
        decimal.Decimal: decimal.Decimal.__str__,
        uuid.UUID: _uuid,
        pathlib.PurePath: _path,
        BaseException: _guarded_text,
        logging.LogRecord: _log_record,
    }
    return {id(kind): handler for kind, handler in handlers.items()}


_HANDLERS: Final = _table()
