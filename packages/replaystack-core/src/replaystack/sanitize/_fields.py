"""The fields of an object, read past properties, `__getattr__` and metaclasses."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["class_dict", "field_reader", "instance_dict", "mro", "tuple_fields"]

# The interpreter's own descriptors: `type(x).__mro__` would ask the metaclass.
mro: Final[Callable[[type], tuple[type, ...]]] = type.__dict__["__mro__"].__get__
class_dict: Final[Callable[[type], Any]] = type.__dict__["__dict__"].__get__


def instance_dict(value: object) -> dict[str, Any]:
    """Return a copy of the instance's `__dict__`, or an empty one; no property can stand in for it."""
    for base in mro(type(value)):
        found = class_dict(base).get("__dict__")
        if type(found) is types.GetSetDescriptorType:
            content = found.__get__(value)
            if type(content) is not dict:
                return {}
            return {name: item for name, item in list(content.items()) if type(name) is str}
    return {}


def _slots(value: object) -> dict[str, Any]:
    """Return the slots that are set, base classes first."""
    fields: dict[str, Any] = {}
    for base in reversed(mro(type(value))):
        for name, member in list(class_dict(base).items()):
            if type(member) is types.MemberDescriptorType and not name.startswith("__"):
                try:
                    fields[name] = member.__get__(value)
                except AttributeError:
                    continue  # a slot that was never set
    return fields


def _all_fields(value: object) -> dict[str, Any]:
    return {**_slots(value), **instance_dict(value)}


def _dataclass_fields(value: object) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for base in reversed(mro(type(value))):
        declared = class_dict(base).get("__dataclass_fields__")
        if type(declared) is dict:
            names.update(declared)
    fields = _all_fields(value)
    return {name: fields[name] for name in names if name in fields}


def _pydantic_fields(value: object) -> dict[str, Any]:
    fields = {name: item for name, item in instance_dict(value).items() if not name.startswith("_")}
    extra = _slots_named(value, "__pydantic_extra__")
    if type(extra) is dict:
        fields.update(extra)
    return fields


def _slots_named(value: object, name: str) -> object:
    for base in mro(type(value)):
        member = class_dict(base).get(name)
        if type(member) is types.MemberDescriptorType:
            try:
                return member.__get__(value)
            except AttributeError:
                return None
    return None


def tuple_fields(value: tuple[Any, ...]) -> Any:
    """Return a NamedTuple by its names, any other tuple as a list."""
    items = list(tuple.__iter__(value))
    for base in mro(type(value)):
        names = class_dict(base).get("_fields")
        if type(names) is tuple and len(names) == len(items) and all(type(name) is str for name in names):
            return dict(zip(names, items, strict=True))
    return items


def _attrs_fields(value: object) -> dict[str, Any]:
    for base in mro(type(value)):
        declared = class_dict(base).get("__attrs_attrs__")
        if declared is not None:
            names = [_slots(attribute).get("name") for attribute in tuple.__iter__(declared)]
            return _in_order(_all_fields(value), names)
    return {}


def _struct_fields(value: object) -> dict[str, Any]:
    """Return the fields of a msgspec Struct; its metaclass keeps their order."""
    kind = type(value)
    for base in mro(type(kind)):
        member = class_dict(base).get("__struct_fields__")
        if type(member) is types.MemberDescriptorType:
            return _in_order(_all_fields(value), member.__get__(kind))
    return _all_fields(value)


def _in_order(fields: dict[str, Any], names: Iterable[Any]) -> dict[str, Any]:
    """Slots come sorted by name; people read fields as they were declared."""
    ordered = {name: fields[name] for name in names if type(name) is str and name in fields}
    return {**ordered, **fields}


def field_reader(base: type) -> Callable[[Any], Any] | None:
    """Return how objects of `base` show their fields, if it is a class that declares them."""
    content = class_dict(base)
    if type(content.get("__dataclass_fields__")) is dict:
        return _dataclass_fields
    if "__attrs_attrs__" in content:
        return _attrs_fields
    origin, name = content.get("__module__"), type.__getattribute__(base, "__name__")
    if type(origin) is not str:
        return None
    if name == "BaseModel" and origin.startswith("pydantic.") and origin.endswith("main"):
        return _pydantic_fields
    return _struct_fields if name == "Struct" and origin == "msgspec" else None
