"""JSON and JSON Lines: entries as their senders wrote them, all or nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .lines import numbered_lines
from .problems import FormatError, Issue, parse_error, validation_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .entries import Entry

__all__ = ["load", "parse_json", "parse_jsonl"]


def load(text: str) -> Any:
    """Return what a strict parser makes of `text`. Integers keep their digits.

    Raises:
        FormatError: `Failed to parse line 3: invalid JSON`.

    """
    if text.startswith("\ufeff"):  # one inside of the body: its own was taken off
        raise parse_error(1, "invalid JSON", "a byte order mark at column 1")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at column {error.colno}"
        raise parse_error(error.lineno, "invalid JSON", reason) from None
    except RecursionError:
        raise parse_error(1, "invalid JSON", "nested too deeply") from None
    except ValueError as error:  # NaN, or an integer of more digits than Python converts
        reason = str(error) if isinstance(error, _ConstantError) else "a number is too long"
        raise parse_error(1, "invalid JSON", reason) from None


class _ConstantError(ValueError):
    pass


def _no_constant(name: str) -> NoReturn:
    raise _ConstantError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)
"""Made once: `json.loads` with an option makes a decoder for each line."""


def parse_json(text: str) -> Iterator[Entry]:
    """Yield the entries of `{"logs": [...]}`, of a bare array or of a single object."""
    document = load(text)
    if isinstance(document, dict) and "logs" in document:
        document = document["logs"]
        if not isinstance(document, list):
            raise validation_error([Issue(("logs",), "expected a list")])
    entries = document if isinstance(document, list) else [document]
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            path = ("logs", index) if isinstance(document, list) else ()
            raise validation_error([Issue(path, "expected an object")])
        yield entry


def parse_jsonl(text: str) -> Iterator[Entry]:
    """Yield one entry per line; empty lines are skipped."""
    for number, line in numbered_lines(text):
        if not line.strip():
            continue
        try:
            entry = load(line)
        except FormatError as error:
            raise parse_error(number, "invalid JSON", error.issues[0].message) from None
        if not isinstance(entry, dict):
            raise parse_error(number, "invalid JSON", "expected an object")
        yield entry
