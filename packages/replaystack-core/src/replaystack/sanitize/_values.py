"""The value behind a name in a text: where it begins and where it ends.

Quoted, bracketed or bare, a block or a list of YAML. Every place is looked at a bounded number of times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ._keys import WALK
from ._marks import CUT, MASKED
from ._spelling import BLANKS, lower, normalise

__all__ = [
    "COLOUR",
    "NAME_SIGNS",
    "OPENING",
    "QUOTES",
    "Name",
    "bare",
    "find_value",
    "is_annotated",
    "quoted_end",
]

NAME_SIGNS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-.[]%+$"
QUOTES: Final = "\"'`"
_NOTHING: Final = frozenset({"none", "null", "nil", "undefined", "true", "false"})


@dataclass(slots=True)
class Name:
    """A name as it stands before an operator."""

    text: str
    quoted: bool
    query: bool
    """It is a parameter of a query: `?` or `&` stands before it."""
    outer_quote: str
    """The quote that opened directly before a name without quotes of its own, or nothing."""
    before: str
    """What stands before it, as far as it was looked at."""


_BLANKS = re.compile(r"[ \t]*")
_WHITE_SPACE = re.compile(r"[ \t\r\n]*")
OPENING = re.compile(r"(?:[bBuUrRfF]{1,2}(?=[\"']))?(\\*)([\"'`])")
_CONTENT: Final = {quote: re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*", re.DOTALL) for quote in QUOTES}
_BLOCK_SIGNS: Final = ("|", ">")
_BLOCK = re.compile(r"[|>][+\-]?[0-9]?[+\-]?[ \t]*\r?\n")
_NEXT_LINE = re.compile(r"\r?\n")
_LIST = re.compile(r"- +[^ \t\r\n]")
_MORE_WORDS = re.compile(r"(?:[ \t]+[a-z]{3,8}(?![A-Za-z0-9_=:]))*")  # as the words of a wallet's phrase are
# The line, or the quote around it, whichever ends first: to look for one behind the other would be a square.
_LINE_ENDS: Final = {quote: re.compile(rf"[\r\n]|\\[rn]|{quote or chr(10)}") for quote in ("", *QUOTES)}
_STRING: Final = (
    r"\"[^\"\\]*(?:\\.[^\"\\]*)*(?:\"|\\?\Z)"
    r"|(?<=[\[{(,:=\s])'[^'\\]*(?:\\.[^'\\]*)*(?:'|\\?\Z)"
)
_STRING_OR_BRACKET = re.compile(_STRING + r"|[\[\]{}]", re.ASCII | re.DOTALL)
_STRING_OR_PARENTHESIS = re.compile(_STRING + r"|[()]", re.ASCII | re.DOTALL)
_CALL = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_.]{0,63})?\(")  # a tuple, or what an object shows of itself
COLOUR = re.compile(r"\x1b\[[0-9;:]{0,32}[A-Za-z]")
"""What colours a log on a terminal."""
_COLOURS = re.compile(rf"(?:[ \t]*{COLOUR.pattern})*")
# Authentication whose credentials are parameters, with blanks between them.
_PARAMETERS = re.compile(
    r"(?:digest|hawk|oauth|mac|signature|aws4-[a-z0-9\-]{1,32})[ \t]", re.ASCII | re.IGNORECASE
)
_WORD_OF_TYPE: Final = r"[A-Za-z_][A-Za-z0-9_.]{0,63}"
_ANNOTATION = re.compile(  # `password: Optional[str] = 'x'`
    rf"({_WORD_OF_TYPE}(?:\[[A-Za-z0-9_.,|\[\] \t\"']{{0,128}}\])?(?:[ \t]*\|[ \t]*{_WORD_OF_TYPE}){{0,4}})"
    r"[ \t]+=(?![=>])[ \t]*(?=[^ \t\r\n])",
    re.ASCII,
)
_WORDS = re.compile(r"[A-Za-z0-9_]+")
_TYPES: Final = frozenset(
    """str string bytes bytearray int integer float decimal bool boolean char number object any none null
    undefined unknown list dict tuple set optional union annotated final classvar literal text typing
    pydantic t secret secretstr secretbytes""".split()  # noqa: SIM905 - reads as a table
)
# Where a value without quotes ends: at a blank, `&` or `<`; before the next field; at an outer quote.
_END = re.compile(
    r"[\s&<]"
    r"|[,;](?=\Z|[\s&<\"'{\[]|[A-Za-z_][A-Za-z0-9_.\-]*[\"']?[=:])"
    r"|[\"'`](?=\Z|[\s&<,;:)\]}>])",
    re.ASCII,
)
_QUERY_END = re.compile(r"[\s&#<>\"'`]", re.ASCII)
_TRAILING: Final = ".,;:!?)]}>\"'`" + CUT
_QUERY_TRAILING: Final = ").,;:!?" + CUT
_SCHEMES: Final = frozenset({"bearer", "basic", "token", "digest", "negotiate", "apikey"})


def find_value(text: str, at: int, name: Name, verdict: int, *, colon: bool) -> tuple[int, int] | None:
    """Return the place of what is to be masked, or None if there is no value."""
    at = _end_of(_COLOURS, text, at)
    if not colon or name.query:
        return _value(text, at, name, verdict, colon=colon)
    at = _end_of(_BLANKS, text, at)
    block = _block(text, at) if text[at : at + 1] in _BLOCK_SIGNS else _below(text, at, name)
    if block is not None:
        return block
    annotation = None if name.quoted or _is_header(name.text) else _ANNOTATION.match(text, at)
    if annotation is not None:
        place = _value(text, annotation.end(), name, verdict, colon=False)
        if _is_type(annotation[1]):
            return place
        if place is not None:
            return at, place[1]  # `password: x = 'y'`: nobody can tell which of them it is
    return _value(text, at, name, verdict, colon=True)


def _value(text: str, at: int, name: Name, verdict: int, *, colon: bool) -> tuple[int, int] | None:
    if not name.query:
        at = _end_of(_WHITE_SPACE if name.quoted else _BLANKS, text, at)
    opening = OPENING.match(text, at)
    if opening is not None:
        start = opening.end()
        return _unless_nothing(text, start, quoted_end(text, start, opening))
    if not name.quoted and _is_header(name.text) and (colon or _is_parameters(text, at, name)):
        return _unless_nothing(text, at, _line_end(text, at, name.outer_quote))
    bracket = _bracket(text, at, name)
    if bracket >= 0:
        return _bracketed(text, at, bracket, verdict)
    run = bare(text, at, query=name.query)
    if not name.query and lower(run) in _NOTHING:
        return None
    end = at + len(run)
    if lower(run) in _SCHEMES:
        following = _end_of(_BLANKS, text, end)
        end = following + len(bare(text, following, query=False)) if following > end else end
    if run != MASKED and _is_phrase(name.text):
        end = _end_of(_MORE_WORDS, text, end)
    return _unless_nothing(text, at, end)


def _bracket(text: str, at: int, name: Name) -> int:
    """Return where the bracket opens that the value at `at` is, or that follows the name of a call, or -1."""
    if text.startswith(("{", "["), at):
        return at
    if name.query:
        return -1
    call = _CALL.match(text, at)
    return call.end() - 1 if call else -1


def _bracketed(text: str, at: int, bracket: int, verdict: int) -> tuple[int, int] | None:
    if text[at] == "{" and verdict == WALK:
        return None  # an object under such a name is walked: its own names decide
    end = _balanced_end(text, bracket)
    if end - at == 2:  # an empty container
        return None
    more = text[end : end + 1]
    return at, end + len(bare(text, end, query=False)) if more and more in NAME_SIGNS else end


def _block(text: str, at: int) -> tuple[int, int] | None:
    """Return the place of a YAML block scalar (`password: |` and the lines below it), or None.

    The lines that belong to it are blank, or indented more than the line of the name.
    """
    opening = _BLOCK.match(text, at)
    if opening is None:
        return None
    line = text.rfind("\n", 0, at) + 1
    base = _end_of(_BLANKS, text, line) - line
    return _unless_nothing(text, *_lines(text, opening.end(), base, items=False))


def _below(text: str, at: int, name: Name) -> tuple[int, int] | None:
    """Return the place of a YAML list or a quoted text below a name that stands alone on its line."""
    opening = _NEXT_LINE.match(text, at)
    if opening is None:
        return None
    line = text.rfind("\n", 0, at) + 1
    head = text[line:at].strip(" \t:\"'")
    if head.lstrip("- ") != name.text.lstrip("-"):
        return None  # in prose, what follows a colon is an enumeration
    column = len(text[line:at]) - len(text[line:at].lstrip("- \t"))
    content = _end_of(_BLANKS, text, opening.end())
    indent = content - opening.end()
    found = OPENING.match(text, content)
    if found is not None and indent > column:
        return _unless_nothing(text, found.end(), quoted_end(text, found.end(), found))
    if indent < column or not _LIST.match(text, content):
        return None
    _, end = _lines(text, opening.end(), indent, items=True)
    return _unless_nothing(text, content + 2, end)


def _lines(text: str, at: int, base: int, *, items: bool) -> tuple[int, int]:
    """Return the place of the lines from `at` on that are blank or indented more than `base`.

    Those that begin the `items` of a list stand at `base` itself.
    """
    start = end = -1
    while at < len(text):
        newline = text.find("\n", at)
        stop = newline if newline >= 0 else len(text)
        content = _end_of(_BLANKS, text, at)
        if text[content:stop].strip(BLANKS):
            deeper = content - at > base or (
                items and content - at == base and text.startswith("- ", content)
            )
            if not deeper:
                break
            start = content if start < 0 else start
            end = stop
        at = stop + 1
    return (0, 0) if start < 0 else (start, start + len(text[start:end].rstrip(BLANKS)))


def _unless_nothing(text: str, start: int, end: int) -> tuple[int, int] | None:
    return None if start >= end or (end - start == 1 and text[start] == CUT) else (start, end)


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def is_annotated(text: str, at: int) -> bool:
    """Tell whether a known type and ` = value` stand behind a colon: `token: str = 'x'`."""
    annotation = _ANNOTATION.match(text, _end_of(_BLANKS, text, at))
    return annotation is not None and _is_type(annotation[1])


def _is_type(annotation: str) -> bool:
    return all(lower(word) in _TYPES for word in _WORDS.findall(annotation))


def _is_parameters(text: str, at: int, name: Name) -> bool:
    return not name.query and _PARAMETERS.match(text, at) is not None


def _is_header(name: str) -> bool:
    """Tell whether `name: value` is a header line whose value may hold blanks."""
    return normalise(name).endswith(("authorization", "cookie"))


def _is_phrase(name: str) -> bool:
    """Tell whether the value is a row of words: the one that opens a wallet."""
    normal = normalise(name)
    return normal == "phrase" or normal.endswith(("seedphrase", "recoveryphrase", "mnemonic"))


def _line_end(text: str, at: int, outer_quote: str) -> int:
    found = _LINE_ENDS[outer_quote].search(text, at)
    end = found.start() if found else len(text)
    return at + len(text[at:end].rstrip(BLANKS))


def quoted_end(text: str, start: int, opening: re.Match[str]) -> int:
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
    tokens = _STRING_OR_PARENTHESIS if text[at] == "(" else _STRING_OR_BRACKET
    for token in tokens.finditer(text, at):
        sign = token.group()
        if sign in ("{", "[", "("):
            depth += 1
        elif sign in ("}", "]", ")"):
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)


def bare(text: str, at: int, *, query: bool) -> str:
    """Return a value without quotes, and without the punctuation of the text around it."""
    found = (_QUERY_END if query else _END).search(text, at)
    run = text[at : found.start() if found else len(text)]
    trimmed = _without_colours(run.rstrip(_QUERY_TRAILING if query else _TRAILING))
    if trimmed != run and not query:
        trimmed = trimmed.rstrip(_TRAILING)
    cut_mark = trimmed.endswith(MASKED[:-1]) and run.startswith("]", len(trimmed))
    return trimmed + "]" if cut_mark else trimmed


def _without_colours(run: str) -> str:
    """Return `run` without the colours at its end: they belong to the text around it."""
    end = len(run)
    at = run.rfind("\x1b")
    while at >= 0 and COLOUR.fullmatch(run, at, end):
        end = at
        at = run.rfind("\x1b", 0, end)
    return run[:end]
