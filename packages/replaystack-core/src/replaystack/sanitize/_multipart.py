"""Multipart forms: fields masked by key, files as what they are called and how large they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._forms import add_field
from ._keys import Place, lower

if TYPE_CHECKING:
    from ._walk import Walker

__all__ = ["mask_multipart"]

_PARTS_MAX = 1000  # no form has more; a body of nothing but boundaries has
_BOUNDARY = re.compile(r";\s*boundary=(?:\"([^\"]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)
_PARAMETER = re.compile(r";\s*(name|filename)\*?=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\"]*))", re.IGNORECASE)
_FIELD_MAX = 65_536
"""A field over 64 KiB is described like a file: it is content, not something that was typed."""


def mask_multipart(data: bytes, content_type: str, walker: Walker) -> Any:
    """Return the fields of a complete form; None if it cannot be taken apart."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return None
    delimiter = b"--" + (found[1] or found[2]).encode("utf-8", "surrogatepass")
    # Every delimiter stands at the beginning of a line, the first one perhaps of the body.
    pieces = (b"\r\n" + data).split(b"\r\n" + delimiter, _PARTS_MAX)
    if len(pieces) < 3 or len(pieces) > _PARTS_MAX or not pieces[-1].startswith(b"--"):
        return None
    fields: dict[str, Any] = {}
    for piece in pieces[1:-1]:
        head, blank_line, content = piece.partition(b"\r\n\r\n")
        if not blank_line:
            return None
        _add_part(fields, head, content)
    return walker.walk(fields, Place.FORM)


def _add_part(fields: dict[str, Any], head: bytes, content: bytes) -> None:
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, text = line.partition(":")
        headers[lower(name.strip())] = text.strip()
    parameters = {
        lower(found[1]): found[2] or found[3] or ""
        for found in _PARAMETER.finditer(headers.get("content-disposition", ""))
    }
    value: Any = None
    if "filename" not in parameters and len(content) <= _FIELD_MAX:
        try:
            value = content.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if value is None:
        value = {"filename": parameters.get("filename", "")}
        if headers.get("content-type"):
            value["contentType"] = headers["content-type"]
        value["size"] = len(content)
    add_field(fields, parameters.get("name", ""), value)
