"""The value rules over one text: which of them to try, in which order, until nothing changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from ._assignments import NameRules, mask_assignments, mask_pairs, may_assign
from ._cards import DIGITS_MIN, mask_cards, may_hold_card
from ._marks import CUT, MASKED
from ._markup import mask_markup
from ._tokens import mask_credentials, mask_jwts, mask_pem, mask_vendor_keys
from ._urls import mask_urls_in

if TYPE_CHECKING:
    from ._urls import ParameterRules

__all__ = ["LEVEL_MAX", "ROUNDS_MAX", "TextRules", "look", "mask", "mask_cut", "mask_shapes", "settle"]

LEVEL_MAX: Final = 2
"""JSON within a string, and text within a URL's parameter, are opened this many times."""

_SHORTEST: Final = 5  # `pin=1`
ROUNDS_MAX: Final = 8
"""What still changes after so many rounds is masked whole. Two are the rule, three are rare."""

_NAMELESS_MIN: Final = 13  # a secret that no name announces: a card; `rs_live_` and a few characters
# The most frequent texts with digits and punctuation, and never a secret: times and UUIDs.
_HARMLESS: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"(?:Z|[+\-][0-9]{2}:?[0-9]{2})?\Z"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z"
).match
_HARMLESS_MAX: Final = 36

# What a first look may find, and which rules are tried for it.
_JSON = 1
_JWT = 2
_SCHEME = 4
_PEM = 8
_CARD = 16
_VENDOR = 32
_URL = 64
_NAME = 128


class TextRules(NameRules, Protocol):
    """What the value rules need to know of a policy; counts what is masked."""

    def parameters(self, level: int) -> ParameterRules:
        """Return the rules for the parameters of URLs in a text at `level`."""

    def embedded(self, text: str, level: int) -> str | None:
        """Return `text` masked as the JSON document that it is, or None if it is none."""


def mask(text: str, rules: TextRules, level: int = 0) -> str:
    """Return `text` without secrets. What it returns it would not change again.

    Linear in the length of the text. `level` counts the strings and URLs around it.
    """
    seen = look(text, rules)
    return settle(text, seen, rules, level) if seen else text


def settle(text: str, seen: int, rules: TextRules, level: int = 0) -> str:
    """Apply the rules that a first look `seen` calls for, until nothing changes."""
    masked = _apply(text, seen, rules, level)
    if masked == text:
        return text
    for _ in range(ROUNDS_MAX):
        again = _apply(masked, look(masked, rules), rules, level)
        if again == masked:
            return masked
        masked = again
    return MASKED


def mask_shapes(text: str, rules: TextRules) -> str:
    """Mask the secrets that are known by their own shape, without any name."""
    return _apply_shapes(text, look(text, rules), rules)


def look(text: str, rules: TextRules) -> int:  # noqa: C901, PLR0912 - runs for every string: no calls
    """Return which rules could find something, at the price of a few searches in C.

    Each answer is a necessary condition of its rule, so a text without any is clean. `str.lower`
    serves here, where it may only find too much.
    """
    size = len(text)
    if size < _SHORTEST:
        return 0
    blank = " " in text
    if (text.replace(" ", "") if blank else text).isalpha():
        return _look_at_words(text, size) if size >= _NAMELESS_MIN else 0
    if size <= _HARMLESS_MAX and "-" in text and _HARMLESS(text):
        return 0
    seen = 0
    low = ""
    if (
        ":" in text
        or "=" in text
        or "<" in text
        or ("(" in text and ("('" in text or '("' in text or "(b" in text))
    ):
        low = text.lower()
        if may_assign(low, rules):
            seen = _NAME
        if "://" in text and (seen or "@" in text or "+" in text):
            seen |= _URL
    if text[0] in '{[" \t\r\n':
        seen |= _JSON
    if size < _NAMELESS_MIN:
        return seen
    if blank or "\t" in text:
        low = low or text.lower()
        if "bearer" in low or "basic" in low or "token" in low:
            seen |= _SCHEME
    if "_" in text and (
        "live_" in text or "test_" in text or "gh" in text or "_pat_" in text or "npm_" in text
    ):
        seen |= _VENDOR
    if "-" in text and (
        "sk-" in text or "glpat-" in text or "xox" in text or "pypi-" in text or "-----" in text
    ):
        seen |= _VENDOR | _PEM
    if size >= 20 and ("IA" in text or "AI" in text or "SK" in text or "SG." in text):
        seen |= _VENDOR
    if "eyJ" in text:
        seen |= _JWT
    # Lone surrogates are gone by now; digits are counted by what is left without them.
    raw = text.encode()
    if len(raw) - len(raw.translate(None, b"0123456789")) >= DIGITS_MIN and may_hold_card(text):
        seen |= _CARD
    return seen


def _look_at_words(text: str, size: int) -> int:
    """Look at a text of letters and blanks, as most are."""
    low = text.lower()
    seen = _SCHEME if "bearer" in low or "basic" in low or "token" in low else 0
    if size >= 20 and ("IA" in text or "AI" in text or "SK" in text):
        seen |= _VENDOR
    return seen


def _apply(text: str, seen: int, rules: TextRules, level: int) -> str:
    if seen & _JSON and level < LEVEL_MAX and text.rstrip()[-1:] in ("}", "]", '"'):
        document = rules.embedded(text, level + 1)
        if document is not None:
            return document
    text = _apply_shapes(text, seen, rules)
    if seen & _URL and level <= LEVEL_MAX:
        text = mask_urls_in(text, rules.parameters(level + 1))
    if seen & _NAME:
        if "<" in text:
            text = mask_markup(text, rules)
        if "(" in text:
            text = mask_pairs(text, rules)
        text = mask_assignments(text, rules)
    return text


def _apply_shapes(text: str, seen: int, rules: TextRules) -> str:
    for gate, rule in _SHAPES:
        if seen & gate:
            text, count = rule(text)
            rules.masked += count
    return text


_SHAPES: Final = (
    (_JWT, mask_jwts),
    (_SCHEME, mask_credentials),
    (_PEM, mask_pem),
    (_CARD, mask_cards),
    (_VENDOR, mask_vendor_keys),
)


# --- texts that were cut --------------------------------------------------------------------------

_DELIMITERS: Final = " \t\r\n\"'<>()[]{},;|"
_AUTHORITY_OVER = re.compile(r"[\s/?#@]")


def mask_cut(text: str, rules: TextRules) -> str:
    """Return the beginning of a longer text without secrets, its last unfinished token as `…`.

    Half a token may be half a secret that no rule knows by its half.
    """
    return mask(drop_last_token(text) + CUT, rules)


def drop_last_token(text: str) -> str:
    """Return `text` without what the cut may have left unfinished at its end."""
    end = max(map(text.rfind, _DELIMITERS)) + 1
    authority = text.rfind("://")
    if authority >= 0 and not _AUTHORITY_OVER.search(text, authority + 3):
        end = min(end, authority + 3)  # userinfo may hold any of the delimiters
    text = text[:end]
    before_digits = text.rstrip("0123456789 -")  # the first groups of a card number
    return before_digits if text[len(before_digits) :].strip(" -") else text
