"""Secrets whose name stands beside them: `('password', 'x')`, `{"name": "password", "value": "x"}`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._keys import MASK, NAME, SAFE, TITLE, VALUE, is_title, role
from ._marks import MASKED
from ._spelling import BLANKS
from ._values import Name, find_value

if TYPE_CHECKING:
    from ._assignments import NameRules

__all__ = ["mask_lists", "mask_named", "mask_open_object", "mask_pairs"]

# A name in quotes, then a text, a container, a number or the call of a class: `SecretStr('x')`.
_HALVES: Final = (
    r"{opening}b?([\"'])([^\"'\\\s]{{1,128}})\1[ \t\r\n]*,[ \t\r\n]*"
    r"(?=b?[\"']|[\[({{]|-?[0-9]|[A-Za-z_][A-Za-z0-9_.]{{0,63}}\()"
)
_PAIR = re.compile(_HALVES.format(opening=r"\("), re.ASCII)
_LISTED = re.compile(_HALVES.format(opening=r"\[[ \t\r\n]*"), re.ASCII)
_NUMBER = re.compile(r"-?[0-9][A-Za-z0-9_.+\-]*")
_INDENT_MAX = 64  # blanks between the items of a printed list


def mask_pairs(text: str, rules: NameRules) -> str:
    """Mask `('password', 'x')` and `(b'x-api-key', b'x')`, as tuples of pairs are printed."""
    return _mask_halves(text, rules, _PAIR)


def mask_lists(text: str, rules: NameRules) -> str:
    """Mask `[["password", "x"]]`: a pair within a list. A list alone may be one of names."""
    return _mask_halves(text, rules, _LISTED) if "[" in text else text


def _mask_halves(text: str, rules: NameRules, pattern: re.Pattern[str]) -> str:
    parts: list[str] = []
    done = 0
    for pair in pattern.finditer(text):
        if pair.start() < done or (pattern is _LISTED and not _is_listed(text, pair.start())):
            continue
        verdict = rules.judge_name(pair[2], query=False)
        place = _second_half(text, pair.end(), verdict) if verdict != SAFE else None
        if place is not None and text[slice(*place)] != MASKED:
            rules.masked += 1
            parts += (text[done : place[0]], MASKED)
            done = place[1]
    parts.append(text[done:])
    return "".join(parts)


def _is_listed(text: str, at: int) -> bool:
    """Tell whether the list that begins at `at` is an item of another one."""
    return text[max(0, at - _INDENT_MAX) : at].rstrip(BLANKS)[-1:] in ("[", ",")


def _second_half(text: str, at: int, verdict: int) -> tuple[int, int] | None:
    number = _NUMBER.match(text, at)
    return number.span() if number else find_value(text, at, _VALUE_NAME, verdict, colon=False)


# --- name and value in one object -------------------------------------------------------------------

_NAMED = re.compile(
    r"[\"']([A-Za-z_]{2,8})\\*[\"'][ \t\r\n]*(?::|=>?)[ \t\r\n]*[bu]?\\*[\"']([^\"'\\\r\n]{1,128})\\*[\"']"
)
_VALUED = re.compile(r"[\"']([A-Za-z_]{3,8})\\*[\"'][ \t\r\n]*(:|=>?)")
_BRACE = re.compile(r"[{}]")
_VALUE_NAME: Final = Name("value", quoted=True, query=False, outer_quote="", before="")
_SPAN = 1024
"""How far from the name its object may begin and end: entries of this form are short."""
_NESTED_MAX = 8  # objects within it that are passed over on either side


def mask_named(text: str, rules: NameRules) -> str:
    """Mask `{"name": "password", "value": "x"}` within a longer text, in either order."""
    if "{" not in text or ("al" not in text and "AL" not in text and "efault" not in text):
        return text  # no object, or no `value`, `val` or `default`
    parts: list[str] = []
    done = 0
    for named in _NAMED.finditer(text):
        if named.start() < done:
            continue
        verdict = _verdict(role(named[1]), named[2], rules)
        if verdict == SAFE:
            continue
        start, end = _object_around(text, named.start())
        # What stands before a value that is masked now is left to the next round.
        for at, colon in _values_in(text, max(start, done), end):
            place = find_value(text, at, _VALUE_NAME, verdict, colon=colon) if at >= done else None
            if place is not None and text[slice(*place)] != MASKED:
                rules.masked += 1
                parts += (text[done : place[0]], MASKED)
                done = place[1]
    parts.append(text[done:])
    return "".join(parts)


def mask_open_object(text: str, rules: NameRules) -> str:
    """Mask each `value` in the objects that are open at the end of a text that was cut.

    Their names may have been cut off.
    """
    places: list[tuple[int, int]] = []
    at = len(text)
    for _ in range(_NESTED_MAX):
        start, _end = _object_around(text, at)
        if start >= at:
            break
        for behind, colon in _values_in(text, start, at):
            place = find_value(text, behind, _VALUE_NAME, MASK, colon=colon)
            if place is not None and text[slice(*place)] != MASKED:
                places.append(place)
        at = start
    parts: list[str] = []
    done = 0
    for start, end in sorted(places):
        if start >= done:
            rules.masked += 1
            parts += (text[done:start], MASKED)
            done = end
    parts.append(text[done:])
    return "".join(parts)


def _verdict(kind: int, name: str, rules: NameRules) -> int:
    if kind == NAME:
        return rules.judge_name(name, query=False)
    if kind == TITLE and is_title(name):
        return rules.judge_name(name, query=False) & MASK
    return SAFE


def _values_in(text: str, start: int, end: int) -> list[tuple[int, bool]]:
    """Return where the `value` keys of an object end, and whether a colon stands there."""
    keys = _VALUED.finditer(text, start, end)
    return [(key.end(), key[2] == ":") for key in keys if role(key[1]) == VALUE]


def _object_around(text: str, at: int) -> tuple[int, int]:
    """Return the place between the braces around `at`, or an empty one; an object may end with the text."""
    start, depth, floor = at, 0, max(0, at - _SPAN)
    for _ in range(_NESTED_MAX):
        opening, closing = text.rfind("{", floor, start), text.rfind("}", floor, start)
        start = max(opening, closing)
        if start < 0:
            return at, at
        depth += 1 if closing > opening else -1
        if depth < 0:
            break
    end, depth = min(len(text), at + _SPAN), 0
    for brace in _BRACE.finditer(text, at, end):
        depth += 1 if brace.group() == "{" else -1
        if depth < 0:
            return start, brace.start()
    return start, end
