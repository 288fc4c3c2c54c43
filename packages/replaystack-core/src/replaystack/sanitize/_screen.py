"""The first look at many texts at once: which of them any value rule could change.

`_text.look` says the same of one text. A call for each string would cost more than all the rules that
follow, so this asks in C: first of all texts joined, then, for what was found there, of each. There is
no Rust twin: a look at one string is cheap there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ._cards import SIGNS, SIGNS_OF_CARDS
from ._tokens import VENDOR_LITERALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["suspects", "unencodable"]

_BETWEEN: Final = "\0"
"""Stands between the joined texts."""

_SCHEMES: Final = (b"bearer", b"basic", b"token")
_LITERALS: Final = (":", "=", "<", "(", "%", "&lt;", "--", "curl", " '", "eyJ", *VENDOR_LITERALS)
# A search for one character costs next to nothing, so what holds a rare one is looked for behind it.
_UNDERSCORED: Final = tuple(literal.encode() for literal in _LITERALS if "_" in literal)
_DASHED: Final = tuple(literal.encode() for literal in _LITERALS if "-" in literal and "_" not in literal)
_OTHERS: Final = tuple(literal.encode() for literal in _LITERALS if "_" not in literal and "-" not in literal)
_JSON: Final = (b"{", b"[", b'"')
"""A text that is a JSON document holds one of them."""

_FEW: Final = 8  # the looks at the joined text cost as much as the looks at so many single ones


def suspects(texts: Sequence[str]) -> Iterable[str]:
    """Return every text that `_text.mask` might change, and few others; each once."""
    if len(texts) < _FEW:
        return set(texts)
    try:
        raw = _BETWEEN.join(texts).encode()
    except UnicodeEncodeError:  # a lone surrogate, which each text loses on its way
        return set(texts)
    if raw.count(b"\0") != len(texts) - 1:
        return set(texts)
    found: set[str] = set()
    for literal in _literals_in(raw, len(texts)):
        found.update(_where(literal, raw, texts))
    low = raw.lower()
    for scheme in _SCHEMES:
        if scheme in low:
            found.update(_where(scheme, low, texts))
    digits = raw.translate(SIGNS)
    for card in SIGNS_OF_CARDS:
        if card in digits:
            found.update(_where(card, digits, texts))
    return found


def unencodable(texts: Sequence[str]) -> Iterable[str]:
    """Return the texts that hold a lone surrogate, or all of them if some do."""
    try:
        _BETWEEN.join(texts).encode()
    except UnicodeEncodeError:
        return set(texts)
    return ()


def _literals_in(raw: bytes, number: int) -> list[bytes]:
    """Return what stands for the rules in `number` texts, so that each text with a secret holds one."""
    literals = [literal for literal in (*_JSON, *_OTHERS) if literal in raw]
    if b"-" in raw:
        literals += [literal for literal in _DASHED if literal in raw]
    underscores = raw.count(b"_")
    if underscores > number >> 3:
        literals += [literal for literal in _UNDERSCORED if literal in raw]
    elif underscores:
        literals.append(b"_")
    return literals


def _where(part: bytes, raw: bytes, texts: Sequence[str]) -> list[str]:
    """Return the texts that hold `part`: by its places if they are few, else by a look at each."""
    if raw.count(part) > len(texts) >> 2:
        return [text for text, form in zip(texts, raw.split(b"\0"), strict=True) if part in form]
    found: list[str] = []
    number = done = 0
    at = raw.find(part)
    while at >= 0:
        number += raw.count(b"\0", done, at)
        found.append(texts[number])
        done = raw.find(b"\0", at + 1)
        at = raw.find(part, done) if done >= 0 else -1
    return found
