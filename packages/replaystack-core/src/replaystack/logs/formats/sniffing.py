"""Which format a body is in, where nobody said it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from .csv_table import delimiter_of
from .entries import KNOWN_FIELDS
from .obl import MARK

if TYPE_CHECKING:
    from .names import FormatName

__all__ = ["sniff"]

_FIRST_LINE: Final = re.compile(r"[^\n]*")
_OPENS_OBJECT: Final = re.compile(r'\{\s*["}]')
_PRIORITY: Final = re.compile(r"<\d{1,3}>", re.ASCII)
_KNOWN_COLUMNS: Final = 2
"""Names in a header that make a table: one alone is a word that any text may begin with."""


def sniff(text: str) -> FormatName:
    """Return the format of `text`: obl, json, jsonl, syslog, csv, else text. Never raises.

    Looks at the whole only where it could be one JSON document.
    """
    body = text.lstrip("\ufeff \t\r\n")
    if body.startswith(("{", "/*")) and MARK in body:
        return "obl"
    if body.startswith(("{", "[")) and _is(object, body):
        return "json"
    first = _FIRST_LINE.match(body)
    line = first[0].rstrip("\r") if first is not None else ""
    if line.startswith("{") and _is(dict, line):
        return "jsonl"
    if _OPENS_OBJECT.match(body):
        return "json"  # broken: its sender should hear that, and not find its lines as texts
    if _PRIORITY.match(line):
        return "syslog"
    names = {name.strip().strip('"') for name in line.split(delimiter_of(line))}
    return "csv" if len(names & KNOWN_FIELDS) >= _KNOWN_COLUMNS else "text"


def _is(kind: type, text: str) -> bool:
    try:
        return isinstance(json.loads(text), kind)
    except (ValueError, RecursionError):
        return False
