"""How a key may be spelled: which characters do not count, its segments, its words, its variants.

The Rust twin mirrors this module. All classes are of ASCII, but for the look-alikes that are folded.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "BLANKS",
    "LOOKALIKES",
    "TAILS",
    "first_word",
    "fold",
    "last_word",
    "lower",
    "normalise",
    "segments_of",
    "variants_of",
    "without_tail",
]

BLANKS: Final = " \t\n\r\f\v"
"""White space, everywhere in this package: that of ASCII, for `strip` as for `\\s` in a pattern."""

_SEPARATORS = str.maketrans("", "", "-_ \t\r\n")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_DIGITS: Final = "0123456789"
_SEGMENT = re.compile(r"[\[\].:/]+")
_LETTER = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])|[A-Z]")

# What nobody sees (soft hyphen, zero-width blanks and joiners, byte order mark), and the full-width
# forms of ASCII: they hide a name from a program and from no reader.
_FOLDED = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff\uff01-\uff5e]")
_FOLD: Final[dict[int, int | None]] = {
    **dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF)),
    **{wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)},
}

LOOKALIKES: Final = "".join(
    chr(sign) for sign, plain in _FOLD.items() if plain is None or chr(plain).isalnum() or chr(plain) in "-_."
)
"""The folded signs that a name in a text may hold."""

# What may stand behind a secret word without making it harmless: `tokenValue`, `pwdHash`.
TAILS: Final = ("value", "values", "hash", "hashes")


def fold(text: str) -> str:
    """Return `text` without invisible characters, full-width letters and signs as their ASCII ones."""
    return text if text.isascii() or not _FOLDED.search(text) else text.translate(_FOLD)


def lower(text: str) -> str:
    """Lower the ASCII letters and nothing else: `str.lower` would turn a Kelvin sign into a k."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def normalise(key: str) -> str:
    """Return the spelling that all variants of a key share: lower case, no `-`, `_` and blanks."""
    if key.isascii():
        return key.lower().translate(_SEPARATORS)
    return lower(fold(key)).translate(_SEPARATORS)


def segments_of(key: str) -> list[str]:
    """Split `user[card][number]` and `a.b:c/d`; what has no letter (`[0]`) is no segment."""
    return [segment for segment in _SEGMENT.split(key) if _LETTER.search(segment)]


def variants_of(normal: str) -> list[str]:
    """Return the key itself, and without trailing digits, each also without one trailing `s`."""
    bare = normal.rstrip(_DIGITS)
    variants = [normal] if bare == normal else [normal, bare]
    variants += [variant[:-1] for variant in variants if variant.endswith("s")]
    return [variant for variant in variants if variant]


def without_tail(normal: str) -> str:
    """Return a normalised key without `value`, `hash` or a version (`v2`) at its end, or nothing."""
    bare = normal.rstrip(_DIGITS)
    if bare != normal and bare.endswith("v"):
        return bare[:-1]
    return next((bare[: -len(tail)] for tail in TAILS if bare.endswith(tail)), "")


def first_word(segment: str) -> str:
    """Return the first word, by separator or case change, in lower case."""
    found = _WORD.search(segment)
    return lower(found.group()) if found else ""


def last_word(segment: str) -> str:
    """Return the last word without its digits: `pans` for `userPANs2`, `pin` for `user_pin_2`, `pin_v2`."""
    trimmed = segment.rstrip(_DIGITS + "-_ ")
    words: list[str] = _WORD.findall(trimmed)
    if not words:
        return ""
    word = lower(words[-1])
    if len(words) > 1 and (word in TAILS or (word == "v" and segment != trimmed)):
        word = lower(words[-2])
    return word
