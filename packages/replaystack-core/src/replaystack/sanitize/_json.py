"""JSON text in, JSON values out, and back: the seam that the span masker will take over."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

__all__ = ["NotJsonError", "dumps", "loads", "loads_prefix"]

NUMBER_LENGTH: Final = 40
"""Longer numbers become strings: many parsers lose their digits or refuse them (MASKING.md section 6)."""

WHITE_SPACE: Final = " \t\r\n"


class NotJsonError(ValueError):
    """The text is no JSON that a strict parser would take."""


dumps: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode
"""Encode plain JSON values the way `json.dumps(ensure_ascii=False, separators=(",", ":"))` writes them."""


def loads(text: str) -> Any:
    """Decode one JSON document; raise `NotJsonError` for anything that a strict parser refuses."""
    try:
        try:
            return _decode(text)
        except json.JSONDecodeError:
            raise
        except ValueError:  # an integer of more digits than Python converts
            return _decode_long_numbers(text)
    except (ValueError, RecursionError) as error:
        raise NotJsonError("not JSON") from error


def _refuse(_constant: str) -> NoReturn:
    raise json.JSONDecodeError("NaN and Infinity are no JSON", "", 0)


def _float(digits: str) -> float | str:
    value = float(digits)
    return value if len(digits) <= NUMBER_LENGTH and value - value == 0 else digits


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= NUMBER_LENGTH else digits


_decode = json.JSONDecoder(parse_float=_float, parse_constant=_refuse).decode
_decode_long_numbers = json.JSONDecoder(parse_float=_float, parse_int=_int, parse_constant=_refuse).decode

# A string, complete or running into the end of the text; or a bracket, comma or colon; or a scalar.
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{},:]|[^\s\[\]{},:"]+', re.ASCII | re.DOTALL)


def loads_prefix(text: str) -> tuple[Any, int]:
    """Decode the beginning of a JSON document as if all that is open had ended there.

    The last unfinished token, and a key or a comma without its value, are left out. Return the
    value and the number of containers that were open; raise `NotJsonError` if the text cannot be
    the beginning of a document. Only what stood complete is in the value, so no half secret is.
    """
    closers: list[str] = []
    safe, open_there = 0, ""  # up to here the text is complete, and what closes it there
    after_colon = False
    for token in _TOKEN.finditer(text):
        mark = token.group()
        end = token.end()
        if mark in "{[":
            closers.append("}" if mark == "{" else "]")
        elif mark in "}]":
            if not closers or closers.pop() != mark:
                raise NotJsonError("not JSON")
        elif mark in ",:":
            after_colon = mark == ":"
            continue
        elif not _complete(mark, end, len(text)):
            break
        elif closers and closers[-1] == "}" and not after_colon:
            continue  # a key: nothing is complete until its value is
        after_colon = False
        safe, open_there = end, "".join(reversed(closers))
    if not safe:
        raise NotJsonError("not JSON")
    return loads(text[:safe] + open_there), len(open_there)


def _complete(token: str, end: int, length: int) -> bool:
    """Tell whether a string or scalar cannot go on after the cut."""
    if token[0] == '"':
        return len(token) > 1 and token[-1] == '"' and _ends_string(token)
    return end < length


def _ends_string(token: str) -> bool:
    body = token[:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 0
