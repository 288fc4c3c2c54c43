"""Multipart forms: fields masked by key, files as what they are called and how large they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ._forms import add_field
from ._keys import Place
from ._spelling import BLANKS, lower
from ._urls import unquote

if TYPE_CHECKING:
    from ._walk import Walker

__all__ = ["mask_multipart"]

_PARTS_MAX = 1000  # no form has more; a body of nothing but boundaries has
_BOUNDARY = re.compile(r";\s*boundary=(?:\"([^\"]{1,200})\"|([^\s;\"]{1,200}))", re.ASCII | re.IGNORECASE)
_PARAMETER = re.compile(
    r";\s*(name|filename)(\*?)=(?:\"([^\"\\]*(?:\\.[^\"\\]*)*)\"|([^\s;\"]*))", re.ASCII | re.IGNORECASE
)
_HEAD_MAX = 8192  # of the header lines of one part; servers refuse more
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
        _add_part(fields, head, content, walker)
    return walker.walk(fields, Place.FORM)


def _add_part(fields: dict[str, Any], head: bytes, content: bytes, walker: Walker) -> None:
    headers: dict[str, str] = {}
    for line in head[:_HEAD_MAX].decode("utf-8", "replace").split("\r\n"):
        name, _, text = line.partition(":")
        headers[lower(name.strip(BLANKS))] = text.strip(BLANKS)
    parameters: dict[str, list[str]] = {"name": [], "filename": []}
    for found in _PARAMETER.finditer(headers.get("content-disposition", "")):
        parameters[lower(found[1])].append(_decoded(found[3] or found[4] or "", extended=bool(found[2])))
    value: Any = None
    if not parameters["filename"] and len(content) <= _FIELD_MAX:
        try:
            value = content.decode("utf-8")
        except UnicodeDecodeError:
            pass
    if value is None or "\0" in value:
        value = {"filename": "".join(parameters["filename"][:1])}
        if headers.get("content-type"):
            value["contentType"] = headers["content-type"]
        value["size"] = len(content)
    names = parameters["name"] or [""]
    secret = [name for name in names if walker.is_secret(name, Place.FORM)]
    add_field(fields, (secret or names)[0], value)


def _decoded(text: str, *, extended: bool) -> str:
    """Undo the two ways to write a name: `%22` as browsers do, `utf-8''n%C3%A4me` as mail does."""
    if extended:
        text = text.rpartition("'")[2]
    return unquote(text.replace("+", "%2B")) if "%" in text else text
