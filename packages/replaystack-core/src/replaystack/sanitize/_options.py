"""Secrets on a command line: `--password x`, `['--token', 'x']`, `curl -u user:password`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._keys import SAFE, lower
from ._marks import MASKED
from ._values import OPENING, bare, quoted_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._assignments import NameRules

__all__ = ["mask_options"]

_BETWEEN = r"(?:[ \t]+|\\*[\"'],[ \t]*(?=[bu]?\\*[\"']))"  # a blank, or from one item of a list to the next
_OPTION = re.compile(r"(?<![A-Za-z0-9\-])--([A-Za-z][A-Za-z0-9_.\-]{0,63})" + _BETWEEN)
_USER = re.compile(r"(?<![A-Za-z0-9\-])(?:-[uU]|--(?:proxy-)?user)(?:=|" + _BETWEEN + ")")
_NAME_AND_PASSWORD = re.compile(r"(?![0-9]*:)[^:]{1,64}:.", re.DOTALL)  # `1000:1000` is a user by number

# Options that take no secret behind them: a switch, or a place where the secret lies.
_SWITCH = re.compile(
    r"(?:no|ask|without|skip)[_\-]|.*[_\-](?:stdin|file|prompt|path|env)\Z", re.ASCII | re.IGNORECASE
)
# What follows the name of an option in prose: `--password is required`.
_PROSE: Final = frozenset(
    """a an and are argument be can cannot does expects flag for from has if in instead is must needs not of
    on option or parameter required requires should switch the then to was when will with""".split()  # noqa: SIM905 - reads as a table
)


def mask_options(text: str, rules: NameRules) -> str:
    """Mask what follows an option that is named like a secret, and what `curl` logs in with."""
    text = _mask_arguments(text, rules, _OPTION, _is_argument)
    return _mask_arguments(text, rules, _USER, _is_login) if "curl" in text else text


def _mask_arguments(
    text: str, rules: NameRules, pattern: re.Pattern[str], is_secret: Callable[[str], bool]
) -> str:
    parts: list[str] = []
    done = seen = 0
    for option in pattern.finditer(text):
        if option.start() < seen or not _is_named(option, rules):
            continue
        start, end = _argument(text, option.end())
        seen = end  # looked at once, whatever is in it
        if text[start:end] != MASKED and is_secret(text[start:end]):
            rules.masked += 1
            parts += (text[done:start], MASKED)
            done = end
    parts.append(text[done:])
    return "".join(parts)


def _is_named(option: re.Match[str], rules: NameRules) -> bool:
    if not option.re.groups:
        return True
    return not _SWITCH.match(option[1]) and rules.judge_name(option[1], query=False) != SAFE


def _is_argument(word: str) -> bool:
    return word != "" and not word.startswith("-") and lower(word) not in _PROSE


def _is_login(word: str) -> bool:
    return _NAME_AND_PASSWORD.match(word) is not None


def _argument(text: str, at: int) -> tuple[int, int]:
    opening = OPENING.match(text, at)
    if opening is not None:
        return opening.end(), quoted_end(text, opening.end(), opening)
    return at, at + len(bare(text, at, query=False))
