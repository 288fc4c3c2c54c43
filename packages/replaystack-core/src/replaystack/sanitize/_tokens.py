"""Secrets that are known by their own shape: JWTs, credentials after a scheme, PEM keys, vendor keys.

Every pattern stands behind a literal of its own and, once that literal is found, consumes what it
looked at: no text makes any of them look twice at the same place. Never join them into one pattern:
Python's `re` has no literal search for alternations and would spend 0.1 ms per KiB.
"""

from __future__ import annotations

import re
from typing import Final

from ._marks import MASKED

__all__ = ["mask_credentials", "mask_jwts", "mask_pem", "mask_vendor_keys"]

# A secret begins where a word begins, or behind an escape (`\n`) of a JSON text that did not parse.
_BEGIN = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf]))"

# --- JWT ------------------------------------------------------------------------------------------

_JWT = re.compile(r"eyJ[A-Za-z0-9_\-]*(?:\.[A-Za-z0-9_\-]*)*")
_JWT_PARTS = (2, 5)  # a signed one has three parts, cut ones two, an encrypted one five
_JWT_HEADER_MIN = 10  # `eyJhbGciOi` is the shortest header's beginning


def mask_jwts(text: str) -> tuple[str, int]:
    """Replace JSON web tokens; a header alone (no dot behind it) is none."""
    count = 0

    def judge(found: re.Match[str]) -> str:
        nonlocal count
        parts = found.group().rstrip(".").split(".")
        if len(parts[0]) < _JWT_HEADER_MIN or len(parts) < _JWT_PARTS[0]:
            return found.group()
        count += 1
        return MASKED

    return _JWT.sub(judge, text), count


# --- credentials after a scheme -------------------------------------------------------------------

# The blank may be a folded line of a header (`Bearer\n abc`), and a quote may follow it; but not so
# behind `token`: parsers say `Unexpected token "constructor"`.
# Within a credential, a sign may be percent-encoded (not a blank, quote, comma, `&` or bracket), once or
# twice, or escaped as JSON does (`\/`, `\u002b`). Each of the alternatives begins with a sign of its own.
_ENCODED: Final = (
    r"(?:%(?:25)?(?:2[134abd-f]|3[0-9ad]|[46][0-9a-f]|5[0-9aef]|7[0-9ace])"
    r"|\\{1,4}(?:/|u00(?:2[bdf]|3d|5f|7[ce])))"
)
_SCHEME = re.compile(
    _BEGIN
    + r"((?:bearer|basic)(?:[ \t]+|[ \t]*\r?\n[ \t]+)(\\*[\"'])?|token[ \t]+)"
    + rf"(?=[A-Za-z0-9._~+/\-](?:[A-Za-z0-9._~+/\-|]|{_ENCODED}){{7}})"
    + rf"((?:[A-Za-z0-9._~+/\-|]+|{_ENCODED})+)(=*)",
    re.ASCII | re.IGNORECASE,
)
_ENCODED_SIGN = re.compile(_ENCODED, re.ASCII | re.IGNORECASE)
_LONG_CREDENTIAL = 16  # without a digit, only what is longer than words are
_DIGIT = re.compile(r"[0-9]")
_PARAMETER_NAME = re.compile(r"[A-Za-z_\-]+\Z")
_VALUE = re.compile(r"[\"'A-Za-z0-9]")

# Prose says `the token is base64url-encoded` too: so many letters and digits without a dash are no words.
_SAID = re.compile(
    _BEGIN + r"(token[ \t]+(?:is|was):?[ \t]+\\*[\"']?)([A-Za-z0-9_]{16,}(?:[.~+/\-]+[A-Za-z0-9_]+)*=*)",
    re.ASCII | re.IGNORECASE,
)


