"""The fast road for raw JSON in Python: the text split at its quotes, verdicts for its keys.

After a validating parse every second piece is a string and what lies between holds the structure.
Only what is hit is touched: at the price of the parse, a split and a join. Documents with anything
out of the ordinary (pairs, `{"name": "password", "value": ...}`, depth, strange numbers) are left
to `_scan`, which decides what is right. There is no Rust twin: `scan.rs` is fast by itself.
"""

from __future__ import annotations

import re
from itertools import compress, count, pairwise
from operator import not_
from typing import TYPE_CHECKING, Final

from ._json import dumps, is_valid
from ._keys import CHANGED, INPUT, LOC, MASK, NAME, TITLE, VALUE, WALK, Place
from ._lexer import decode_string
from ._limits import DEPTH_MAX
from ._marks import MASKED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._rules import Rules

__all__ = ["mask_at_quotes"]

_BLANKS: Final = (" ", "\t", "\n", "\r")

# Escapes while the text is split: control characters cannot stand in valid JSON. Each begins with the
# same one, so that one look tells whether a string has any, and each is as long as what it stands for.
_ESCAPE: Final = "\1"
_BACKSLASH: Final = "\1\1"
_QUOTE: Final = "\1\2"

_UNTAKEN: Final = re.compile("[\0\ud800-\udfff]").search
_SCALAR: Final = re.compile(r"[^,\]} \t\n\r]+")
_BRACKET: Final = re.compile(r"[\[{]|[\]}]")

# Structure as classes: digits and what else is in a number as `0`, brackets of both kinds as `(` and `)`.
_NUMBERS: Final = bytes.maketrans(b"123456789.eE+-", b"00000000000000")
_DIGITS: Final = bytes.maketrans(b"123456789E+", b"000000000e0")
_BRACKETS: Final = bytes.maketrans(b"[{]}", b"(())")
_NOT_BRACKETS: Final = bytes(sign for sign in range(256) if sign not in b"[{]}")
_LONG_NUMBER: Final = b"0" * 41
_LONG_EXPONENT: Final = b"e000"
_LONG_DIGITS: Final = b"0" * 13


def mask_at_quotes(text: str, rules: Rules) -> str | None:
    """Return a JSON document masked, or None where the plain road must decide.

    Adds to `rules.masked` only if it returns a text.
    """
    if not is_valid(text):
        return None
    escaped = "\\" in text
    work = _hide(text) if escaped else text
    parts = work.split('"')
    structure = "".join(parts[::2])
    if _is_strange(structure, rules):
        return None
    strings = parts[1::2]
    if escaped:
        for at in _with_escapes(work, strings):
            strings[at] = _show(strings[at])
            if _UNTAKEN(strings[at]):
                return None
    spread = any(blank in structure for blank in _BLANKS)
    return _Document(work, parts, strings, rules, spread=spread).masked(text)


def _hide(text: str) -> str:
    return text.replace("\\\\", _BACKSLASH).replace('\\"', _QUOTE).replace("\\", _ESCAPE)


def _unhide(text: str) -> str:
    return text.replace(_BACKSLASH, "\\\\").replace(_QUOTE, '\\"').replace(_ESCAPE, "\\")


def _with_escapes(work: str, strings: list[str]) -> Iterable[int]:
    """Return which strings have an escape: by their places if there are few, else by a look at each."""
    if work.count(_ESCAPE) > len(strings) >> 3:
        return [at for at, string in enumerate(strings) if _ESCAPE in string]
    found: list[int] = []
    quotes = done = 0
    at = work.find(_ESCAPE)
    while at >= 0:
        quotes += work.count('"', done, at)
        found.append(quotes >> 1)
        done = work.find('"', at)
        at = work.find(_ESCAPE, done)
    return found


def _show(piece: str) -> str:
    """Return what a string says whose escapes were hidden."""
    return decode_string(f'"{_unhide(piece)}"')


def _is_strange(structure: str, rules: Rules) -> bool:
    """Tell whether numbers or depth need a closer look."""
    raw = structure.encode()
    digits = raw.translate(_DIGITS)
    if _LONG_EXPONENT in digits or _LONG_NUMBER in raw.translate(_NUMBERS):
        return True
    if rules.values and _may_be_card(digits, structure):
        return True
    brackets = raw.translate(_BRACKETS, _NOT_BRACKETS)
    for _ in range(DEPTH_MAX):
        if not brackets:
            break
        brackets = brackets.replace(b"()", b"")
    return bool(brackets)


def _may_be_card(digits: bytes, structure: str) -> bool:
    """Tell whether some number could be that of a card; times in milliseconds begin with 1."""
    at = digits.find(_LONG_DIGITS)
    while at >= 0:
        if structure[at] in "234568" and structure[at - 1 : at] != ".":
            return True
        at += len(_LONG_DIGITS)
        while digits[at : at + 1] == b"0":
            at += 1
        at = digits.find(_LONG_DIGITS, at)
    return False


_NO_BLANKS: Final = str.maketrans("", "", " \t\n\r")
_IN_A_LIST: Final = ("[[", ",[")
_BEFORE_A_LIST: Final = ("[", ",")


