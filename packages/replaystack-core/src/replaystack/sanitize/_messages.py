"""Messages of other programs that repeat a secret: a validator's errors, statements of SQL.

The name stands there without an operator: on the line before, or as a keyword.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._keys import MASK, SAFE, lower
from ._marks import CUT, MASKED
from ._spelling import BLANKS
from ._values import quoted_end

if TYPE_CHECKING:
    from ._assignments import NameRules

__all__ = ["mask_inputs", "mask_statements"]


# --- the errors of a validator ----------------------------------------------------------------------

# password
#   String should have at least 8 characters [type=string_too_short, input_value='x', input_type=str]
_INPUT: Final = "input_value="
_INPUT_END: Final = ", input_type="
_MESSAGE_MAX = 1024  # what the error says stands between the path and the value
_PATH_MAX = 256  # longer paths are none that a person wrote
_SEGMENT_END = re.compile(r"[.\[\]]+")
_LINE_BREAK: Final = ("\n", "\\n")
_NOTHING: Final = frozenset({"", "''", '""', "None", "True", "False", "[]", "{}", "()", CUT, MASKED})


def mask_inputs(text: str, rules: NameRules) -> str:
    """Mask what an error of pydantic repeats of a field that is named like a secret."""
    if _INPUT not in text:
        return text
    parts: list[str] = []
    done = 0
    at = text.find(_INPUT)
    while at >= 0:
        start = end = at + len(_INPUT)
        if _is_secret_path(_path_before(text, max(done, at - _MESSAGE_MAX - _PATH_MAX), at), rules):
            end = _input_end(text, start)
            if text[start:end] not in _NOTHING:
                rules.masked += 1
                parts += (text[done:start], MASKED)
                done = end
        at = text.find(_INPUT, end)
    parts.append(text[done:])
    return "".join(parts)


def _path_before(text: str, floor: int, at: int) -> str:
    """Return the line before the one that holds `at`, or nothing if that is no line of an error."""
    above, line = _break_before(text, floor, at)
    if above < 0 or text[line : line + 1] not in (" ", "\t") or "[type=" not in text[line:at]:
        return ""
    _, start = _break_before(text, floor, above)
    path = text[start:above].strip(BLANKS)
    return path if len(path) <= _PATH_MAX else ""


def _break_before(text: str, floor: int, at: int) -> tuple[int, int]:
    """Return where the line ends before the one that holds `at`, or -1, and where that one begins.

    A line may also end with an escaped break, as in the repr of a message.
    """
    end, size = max((text.rfind(sign, floor, at), len(sign)) for sign in _LINE_BREAK)
    return (end, end + size) if end >= 0 else (-1, floor)


def _is_secret_path(path: str, rules: NameRules) -> bool:
    """Tell whether a path such as `items.0.cvv` or `token.str` (a branch of a union) names a secret."""
    if not path:
        return False
    if rules.judge_name(path, query=False) != SAFE:
        return True
    return any(rules.judge_name(segment, query=False) == MASK for segment in _SEGMENT_END.split(path))


def _input_end(text: str, start: int) -> int:
    """Return where the value ends: at the last sign of its end on the line, or behind it, or nowhere."""
    newline = text.find("\n", start)
    line = newline if newline >= 0 else len(text)
    end = text.rfind(_INPUT_END, start, line)
    end = end if end >= 0 else text.find(_INPUT_END, line)
    return end if end >= 0 else len(text)


# --- statements of SQL ------------------------------------------------------------------------------

# A quote that closes what stood before (`'your password ', 'x'`) opens nothing.
_QUOTE: Final = r"[ \t\r\n]* (\\*)([\"'])(?![,;:)\]}]*(?:[\s\"']|\Z))"
_STATEMENTS: Final = (
    ("password", re.compile(r"password" + _QUOTE, re.ASCII | re.IGNORECASE)),
    (
        "identified",
        re.compile(
            r"identified[ \t\r\n]+(?:with[ \t\r\n]+[\"']?[A-Za-z0-9_]{1,64}[\"']?[ \t\r\n]+)?(?:by|as)"
            r"(?:[ \t\r\n]+(?:values|password))?" + _QUOTE,
            re.ASCII | re.IGNORECASE,
        ),
    ),
)


def mask_statements(text: str, rules: NameRules) -> str:
    """Mask `PASSWORD 'x'` and `IDENTIFIED BY 'x'`."""
    if " '" not in text and ' "' not in text:
        return text
    for keyword, pattern in _STATEMENTS:
        text = _mask_behind(text, rules, keyword, pattern)
    return text


def _mask_behind(text: str, rules: NameRules, keyword: str, pattern: re.Pattern[str]) -> str:
    low = lower(text)
    parts: list[str] = []
    done = 0
    at = low.find(keyword)
    while at >= 0:
        end = at + len(keyword)
        opening = pattern.match(text, at)
        if opening is not None:
            start = opening.end()
            end = quoted_end(text, start, opening)
            if start < end and text[start:end] not in (MASKED, CUT):
                rules.masked += 1
                parts += (text[done:start], MASKED)
                done = end
        at = low.find(keyword, end)
    parts.append(text[done:])
    return "".join(parts)
