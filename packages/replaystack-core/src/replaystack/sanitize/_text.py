"""The value rules over one text: which of them to try, in which order, until nothing changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from ._addresses import mask_ip_addresses
from ._assignments import NameRules, mask_assignments, may_assign
from ._cards import mask_cards, may_hold_card
from ._marks import CUT, MASKED
from ._markup import mask_markup, mask_open_tag
from ._options import mask_options
from ._pairs import mask_open_object, mask_pairs
from ._personal import mask_emails, mask_ibans, mask_phones
from ._spelling import BLANKS
from ._tokens import mask_credentials, mask_jwts, mask_pem, mask_vendor_keys
from ._urls import mask_escapes_in, mask_urls_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._urls import ParameterRules

__all__ = [
    "CLASSES",
    "LEVEL_MAX",
    "ROUNDS_MAX",
    "RULES",
    "TextRules",
    "fired",
    "look",
    "mask",
    "mask_cut",
    "mask_shapes",
    "settle",
]

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
_VENDOR_MIN: Final = 20  # `AKIA` and sixteen characters
_ESCAPED: Final = re.compile(r"%[0-9A-Fa-f]{2}").search
_WORDS_MAX: Final = 80  # a longer text is hardly without any punctuation

# What a first look may find, and which rules are tried for it.
_JSON = 1
_JWT = 2
_SCHEME = 4
_PEM = 8
_CARD = 16
_VENDOR = 32
_URL = 64
_NAME = 128
_ESCAPE = 256
_OPTION = 512
_PERSONAL = 1024


class TextRules(NameRules, Protocol):
    """What the value rules need to know of a policy; counts what is masked."""

    classes: tuple[str, ...]
    """The classes of personal data that its user opted in to mask."""

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
    seen = look(text, rules)
    for _, gate, rule in _SHAPES:
        if seen & gate:
            text = rule(text, rules, 0)
    return text


def look(text: str, rules: TextRules) -> int:  # noqa: C901, PLR0912 - runs for every string: no calls
    """Return which rules could find something, at the price of a few searches in C.

    Each answer is a necessary condition of its rule, so a text without any is clean. `str.lower`
    serves here, where it may only find too much. A search for one character costs a fraction of one
    for several, so it comes first.
    """
    size = len(text)
    if size < _SHORTEST:
        return 0
    blank = " " in text
    if size <= _WORDS_MAX and (text.replace(" ", "") if blank else text).isalpha():
        return _look_at_words(text, size) if size >= _NAMELESS_MIN else 0
    if size <= _HARMLESS_MAX and "-" in text and _HARMLESS(text):
        return 0
    seen = _PERSONAL if rules.classes else 0
    low = ""
    if (
        ":" in text
        or "=" in text
        or "<" in text
        or ("&" in text and "&lt;" in text)
        or ("(" in text and ("('" in text or '("' in text or "(b" in text))
        or ("[" in text and ("['" in text or '["' in text))
        or (blank and (" '" in text or ' "' in text))
    ):
        low = text.lower()
        if may_assign(low, rules):
            seen |= _NAME
        if "//" in text and (seen or "@" in text or "+" in text):
            seen |= _URL
    if text[0] in '{[" \t\r\n':
        seen |= _JSON
    if "%" in text and _ESCAPED(text):
        seen |= _ESCAPE
    if "-" in text and ("--" in text or ("curl" in text and ("-u" in text or "-U" in text))):
        seen |= _OPTION
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
    if size >= _VENDOR_MIN and _may_be_of_vendor(text):
        seen |= _VENDOR
    if "J" in text and "eyJ" in text:
        seen |= _JWT
    if may_hold_card(text):
        seen |= _CARD
    return seen


def _look_at_words(text: str, size: int) -> int:
    """Look at a text of letters and blanks, as most are."""
    low = text.lower()
    seen = _SCHEME if "bearer" in low or "basic" in low or "token" in low else 0
    if size >= _VENDOR_MIN and _may_be_of_vendor(text):
        seen |= _VENDOR
    return seen


def _may_be_of_vendor(text: str) -> bool:
    """Look for the prefixes without `_` and `-`; a search for one letter costs next to nothing."""
    return (
        ("K" in text and "SK" in text)
        or ("I" in text and "A" in text and ("IA" in text or "AI" in text))
        or ("G" in text and "SG." in text)
    )


def _apply(text: str, seen: int, rules: TextRules, level: int) -> str:
    document = _document(text, rules, level) if seen & _JSON else None
    if document is not None:
        return document
    for _, gate, rule in RULES:
        if seen & gate:
            text = rule(text, rules, level)
    return text


def fired(text: str, rules: TextRules, level: int = 0) -> list[str]:
    """Return the names of the rules that change `text`, in the order in which they do."""
    names: list[str] = []
    for _ in range(ROUNDS_MAX):
        before = text
        seen = look(text, rules)
        document = _document(text, rules, level) if seen & _JSON else None
        if document is not None:
            return [*names, "JSON in a string"] if document != text else names
        for name, gate, rule in RULES:
            masked = rule(text, rules, level) if seen & gate else text
            if masked != text and name not in names:
                names.append(name)
            text = masked
        if text == before:
            break
    return names


# --- the rules, in their order ----------------------------------------------------------------------


def _document(text: str, rules: TextRules, level: int) -> str | None:
    """Return `text` masked as the JSON document that it is; then no other rule looks at it."""
    if level < LEVEL_MAX and text.rstrip(BLANKS)[-1:] in ("}", "]", '"'):
        return rules.embedded(text, level + 1)
    return None


def _shape(mask_all: Callable[[str], tuple[str, int]]) -> Rule:
    def rule(text: str, rules: TextRules, _level: int) -> str:
        masked, count = mask_all(text)
        rules.masked += count
        return masked

    return rule


def _url(text: str, rules: TextRules, level: int) -> str:
    return mask_urls_in(text, rules.parameters(level + 1)) if level <= LEVEL_MAX else text


def _escapes(text: str, rules: TextRules, level: int) -> str:
    return mask_escapes_in(text, rules.parameters(level + 1)) if level < LEVEL_MAX else text


def _option(text: str, rules: TextRules, _level: int) -> str:
    return mask_options(text, rules)


def _markup(text: str, rules: TextRules, _level: int) -> str:
    return mask_markup(text, rules) if "<" in text or "&lt;" in text else text


def _pair(text: str, rules: TextRules, _level: int) -> str:
    return mask_pairs(text, rules) if "(" in text else text


def _assignment(text: str, rules: TextRules, _level: int) -> str:
    return mask_assignments(text, rules)


CLASSES: Final[dict[str, Callable[[str], tuple[str, int]]]] = {
    "email": mask_emails,  # first: `anna+15550101234@...`
    "phone": mask_phones,
    "iban": mask_ibans,
    "ip": mask_ip_addresses,
}
"""The rule of each class of personal data by its name, in the order in which they are to be applied."""


def _personal(text: str, rules: TextRules, _level: int) -> str:
    for name in rules.classes:
        text, count = CLASSES[name](text)
        rules.masked += count
    return text


Rule: TypeAlias = "Callable[[str, TextRules, int], str]"

_SHAPES: Final[tuple[tuple[str, int, Rule], ...]] = (
    ("JWT", _JWT, _shape(mask_jwts)),
    ("credential after a scheme", _SCHEME, _shape(mask_credentials)),
    ("PEM private key", _PEM, _shape(mask_pem)),
    ("payment card", _CARD, _shape(mask_cards)),
    ("key of a known vendor", _VENDOR, _shape(mask_vendor_keys)),
)
RULES: Final[tuple[tuple[str, int, Rule], ...]] = (
    *_SHAPES,
    ("URL", _URL, _url),
    ("percent-encoded text", _ESCAPE, _escapes),
    ("command-line option", _OPTION, _option),
    ("markup", _NAME, _markup),
    ("name and value", _NAME, _pair),
    ("assignment", _NAME, _assignment),
    ("personal data", _PERSONAL, _personal),
)
"""Each value rule: its name, what a first look must have found for it, and what it does."""


# --- texts that were cut --------------------------------------------------------------------------

_DELIMITERS: Final = " \t\r\n\"'<>()[]{},;|"
_AUTHORITY_OVER = re.compile(r"[\s/?#@]", re.ASCII)


def mask_cut(text: str, rules: TextRules) -> str:
    """Return the beginning of a longer text without secrets, its last unfinished token as `…`.

    Half a token may be half a secret that no rule knows by its half, and a value whose name may have
    been cut off is masked.
    """
    text = drop_last_token(text)
    if "{" in text:
        text = mask_open_object(text, rules)
    if "<" in text:
        text = mask_open_tag(text, rules)
    return mask(text + CUT, rules)


def drop_last_token(text: str) -> str:
    """Return `text` without what the cut may have left unfinished at its end."""
    end = max(map(text.rfind, _DELIMITERS)) + 1
    authority = text.rfind("://")
    if authority >= 0 and not _AUTHORITY_OVER.search(text, authority + 3):
        end = min(end, authority + 3)  # userinfo may hold any of the delimiters
    text = text[:end]
    before_digits = text.rstrip("0123456789 -")  # the first groups of a card number
    return before_digits if text[len(before_digits) :].strip(" -") else text
