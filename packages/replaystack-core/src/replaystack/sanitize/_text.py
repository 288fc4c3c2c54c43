"""The value rules over one text: which of them to try, in which order, until nothing changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from ._assignments import NameRules, mask_assignments, mask_pairs, may_assign
from ._cards import enough_digits, mask_cards
from ._keys import lower
from ._marks import CUT, MASKED
from ._markup import mask_markup
from ._tokens import mask_credentials, mask_jwts, mask_pem, mask_vendor_keys
from ._urls import mask_urls_in

if TYPE_CHECKING:
    from ._urls import ParameterRules

__all__ = ["LEVEL_MAX", "ROUNDS_MAX", "TextRules", "mask", "mask_cut", "mask_shapes"]

LEVEL_MAX: Final = 2
"""JSON within a string, and text within a URL's parameter, are opened this many times."""

_SHORTEST: Final = 5  # `pin=1`
_NAMELESS_MIN: Final = (
    13  # the shortest secret that no name announces: a card, `rs_live_` and a few characters
)
ROUNDS_MAX: Final = 8
"""What still changes after so many rounds is masked whole. Two are the rule, three are rare."""


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
    if len(text) < _SHORTEST or text == MASKED:
        return text
    masked = _pass(text, rules, level)
    if masked is text or masked == text:
        return text
    for _ in range(ROUNDS_MAX):
        again = _pass(masked, rules, level)
        if again == masked:
            return masked
        masked = again
    return MASKED


def _pass(text: str, rules: TextRules, level: int) -> str:
    if level < LEVEL_MAX and text[0] in "{[ \t\r\n" and text.rstrip()[-1:] in ("}", "]"):
        document = rules.embedded(text, level + 1)
        if document is not None:
            return document
    if len(text) >= _NAMELESS_MIN:
        text = mask_shapes(text, rules)
    colon = ":" in text
    if colon and "://" in text:
        text = mask_urls_in(text, rules.parameters(level + 1)) if level <= LEVEL_MAX else text
    markup = "<" in text and ">" in text
    tuples = "(" in text and ("('" in text or '("' in text or "(b" in text)
    if (colon or "=" in text or markup or tuples) and may_assign(lower(text), rules):
        if markup:
            text = mask_markup(text, rules)
        if tuples:
            text = mask_pairs(text, rules)
        text = mask_assignments(text, rules)
    return text


def mask_shapes(text: str, rules: TextRules) -> str:
    """Mask the secrets that are known by their own shape, without any name."""
    count = 0
    if "eyJ" in text:
        text, count = mask_jwts(text)
    if " " in text or "\t" in text:
        low = lower(text)
        if "bearer" in low or "basic" in low or "token" in low:
            text, more = mask_credentials(text)
            count += more
    if "PRIVATE KEY" in text:
        text, more = mask_pem(text)
        count += more
    if enough_digits(text):
        text, more = mask_cards(text, MASKED)
        count += more
    text, more = mask_vendor_keys(text)
    rules.masked += count + more
    return text


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