class _Document:
    """One document, taken apart: `strings[i]` is what `parts[2 * i + 1]` says, `gaps[i]` follows it."""

    __slots__ = ("_count", "_edits", "_gaps", "_is_key", "_parts", "_rules", "_spread", "_strings", "_work")

    def __init__(
        self, work: str, parts: list[str], strings: list[str], rules: Rules, *, spread: bool
    ) -> None:
        self._spread = spread  # there is white space between tokens
        self._work = work
        self._parts = parts
        self._strings = strings
        self._gaps = parts[2::2]
        self._rules = rules
        # A colon stands behind a key and nowhere else between strings.
        self._is_key = [":" in gap for gap in self._gaps]
        self._edits: list[tuple[int, int, str]] = []
        """First part, last part, and what stands there instead."""
        self._count = 0

    def masked(self, text: str) -> str | None:
        """Return `text`, which this document was, masked; None if neighbours decide on a value."""
        rules = self._rules
        verdicts: dict[str, int] = {}
        roles = 0
        known = rules.keyring.walked(Place.PAYLOAD)
        for key in set(compress(self._strings, self._is_key)):
            verdict = known.get(key)
            if verdict is None:
                verdict = rules.verdict(key, Place.PAYLOAD)
            if verdict:
                roles |= verdict
                verdicts[key] = verdict
        if self._depends_on_siblings(roles, verdicts) or self._has_secret_pair():
            return None
        changed = rules.changed(list(compress(self._strings, map(not_, self._is_key))))
        verdicts = {key: verdict for key, verdict in verdicts.items() if verdict & (MASK | WALK | CHANGED)}
        if not verdicts and not changed:
            return text
        self._edit(verdicts, changed)
        rules.masked += self._count
        return self._joined(text)

    def _depends_on_siblings(self, roles: int, verdicts: dict[str, int]) -> bool:
        if roles & LOC and roles & INPUT:
            return True
        if not (roles & VALUE and roles & (NAME | TITLE)):
            return False
        naming = {key for key, verdict in verdicts.items() if verdict & (NAME | TITLE)}
        names = {
            self._strings[at + 1]
            for at in compress(count(), map(naming.__contains__, self._strings))
            if self._is_key[at] and not self._gaps[at].strip(" \t\n\r:")
        }
        return any(self._rules.judge_text(name, Place.PAYLOAD) for name in names)

    def _has_secret_pair(self) -> bool:
        """Tell whether a list in a list begins with the name of a secret: `[["password", "x"], ...]`."""
        work = self._work
        if self._spread:
            gaps = self._parts[:-1:2]  # each stands before the string of the same index
            if '[["' not in ('"'.join(gaps) + '"').translate(_NO_BLANKS):
                return False
            names = {
                string
                for gap, string in zip(gaps, self._strings, strict=True)
                if "[" in gap and gap.translate(_NO_BLANKS)[-2:] in _IN_A_LIST
            }
        elif '[["' in work:
            # A string may end in `[`, so a piece may hold no quote: then the name is longer than it.
            pieces = work.split('["')
            names = {
                piece.partition('"')[0] for before, piece in pairwise(pieces) if before[-1:] in _BEFORE_A_LIST
            }
            if any(_ESCAPE in name for name in names) or any('"' not in piece for piece in pieces[1:]):
                return True
        else:
            return False
        return any(self._rules.judge_text(name, Place.PAYLOAD) for name in names)

    def _edit(self, verdicts: dict[str, int], changed: dict[str, tuple[str, int]]) -> None:
        """Note what is to be written instead, from the first hit to the last."""
        done = 0  # strings before it are dealt with
        hits = verdicts.keys() | changed.keys()
        for at in compress(count(), map(hits.__contains__, self._strings)):
            if at < done:
                continue
            string = self._strings[at]
            if not self._is_key[at]:
                if string in changed:
                    self._write(at, *changed[string])
                continue
            verdict = verdicts.get(string, 0)
            if verdict & CHANGED:
                self._write(at, *self._rules.counted(self._rules.key, string))
            if verdict & (MASK | WALK):
                done = self._mask_value(at, walk=not verdict & MASK)

    def _write(self, at: int, masked: str, count: int) -> None:
        part = 2 * at + 1
        self._edits.append((part, part, dumps(masked)[1:-1]))
        self._count += count

    def _mask_value(self, at: int, *, walk: bool) -> int:
        """Mask the value of key number `at`; return the first string that is not in it."""
        gap = self._gaps[at]
        value = gap.lstrip(" \t\n\r:")
        if not value:
            if self._strings[at + 1] not in ("", MASKED):
                self._write(at + 1, MASKED, 1)
            return at + 2
        start = len(gap) - len(value)
        first = value[0]
        if first in "{[":
            if (walk and first == "{") or value[1:].lstrip(" \t\n\r")[:1] in ("}", "]"):
                return at + 1
            last, end = self._closing(at, start)
        elif first in "tfn":
            return at + 1
        else:
            last = at
            scalar = _SCALAR.match(gap, start)
            end = scalar.end() if scalar else len(gap)
        self._edits.append((2 * at + 2, 2 * last + 2, f"{gap[:start]}{_MASK}{self._gaps[last][end:]}"))
        self._count += 1
        return last + 1

    def _closing(self, at: int, start: int) -> tuple[int, int]:
        """Return where the bracket at `start` of gap number `at` closes: the gap and the place behind it."""
        depth = 0
        while True:
            for bracket in _BRACKET.finditer(self._gaps[at], start):
                depth += 1 if bracket.group() in "{[" else -1
                if depth == 0:
                    return at, bracket.end()
            at += 1
            start = 0

    def _joined(self, text: str) -> str:
        """Return `text` with the edits; its parts are as long as those that were split."""
        pieces: list[str] = []
        done = part = at = 0  # of the text that is written, of the parts, and of the text at that part
        for first, last, replacement in self._edits:
            at += sum(map(len, self._parts[part:first])) + first - part
            pieces += (text[done:at], replacement)
            done = at = at + sum(map(len, self._parts[first : last + 1])) + last - first
            part, at = last + 1, at + 1
        pieces.append(text[done:])
        return "".join(pieces)


_MASK: Final = dumps(MASKED)
