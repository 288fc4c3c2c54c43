"""URL-encoded forms: an object of fields, or the masked text of a form that was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._keys import Place
from ._marks import CUT
from ._urls import mask_parameters, unquote

if TYPE_CHECKING:
    from ._walk import Walker

__all__ = ["mask_cut_form", "mask_form"]


def mask_form(text: str, walker: Walker) -> Any:
    """Return the fields, masked by key; a field that comes several times is a list.

    Without any `=` it is no form but a text.
    """
    if "=" not in text:
        return walker.text(text)
    fields: dict[str, Any] = {}
    for part in text.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        add_field(fields, unquote(name), unquote(value))
    return walker.walk(fields, Place.FORM)


def add_field(fields: dict[str, Any], name: str, value: Any) -> None:
    """Add a field; the second of a name makes it a list."""
    if name not in fields:
        fields[name] = value
    elif type(fields[name]) is list:
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def mask_cut_form(text: str, walker: Walker) -> str:
    """Return the beginning of a form as text: fields masked by key, the last one unfinished."""
    complete, ampersand, last = text.rpartition("&")
    name, equals, _ = last.partition("=")
    kept = complete + ampersand + (name + equals if equals else "")
    return mask_parameters(kept, walker.form_parameters()) + CUT
