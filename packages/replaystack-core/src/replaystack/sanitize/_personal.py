"""Personal data that a user may opt in to mask: e-mail addresses, telephone numbers, IBANs, IP addresses.

Each rule is one pattern that finds places worth a look, and a judge in plain code beside it. No pattern
can fail after an unbounded repetition and no judge looks further than its place, so all are linear.
IP addresses are in `_addresses`, the table of all classes is `CLASSES` in `_text`.
Letters and digits are ASCII: of `müller@example.com` the `mü` stays, `anna@müller.de` is not known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._marks import MASKED
from ._spelling import lower

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ALNUM",
    "DIGITS",
    "WORD",
    "after_escape",
    "begins",
    "mask_each",
    "mask_emails",
    "mask_ibans",
    "mask_in_turn",
    "mask_phones",
]

ALNUM: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
WORD: Final = ALNUM | {"_"}
DIGITS: Final = frozenset("0123456789")

# Texts that are still encoded: what seems to be the beginning of a word is the end of an escape.
_ESCAPE: Final = r"(?:\\[nrtbf]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})"
_ESCAPE_BEFORE: Final = re.compile(_ESCAPE + r"\Z")
_ESCAPE_HERE: Final = re.compile(_ESCAPE)
_ESCAPE_MAX = 6  # `\u0020`
_ESCAPE_SIGN_MAX = 2  # `\u`
_ROUNDS_MAX = 8  # as for the other rules; only a text made for it needs more than two, and is masked whole


def mask_each(
    text: str, pattern: re.Pattern[str], judge: Callable[[str, re.Match[str], int], tuple[int, int] | None]
) -> tuple[str, int]:
    """Mask what `judge` says of each place that `pattern` finds, and count.

    The judge is told where the last mask ended and looks at nothing before it: what is masked is gone,
    so the next pass, which sees the mark there, decides the same.
    """
    parts: list[str] = []
    done = place = count = 0
    while found := pattern.search(text, place):
        span = judge(text, found, done)
        if span is None:
            place = found.end()
            continue
        parts += (text[done : span[0]], MASKED)
        done = place = span[1]
        count += 1
    if not count:
        return text, 0
    parts.append(text[done:])
    return "".join(parts), count


def mask_in_turn(
    text: str, first: Callable[[str], tuple[str, int]], second: Callable[[str], tuple[str, int]]
) -> tuple[str, int]:
    """Apply two rules until the second finds nothing: what one masks was a neighbour to the other."""
    count = 0
    for _ in range(_ROUNDS_MAX):
        text, found = first(text)
        text, more = second(text)
        count += found + more
        if not more:
            return text, count
    return MASKED, 1


def begins(text: str, start: int, done: int) -> bool:
    """Tell whether a word may begin here: no letter or digit before it, or the last one of an escape."""
    before = text[max(done, start - _ESCAPE_MAX) : start]
    return not before or before[-1] not in ALNUM or _ESCAPE_BEFORE.search(before) is not None


def after_escape(text: str, start: int, done: int) -> int:
    """Return where a run of characters goes on if it began within an escape, else `start`."""
    for back in range(1, _ESCAPE_SIGN_MAX + 1):
        if start - back >= done and text[start - back] in "%\\":
            found = _ESCAPE_HERE.match(text, start - back)
            return found.end() if found else start
    return start


# --- e-mail addresses -------------------------------------------------------------------------------

_AT = re.compile(r"@|%40")
_LOCAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+'-"
_LOCAL_MAX = 192  # RFC 5321 allows 64 bytes; percent-encoded they are three times as long
_QUOTED = re.compile(r"(?:[bBuUrR]?')+")  # `'anna@...'`, `b'anna@...'`: the quote belongs to the text
_DOMAIN = re.compile(  # labels and their number as RFC 1035 bounds them; hosts have `_` all the same
    r"(?:[A-Za-z0-9_\-]{1,63}\.){1,126}(?:[xX][nN]--[A-Za-z0-9\-]{1,59}|[A-Za-z]{2,63})"
)
# What else stands behind an @: `tool@v0.0.1-go1.22.linux`, `logo@2x.png`.
_NO_DOMAIN = re.compile(
    r"v?[0-9]{1,9}\.[0-9]{1,9}\.[0-9]|[1-9](?:\.[0-9])?x\.(?:png|jpe?g|gif|webp|svg|avif)\Z"
)


def mask_emails(text: str) -> tuple[str, int]:
    """Mask e-mail addresses, also with `%40`; `@scope/package`, `@decorator`, `[MASKED]@host` are none."""
    if "@" not in text and "%40" not in text:
        return text, 0
    return mask_each(text, _AT, _email_at)


def _email_at(text: str, at: re.Match[str], done: int) -> tuple[int, int] | None:
    domain = _DOMAIN.match(text, at.end())
    if domain is None or _NO_DOMAIN.match(lower(domain.group())):
        return None
    before = text[max(done, at.start() - _LOCAL_MAX) : at.start()]
    start = at.start() - len(before) + len(before.rstrip(_LOCAL))
    quoted = _QUOTED.match(text, start, at.start())
    start = quoted.end() if quoted else start
    if after_escape(text, start, done) >= at.start():  # nothing, or `\n@decorator` in an encoded text
        return None
    # `git@github.com:owner/project` says where the code is and names nobody; any other user may be a person.
    if text[start : at.start()] == "git" and text[domain.end() : domain.end() + 1] == ":":
        return None
    return start, domain.end()


# --- telephone numbers ------------------------------------------------------------------------------

_PHONE_MIN = 8  # the shortest numbers with their country; what is shorter is a signed number
_PHONE_MAX = 15  # E.164; what is longer is some other number
# Groups are joined by one of ` . - /` and parentheses. No country begins with 0, but `+01:00`, `+002024-` do.
_INTERNATIONAL = re.compile(
    r"(?:\+|%2[Bb])(\(?[1-9][0-9]{0,15}(?:(?:[ ./\-]\(?|\)[ ./\-]?\(?|\()[0-9]{1,16}){0,14})"
)
_GROUP = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_REGISTRAR = re.compile(r"[0-9]{1,3}\.[0-9]{8,12}")  # RFC 5733 writes `+1.5550101234`; a float has 6 places
_TIME_BEFORE = re.compile(r":[0-9]{2}(?:[.,][0-9]{1,9})? \Z")
_TIME_BEFORE_MAX = 14  # `:00.123456789 `
_OFFSET = re.compile(r"1[0-4](?:00|15|30|45)(?![0-9])")  # `10:00:00 +1000 2024`; the others begin with 0
# Without a country only North America's way of writing is plain: blanks join any numbers, dots versions.
_NATIONAL = re.compile(
    r"\([0-9]{3}\)[ .\-]?[0-9]{3}[ .\-][0-9]{4}(?![0-9])|(?:1-)?[0-9]{3}-[0-9]{3}-[0-9]{4}"
)


def mask_phones(text: str) -> tuple[str, int]:
    """Mask telephone numbers: with `+` and country, or written as `(555) 010-1234` or `555-010-1234`.

    An order number of three, three and four digits cannot be told apart, unless a `#` stands before it.
    """
    return mask_in_turn(text, _mask_international, _mask_national)


def _mask_international(text: str) -> tuple[str, int]:
    if "+" not in text and "%2B" not in text and "%2b" not in text:
        return text, 0
    return mask_each(text, _INTERNATIONAL, _international_at)


def _mask_national(text: str) -> tuple[str, int]:
    if "-" not in text and ")" not in text:
        return text, 0
    return mask_each(text, _NATIONAL, _national_at)


def _international_at(text: str, found: re.Match[str], done: int) -> tuple[int, int] | None:
    """Take as many whole groups as a number may have: a date or a price may follow behind a blank."""
    start, begin = found.start(), found.start(1)
    if not begins(text, start, done) or (start > done and text[start - 1] == "+"):
        return None  # base64, `q=a+b`, `1.0.0+20240101`, `C++`
    digits, end = 0, begin
    for group in _GROUP.finditer(text, begin, found.end()):
        size = group.end() - group.start()
        if digits + size > _PHONE_MAX:
            break
        digits += size
        end = group.end()
    if digits < _PHONE_MIN:
        return None
    number = text[begin:end]
    fraction = text[end : end + 1] == "." and text[end + 1 : end + 2] in DIGITS
    if (fraction or "." in number) and _DECIMAL.fullmatch(number) and not _REGISTRAR.fullmatch(number):
        return None
    if _OFFSET.match(number) and _TIME_BEFORE.search(text[max(done, start - _TIME_BEFORE_MAX) : start]):
        return None
    return start, end


def _national_at(text: str, found: re.Match[str], done: int) -> tuple[int, int] | None:
    start, end = found.span()
    if text[start] == "(":
        return start, end
    before, after = text[max(done, start - 2) : start], text[end : end + 2]
    if not begins(text, start, done) or before[-1:] == "#" or _joined(before[::-1]):
        return None
    if (after[:1] in ALNUM and after[:1] not in "xXeE") or _joined(after):
        return None  # an `x` or `ext` announces an extension
    return start, end


def _joined(beside: str) -> bool:
    """Tell whether the two characters beside a number, the nearest first, make it longer: `-1`, `.5`."""
    return beside[:1] in ("-", ".") and beside[1:] in ALNUM


# --- IBANs ------------------------------------------------------------------------------------------

# Length by country: the register of ISO 13616, and the countries that use the form without being in it.
# Others are no IBANs: a sum that one in 97 identifiers passes is too little to know them by.
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in (
        (15, "NO"),
        (16, "BE"),
        (18, "DK FI FK FO GL NL SD"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"),
        (22, "BG BH CR DE GB GE IE ME RS VA"),
        (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "AO CV GW LY MZ PT ST"),
        (26, "DZ IR IS TR"),
        (27, "BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD"),
        (28, "AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    )
    for country in countries.split()
}
_IBAN_MIN = 15
_IBAN_BEGIN = re.compile(r"[A-Za-z]{2}[0-9]{2}")


def _rest_of_iban(length: int) -> re.Pattern[str]:
    """Return the pattern of what follows the check digits: blocks of four, a blank between them or none."""
    blocks, last = divmod(length - 4, 4)
    rest = rf" ?[0-9A-Za-z]{{{last}}}" if last else ""
    return re.compile(rf"(?: ?[0-9A-Za-z]{{4}}){{{blocks}}}{rest}(?![0-9A-Za-z])")


_IBAN_RESTS: Final = {length: _rest_of_iban(length) for length in set(_IBAN_LENGTHS.values())}
_IBAN_VALUES: Final = {ord(letter): str(int(letter, 36)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def mask_ibans(text: str) -> tuple[str, int]:
    """Mask IBANs of either case, in one piece or in blocks of four: country, length and sum must agree."""
    if len(text) < _IBAN_MIN:
        return text, 0
    return mask_each(text, _IBAN_BEGIN, _iban_at)


def _iban_at(text: str, found: re.Match[str], done: int) -> tuple[int, int] | None:
    length = _IBAN_LENGTHS.get(found.group()[:2].upper())
    if length is None or not begins(text, found.start(), done):
        return None
    rest = _IBAN_RESTS[length].match(text, found.end())
    if rest is None:
        return None
    digits = (rest.group() + found.group()).replace(" ", "").upper().translate(_IBAN_VALUES)
    return (found.start(), rest.end()) if int(digits) % 97 == 1 else None
