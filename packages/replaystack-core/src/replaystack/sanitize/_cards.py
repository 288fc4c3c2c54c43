"""Payment card numbers in text (MASKING.md section 2)."""

from __future__ import annotations

import re
from typing import Final

from ._marks import MASKED

__all__ = ["SIGNS", "SIGNS_OF_CARDS", "is_card", "mask_cards", "may_hold_card"]

DIGITS_MIN: Final = 13
DIGITS_MAX: Final = 19
_GROUP_MIN = 3  # a card in groups has no group of one or two digits; lists of small numbers have

# Issuer: first prefix, last prefix (of equal length), lengths of the number.
_ISSUERS: Final = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 17, 18, 19)),  # Discover
    ("644", "659", (16, 17, 18, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("300", "305", (14, 16, 19)),  # Diners Club
    ("3095", "3095", (14, 16, 19)),
    ("36", "36", (14, 16, 19)),
    ("38", "39", (14, 16, 19)),
    ("5018", "5018", (13, 15, 16, 18, 19)),  # Maestro
    ("5020", "5020", (13, 15, 16, 18, 19)),
    ("5038", "5038", (13, 15, 16, 18, 19)),
    ("5893", "5893", (13, 15, 16, 18, 19)),
    ("6304", "6304", (13, 15, 16, 18, 19)),
    ("6759", "6759", (13, 15, 16, 18, 19)),
    ("6761", "6763", (13, 15, 16, 18, 19)),
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("60", "60", (16,)),  # RuPay
    ("81", "82", (16,)),
    ("508", "508", (16,)),
)

_CHAIN = re.compile(r"[0-9]+(?:[ \-][0-9]+)*")  # groups joined by single blanks or dashes
_GROUP = re.compile(r"[0-9]+")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_UUID_LENGTH = 36
_DECIMAL_BEFORE = re.compile(r"[0-9]\.\Z")
_DECIMAL_AFTER = re.compile(r"\.[0-9]")
_WORD = re.compile(r"[0-9A-Za-z]*")
_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HEX = frozenset("0123456789abcdefABCDEF")
_WORD_MAX = 64  # as long as a SHA-256 in hex
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


# Every digit as 0 and both separators as a blank: then two searches in C find what a card must hold,
# a long run of digits or two groups of three.
SIGNS: Final = bytes.maketrans(b"123456789-", b"000000000 ")
SIGNS_OF_CARDS: Final = (b"0" * DIGITS_MIN, b"000 000")


def may_hold_card(text: str) -> bool:
    """Tell whether there is a run of digits as long as a card's, or two groups of them."""
    run, groups = SIGNS_OF_CARDS
    signs = text.encode("utf-8", "replace").translate(SIGNS)
    return run in signs or groups in signs


_BY_DIGIT: Final = {
    digit: tuple(issuer for issuer in _ISSUERS if issuer[0].startswith(digit))
    for digit in {issuer[0][0] for issuer in _ISSUERS}
}


def is_card(digits: str) -> bool:
    """Tell whether 13 to 19 digits are a card number: issuer prefix, length and Luhn's sum."""
    size = len(digits)
    if not DIGITS_MIN <= size <= DIGITS_MAX:
        return False
    issuers = _BY_DIGIT.get(digits[0], ())
    if not any(first <= digits[: len(first)] <= last and size in sizes for first, last, sizes in issuers):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _DOUBLED[ord(digit) - 48] if place % 2 else ord(digit) - 48
    return total % 10 == 0


def find_cards(text: str) -> list[tuple[int, int]]:
    """Return the places of card numbers, in order. Linear: a start has at most 19 ends to try."""
    found: list[tuple[int, int]] = []
    for chain in _CHAIN.finditer(text):
        if chain.end() - chain.start() < DIGITS_MIN:
            continue
        groups = [group.span() for group in _GROUP.finditer(text, chain.start(), chain.end())]
        first = 0
        while first < len(groups):
            last = _card_at(text, groups, first)
            if last >= 0:
                found.append((groups[first][0], groups[last][1]))
                first = last
            first += 1
    return found


def _card_at(text: str, groups: list[tuple[int, int]], first: int) -> int:
    """Return the last group of the longest card that begins with group `first`, or -1."""
    digits, answer = "", -1
    for last in range(first, len(groups)):
        start, end = groups[last]
        digits += text[start : min(end, start + DIGITS_MAX + 1)]
        if len(digits) > DIGITS_MAX or (last > first and end - start < _GROUP_MIN):
            break
        if is_card(digits) and _stands_alone(text, groups[first][0], end):
            answer = last
        if end - start < _GROUP_MIN:
            break
    return answer


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Tell whether the digits are no part of a decimal number, a UUID or a hash."""
    if _DECIMAL_BEFORE.search(text, max(0, start - 2), start) or _DECIMAL_AFTER.match(text, end):
        return False
    near = _UUID.finditer(text, max(0, start - _UUID_LENGTH), end + _UUID_LENGTH)
    if any(place.start() < end and start < place.end() for place in near):
        return False
    left = text[max(0, start - _WORD_MAX) : start]
    word = left[len(left.rstrip(_ALNUM)) :]
    left = word[1:] if left[: len(left) - len(word)].endswith("\\") else word  # `\b4242...` in JSON
    found = _WORD.match(text, end, end + _WORD_MAX)
    right = found.group() if found else ""
    return not (left or right) or not _HEX.issuperset(left + right)


def mask_cards(text: str) -> tuple[str, int]:
    """Return `text` with each card number masked, and how many there were."""
    found = find_cards(text)
    if not found:
        return text, 0
    parts: list[str] = []
    at = 0
    for start, end in found:
        parts += (text[at:start], MASKED)
        at = end
    parts.append(text[at:])
    return "".join(parts), len(found)
