"""JSON text as tokens: what a strict parser (RFC 8259) takes and nothing else."""

from __future__ import annotations

import json
import re
from typing import Final

__all__ = [
    "MARK",
    "NUMBER",
    "STRING",
    "TOKEN",
    "WORD",
    "clean_string",
    "decode_string",
    "is_unfinished",
    "skip_blanks",
    "strange_number",
]

MARK: Final = 1
STRING: Final = 2
NUMBER: Final = 3
WORD: Final = 4
"""The groups of `TOKEN`: `lastindex` of a match tells the kind of the token."""

TOKEN: Final = re.compile(
    r"[ \t\n\r]*(?:"
    r"([{}\[\],:])"
    r'|("[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*")'
    r"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+\-]?[0-9]+)?)"
    r"|(true|false|null))"
)

_BLANKS = re.compile(r"[ \t\n\r]*")
_UNFINISHED_STRING = re.compile(
    r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*(?:\\(?:u[0-9A-Fa-f]{0,3})?)?\Z'
)
_UNFINISHED_NUMBER = re.compile(r"-?[0-9]*\.?[0-9]*(?:[eE][+\-]?[0-9]*)?\Z")
_WORDS: Final = ("true", "false", "null")

NUMBER_LENGTH: Final = 40
"""Longer numbers become strings: many parsers lose their digits or refuse them (MASKING.md section 6)."""

# An escape, the valid pair of two surrogates first; what stands in the group no strict parser takes.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
    r"|\\u([dD][89a-fA-F][0-9A-Fa-f]{2}|0000)"
    r"|\\."
)


def skip_blanks(text: str, at: int) -> int:
    """Return where the white space of JSON that begins at `at` ends."""
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def is_unfinished(text: str, start: int) -> bool:
    """Tell whether the rest of a cut text is the beginning of one scalar, or nothing."""
    rest = text[start : start + 1]
    if rest == '"':
        return _UNFINISHED_STRING.match(text, start) is not None
    if rest in ("t", "f", "n"):
        return any(text[start:] == word[: len(text) - start] for word in _WORDS)
    return rest == "" or _UNFINISHED_NUMBER.match(text, start) is not None


def decode_string(token: str) -> str:
    """Return what a string token, with its quotes, says."""
    if "\\" not in token:
        return token[1:-1]
    decoded: str = json.loads(token)
    return decoded


def clean_string(token: str) -> str:
    """Return a string token whose lone surrogates and NULs are escapes of U+FFFD."""
    return _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found.group(), token)


def strange_number(token: str) -> bool:
    """Tell whether a number is too long or too large for some strict parser."""
    if len(token) > NUMBER_LENGTH:
        return True
    return ("e" in token or "E" in token) and float(token) in (_INFINITY, -_INFINITY)


_INFINITY: Final = float("inf")
