"""Secrets that a name in front of them gives away: `password=x`, `'token': 'x'`, `pin = 1234`.

Works from the operators: at each `=` or `:` it looks back for a name and, if that names a secret,
forward for the value. Every place is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from ._keys import SAFE, WALK, lower, normalise
from ._marks import CUT, MASKED
from ._urls import unquote

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
    "soci",
    "onn",  # connection string
    "base",  # database url
    "saml",
)

WEAK: Final = frozenset({"token", "auth", "pin", "pass", "session"})
"""Names that prose uses too (`Token: unexpected end`): with `:` they must stand in quotes."""

# Second halves of names that prose writes in two words: `API key: x`, `card number = 4`.
_SECOND_WORDS: Final = frozenset({"key", "number", "code", "card", "phrase", "word"})

_NOTHING: Final = frozenset({"none", "null", "nil", "undefined", "true", "false"})

_OPERATOR = re.compile(r"[=:]+>?")
_NAME_MAX = 128
_NAME: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.[]%+$"
_WORD: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_QUOTES: Final = "\"'`"
_SEGMENT = re.compile(r"[\[\].:/]+")


def may_assign(low: str, rules: NameRules) -> bool:
    """Tell whether a text (lowered) holds any name that could be secret: a cheap first look."""
    if rules.custom_names or "%" in low:
        return True
    for separator in "_-+":
        if separator in low:
            low = low.replace(separator, "")
    return _holds_stem(low)


# One expression, compiled once: a loop over the stems takes twice as long, and this is the first look.
_holds_stem: Callable[[str], bool] = eval(  # noqa: S307 - built from the constants above
    "lambda low: " + " or ".join(f"{stem!r} in low" for stem in STEMS), {}
)


@dataclass(slots=True)
class _Name:
    """A name as it stands before an operator."""

    text: str
    quoted: bool
    query: bool
    """It is a parameter of a query: `?` or `&` stands before it."""
    outer_quote: str
    """The quote that opened directly before a name without quotes of its own, or nothing."""
    before: str
    """What stands before it, as far as it was looked at."""


def mask_assignments(text: str, rules: NameRules) -> str:
    """Return `text` with the values of secret names masked; names and quotes stay."""
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
    return "".join(parts)


def _secret_value(
    text: str, name: _Name, operator: re.Match[str], rules: NameRules
) -> tuple[int, int] | None:
    """Return the place of the value if `name` makes it a secret."""
    sign = operator.group()
    if sign.startswith("::"):
        return None  # `Token::Type` is a path of names
    verdict = _judge(name, rules)
    if verdict == SAFE:
        return None
    colon = "=" not in sign
    if colon and not name.quoted and _plain_name(name.text) in WEAK:
        return None
    return _find_value(text, operator.end(), name, verdict, colon=colon)


def _judge(name: _Name, rules: NameRules) -> int:
    decoded = unquote(name.text) if "%" in name.text or "+" in name.text else name.text
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


def _name_before(text: str, bound: int, end: int) -> _Name | None:
    tail = text[max(bound, end - _NAME_MAX - 8) : end].rstrip(" \t")
    inner = tail[:-1] if tail.endswith(('"]', "']")) else tail
    if inner and inner[-1] in _QUOTES:
        quote = inner[-1]
        inner = inner[:-1].rstrip("\\")
        opening = inner.rfind(quote)
        name = inner[opening + 1 :]
        if opening < 0 or "\n" in name:
            name = name[len(name.rstrip(_NAME)) :]
        return _Name(name, quoted=True, query=False, outer_quote="", before="") if name else None
    name = tail[len(tail.rstrip(_NAME)) :]
    if not name:
        return None
    before = tail[: len(tail) - len(name)]
    last = before[-1:]
    return _Name(
        name,
        quoted=False,
        query=last != "" and last in "?&#",
        outer_quote=last if last and last in _QUOTES else "",
        before=before,
    )


# --- values ---------------------------------------------------------------------------------------

_BLANKS = re.compile(r"[ \t]*")
_WHITE_SPACE = re.compile(r"[ \t\r\n]*")
_OPENING = re.compile(r"(?:[bBuUrRfF]{1,2}(?=[\"']))?(\\*)([\"'`])")
_CONTENT: Final = {quote: re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*", re.DOTALL) for quote in _QUOTES}
_BLOCK_SIGNS: Final = ("|", ">")
_BLOCK = re.compile(r"[|>][+\-]?[0-9]?[+\-]?[ \t]*\r?\n")
_LINE_END = re.compile(r"[\r\n]|\\[rn]")
_STRING_OR_BRACKET = re.compile(
    r"\"[^\"\\]*(?:\\.[^\"\\]*)*(?:\"|\\?\Z)"
    r"|(?<=[\[{(,:=\s])'[^'\\]*(?:\\.[^'\\]*)*(?:'|\\?\Z)"
    r"|[\[\]{}]",
    re.DOTALL,
)
# Where a value without quotes ends: at a blank, `&` or `<`; before the next field; at an outer quote.
_END = re.compile(
    r"[\s&<]"
    r"|[,;](?=\Z|[\s&<\"'{\[]|[A-Za-z_][A-Za-z0-9_.\-]*[\"']?[=:])"
    r"|[\"'`](?=\Z|[\s&<,;:)\]}>])"
)
_QUERY_END = re.compile(r"[\s&#<>\"'`]")
_TRAILING: Final = ".,;:!?)]}>\"'`" + CUT
_QUERY_TRAILING: Final = ").,;:!?" + CUT
_SCHEMES: Final = frozenset({"bearer", "basic", "token", "digest", "negotiate", "apikey"})


def _find_value(text: str, at: int, name: _Name, verdict: int, *, colon: bool) -> tuple[int, int] | None:
    """Return the place of what is to be masked, or None if there is no value."""
    if not name.query:
        at = _end_of(_WHITE_SPACE if name.quoted else _BLANKS, text, at)
    if colon and text[at : at + 1] in _BLOCK_SIGNS:
        block = _block(text, at)
        if block is not None:
            return block
    opening = _OPENING.match(text, at)
    if opening is not None:
        start = opening.end()
        return _unless_nothing(text, start, _quoted_end(text, start, opening))
    if colon and not name.quoted and _is_header(name.text):
        return _unless_nothing(text, at, _line_end(text, at, name.outer_quote))
    first = text[at : at + 1]
    if first and first in "{[":
        if first == "{" and verdict == WALK:
            return None  # an object under such a name is walked: its own names decide
        end = _balanced_end(text, at)
        if end - at == 2:  # an empty container
            return None
        more = text[end : end + 1]
        return at, end + len(_bare(text, end, query=False)) if more and more in _NAME else end
    run = _bare(text, at, query=name.query)
    if not name.query and lower(run) in _NOTHING:
        return None
    end = at + len(run)
    if lower(run) in _SCHEMES:
        following = _end_of(_BLANKS, text, end)
        end = following + len(_bare(text, following, query=False)) if following > end else end
    return _unless_nothing(text, at, end)


def _block(text: str, at: int) -> tuple[int, int] | None:
    """Return the place of a YAML block scalar (`password: |` and the lines below it), or None.

    The lines that belong to it are blank, or indented more than the line of the name.
    """
    opening = _BLOCK.match(text, at)
    if opening is None:
        return None
    line = text.rfind("\n", 0, at) + 1
    base = _end_of(_BLANKS, text, line) - line
    start = end = -1
    at = opening.end()
    while at < len(text):
        newline = text.find("\n", at)
        stop = newline if newline >= 0 else len(text)
        content = _end_of(_BLANKS, text, at)
        if text[content:stop].strip():
            if content - at <= base:
                break
            start = content if start < 0 else start
            end = stop
        at = stop + 1
    return None if start < 0 else _unless_nothing(text, start, start + len(text[start:end].rstrip()))


def _unless_nothing(text: str, start: int, end: int) -> tuple[int, int] | None:
    return None if start >= end or (end - start == 1 and text[start] == CUT) else (start, end)


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _is_header(name: str) -> bool:
    """Tell whether `name: value` is a header line whose value may hold blanks."""
    return normalise(name).endswith(("authorization", "cookie"))


def _line_end(text: str, at: int, outer_quote: str) -> int:
    found = _LINE_END.search(text, at)
    end = found.start() if found else len(text)
    if outer_quote:
        closing = text.find(outer_quote, at, end)
        end = closing if closing >= 0 else end
    return at + len(text[at:end].rstrip())


def _quoted_end(text: str, start: int, opening: re.Match[str]) -> int:
    """Return where the quote closes; a text that ends before it is all value."""
    slashes, quote = opening.groups()
    if slashes:  # a string within a string: `\"x\"`
        closing = text.find(slashes + quote, start)
        while closing > start and text[closing - 1] == "\\":
            closing = text.find(slashes + quote, closing + 1)
        return closing if closing >= 0 else len(text)
    end = start
    while True:
        end = _end_of(_CONTENT[quote], text, end)
        if text[end : end + 2] != quote * 2:  # a doubled quote (SQL, CSV, three quotes) closes nothing
            return end if text[end : end + 1] == quote else len(text)
        end += 2


def _balanced_end(text: str, at: int) -> int:
    """Return where the bracket at `at` is closed, or the end of the text."""
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text, at):
        sign = token.group()
        if sign in ("{", "["):
            depth += 1
        elif sign in ("}", "]"):
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)


def _bare(text: str, at: int, *, query: bool) -> str:
    """Return a value without quotes, and without the punctuation of the text around it."""
    found = (_QUERY_END if query else _END).search(text, at)
    run = text[at : found.start() if found else len(text)]
    trimmed = run.rstrip(_QUERY_TRAILING if query else _TRAILING)
    cut_mark = trimmed.endswith(MASKED[:-1]) and run.startswith("]", len(trimmed))
    return trimmed + "]" if cut_mark else trimmed


# --- pairs ----------------------------------------------------------------------------------------

_PAIR = re.compile(r"\(b?([\"'])([^\"'\\\s]{1,128})\1, ?(?=b?[\"'])")


def mask_pairs(text: str, rules: NameRules) -> str:
    """Mask `('password', 'x')` and `(b'x-api-key', b'x')`, as tuples of pairs are printed."""
    parts: list[str] = []
    done = 0
    for pair in _PAIR.finditer(text):
        opening = _OPENING.match(text, pair.end())
        if pair.start() < done or opening is None or rules.judge_name(pair[2], query=False) == SAFE:
            continue
        start = opening.end()
        end = _quoted_end(text, start, opening)
        if start < end and text[start:end] != MASKED:
            rules.masked += 1
            parts += (text[done:start], MASKED)
            done = end
    parts.append(text[done:])
    return "".join(parts)
