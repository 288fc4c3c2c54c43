"""Secrets that a name in front of them gives away: `password=x`, `'token': 'x'`, `pin = 1234`.

Works from the operators: at each `=` or `:` it looks back for a name and, if that names a secret,
forward for the value. Every place is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from ._keys import SAFE, normalise
from ._marks import MASKED
from ._messages import mask_inputs, mask_statements
from ._pairs import mask_lists, mask_named, mask_pairs
from ._spelling import LOOKALIKES, fold
from ._urls import unquote
from ._values import COLOUR, NAME_SIGNS, QUOTES, Name, find_value, is_annotated

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NameRules", "mask_assignments", "mask_pairs", "may_assign"]


class NameRules(Protocol):
    """What judges names found in a text; counts what is masked."""

    masked: int
    custom_names: bool
    """Names beyond the built-in ones are secret too, so the stems below do not tell."""

    def judge_name(self, name: str, *, query: bool) -> int:
        """Return the verdict on `name`."""


# Every built-in name holds one of these once `-`, `_` and `+` are gone; a test proves it.
STEMS: Final = (
    "ke",  # token, key, ticket
    "ss",  # password, session, ssn
    "cre",  # secret, credential, credit card
    "auth",
    "pin",
    "card",
    "pwd",
    "sid",
    "otp",
    "pan",
    "cv",  # cvv, cvc
    "ode",  # passcode, mfa code
    "ook",  # cookie
    "sig",
    "jwt",
    "srf",  # csrf, xsrf
    "dsn",
    "ccn",
    "bear",
    "mnem",
    "phras",
    "answer",
    "soci",
    "onn",  # connection string
    "base",  # database url
    "saml",
    "ntified",  # no name: `IDENTIFIED BY 'x'`
)

WEAK: Final = frozenset({"token", "auth", "pin", "pass", "session"})
"""Names that prose uses too (`Token: unexpected end`): with `:` they must stand in quotes."""

# Second halves of names that prose writes in two words: `API key: x`, `card number = 4`.
_SECOND_WORDS: Final = frozenset({"key", "number", "code", "card", "phrase", "word", "answer"})

_OPERATOR = re.compile(r"[=:]+>?")
_COMPOUND: Final = (" +", " .", " ||", " ??")  # `password += 'x'`
_NAME_MAX = 128
_WORD: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SEGMENT = re.compile(r"[\[\].:/]+")


def may_assign(low: str, rules: NameRules) -> bool:
    """Tell whether a text (lowered) holds any name that could be secret: a cheap first look."""
    if rules.custom_names or "%" in low:
        return True
    if not low.isascii():
        low = fold(low)
    for separator in "_-+":
        if separator in low:
            low = low.replace(separator, "")
    return _holds_stem(low)


# One expression, compiled once: a loop over the stems takes twice as long, and this is the first look.
_holds_stem: Callable[[str], bool] = eval(  # noqa: S307 - built from the constants above
    "lambda low: " + " or ".join(f"{stem!r} in low" for stem in STEMS), {}
)


def mask_assignments(text: str, rules: NameRules) -> str:
    """Return `text` with the values of secret names masked; names and quotes stay."""
    text = mask_named(mask_lists(mask_inputs(text, rules), rules), rules)
    parts: list[str] = []
    done = at = 0
    while True:
        operator = _OPERATOR.search(text, at)
        if operator is None:
            break
        at = operator.end()
        name = _name_before(text, done, operator.start())
        if name is None:
            continue
        place = _secret_value(text, name, operator, rules)
        if place is None:
            continue
        start, end = place
        if text[start:end] != MASKED:
            rules.masked += 1
            parts += (text[done:start], MASKED)
            done = end
        at = end
    parts.append(text[done:])
    # Last: what it masks may hold the name of what follows.
    return mask_statements("".join(parts), rules)


def _secret_value(text: str, name: Name, operator: re.Match[str], rules: NameRules) -> tuple[int, int] | None:
    """Return the place of the value if `name` makes it a secret."""
    sign = operator.group()
    if sign.startswith("::"):
        return None  # `Token::Type` is a path of names
    verdict = _judge(name, rules)
    if verdict == SAFE:
        return None
    colon = "=" not in sign
    is_prose = colon and not name.quoted and _plain_name(name.text) in WEAK
    if is_prose and not is_annotated(text, operator.end()):
        return None
    return find_value(text, operator.end(), name, verdict, colon=colon)


def _judge(name: Name, rules: NameRules) -> int:
    decoded = unquote(name.text) if "%" in name.text or "+" in name.text else name.text
    if not may_assign(decoded.lower(), rules) and normalise(name.text) not in _SECOND_WORDS:
        return SAFE
    verdict = rules.judge_name(decoded, query=name.query)
    if verdict == SAFE and name.before.endswith("\\") and not name.quoted:
        # `\ntoken=` in a JSON text that did not parse: the n belongs to the escape
        verdict = rules.judge_name(decoded[1:], query=name.query)
    if verdict == SAFE and not name.quoted and normalise(name.text) in _SECOND_WORDS:
        before = name.before
        if before.endswith((" ", "\t")):
            before = before[:-1]
            first = before[len(before.rstrip(_WORD)) :]
            if first:
                verdict = rules.judge_name(f"{first} {name.text}", query=False)
    return verdict


def _plain_name(name: str) -> str:
    segments = [segment for segment in _SEGMENT.split(name) if segment]
    normal = normalise(segments[-1]).rstrip("0123456789") if segments else ""
    return normal[:-1] if normal.endswith("s") and normal not in WEAK else normal


def _name_before(text: str, bound: int, end: int) -> Name | None:
    tail = text[max(bound, end - _NAME_MAX - 8) : end].rstrip(" \t")
    if "\x1b" in tail:
        tail = COLOUR.sub("\x1b", tail).rstrip(" \t\x1b")
    if tail.endswith(_COMPOUND):
        tail = tail.rstrip("+.|?").rstrip(" \t\x1b")
    signs = NAME_SIGNS if tail.isascii() else NAME_SIGNS + LOOKALIKES
    inner = tail[:-1] if tail.endswith(('"]', "']")) else tail
    if inner and inner[-1] in QUOTES:
        quote = inner[-1]
        inner = inner[:-1].rstrip("\\")
        opening = inner.rfind(quote)
        name = inner[opening + 1 :].strip("\x1b")
        if opening < 0 or "\n" in name:
            name = name[len(name.rstrip(signs)) :]
        return Name(name, quoted=True, query=False, outer_quote="", before="") if name else None
    name = tail[len(tail.rstrip(signs)) :]
    if not name:
        return None
    before = tail[: len(tail) - len(name)]
    last = before[-1:]
    return Name(
        name,
        quoted=False,
        query=last != "" and last in "?&#",
        outer_quote=last if last and last in QUOTES else "",
        before=before,
    )