def mask_credentials(text: str) -> tuple[str, int]:
    """Replace what follows `Bearer`, `Basic`, `Token` or `token is`; the words before it stay."""
    count = 0

    def judge(found: re.Match[str]) -> str:
        nonlocal count
        scheme, quote, credential, padding = found.groups()
        plain = _ENCODED_SIGN.sub("", credential)
        word = plain.partition("|")[0]  # `authentication|authorization` are two words
        if (quote or len(word) < _LONG_CREDENTIAL) and not _DIGIT.search(plain):
            return found.group()
        if padding == "=" and _PARAMETER_NAME.match(credential) and _VALUE.match(text, found.end()):
            return found.group()  # `Bearer error_description="..."`
        count += 1
        return scheme + MASKED

    def judge_said(found: re.Match[str]) -> str:
        nonlocal count
        if not _DIGIT.search(found[2]):
            return found.group()
        count += 1
        return found[1] + MASKED

    masked = _SCHEME.sub(judge, text)
    return _SAID.sub(judge_said, masked), count


# --- PEM ------------------------------------------------------------------------------------------

_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}(?:-----|\Z)")


def mask_pem(text: str) -> tuple[str, int]:
    """Replace private keys from BEGIN to END; one without an END runs to the end of the text."""
    parts: list[str] = []
    at = count = 0
    while True:
        begin = _PEM_BEGIN.search(text, at)
        if begin is None:
            break
        end = _PEM_END.search(text, begin.end())
        parts += (text[at : begin.start()], MASKED)
        count += 1
        at = len(text) if end is None else end.end()
    parts.append(text[at:])
    return "".join(parts), count


# --- keys of well-known vendors ---------------------------------------------------------------------

_DIGIT_AHEAD = r"(?=[A-Za-z_\-]{0,64}[0-9])"  # words joined by dashes have none
_VENDORS: Final = (
    # literal, pattern
    ("AKIA", re.compile(_BEGIN + r"AKIA[A-Z0-9]{16}(?![A-Za-z0-9])")),
    ("ASIA", re.compile(_BEGIN + r"ASIA[A-Z0-9]{16}(?![A-Za-z0-9])")),
    ("AIza", re.compile(_BEGIN + r"AIza[A-Za-z0-9_\-]{30,}")),
    ("SK", re.compile(_BEGIN + r"SK[0-9a-f]{32}(?![A-Za-z0-9])")),
    ("_live_", re.compile(_BEGIN + r"(?:[sr]k|rs|tr|tb)_live_[A-Za-z0-9_]{6,}")),
    ("_test_", re.compile(_BEGIN + r"[sr]k_test_[A-Za-z0-9_]{6,}")),
    ("ghp_", re.compile(_BEGIN + r"ghp_[A-Za-z0-9]{16,}")),
    ("gho_", re.compile(_BEGIN + r"gho_[A-Za-z0-9]{16,}")),
    ("ghu_", re.compile(_BEGIN + r"ghu_[A-Za-z0-9]{16,}")),
    ("ghs_", re.compile(_BEGIN + r"ghs_[A-Za-z0-9]{16,}")),
    ("ghr_", re.compile(_BEGIN + r"ghr_[A-Za-z0-9]{16,}")),
    ("github_pat_", re.compile(_BEGIN + r"github_pat_[A-Za-z0-9_]{16,}")),
    ("npm_", re.compile(_BEGIN + r"npm_[A-Za-z0-9]{30,}")),  # 36; `npm_config_...` are variables
    ("glpat-", re.compile(_BEGIN + r"glpat-[A-Za-z0-9_\-]{16,}")),
    ("xox", re.compile(_BEGIN + r"xox[a-z]-[A-Za-z0-9\-]{10,}")),
    ("sk-", re.compile(_BEGIN + r"sk-" + _DIGIT_AHEAD + r"[A-Za-z0-9_\-]{20,}")),
    ("pypi-", re.compile(_BEGIN + r"pypi-" + _DIGIT_AHEAD + r"[A-Za-z0-9_\-]{16,}")),
    ("SG.", re.compile(_BEGIN + r"SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}")),
)


def mask_vendor_keys(text: str) -> tuple[str, int]:
    """Replace keys that carry their vendor's prefix."""
    count = 0
    for literal, pattern in _VENDORS:
        if literal in text:
            text, more = pattern.subn(MASKED, text)
            count += more
    return text, count


VENDOR_LITERALS: Final = tuple(literal for literal, _ in _VENDORS)
"""What every vendor's key holds."""
