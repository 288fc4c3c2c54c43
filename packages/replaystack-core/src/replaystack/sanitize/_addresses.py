"""IP addresses of both versions, the largest of the classes of personal data (`_personal`)."""

from __future__ import annotations

import re

from ._personal import DIGITS, WORD, after_escape, begins, mask_each, mask_in_turn

__all__ = ["mask_ip_addresses"]

_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_QUAD_WITHIN = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]").search
_QUAD_MAX = 15
_VERSION_BEFORE = re.compile(r"(?:\A|[^0-9A-Za-z])[vV]\Z")  # `v1.2.3.4`, but `srv10.0.0.1` is an address
_PRODUCT_BEFORE = re.compile(r"[A-Za-z]/\Z")  # `Chrome/120.0.0.0`, as every browser writes it

# Eight hex digits may be an escape (`\u003c`) and a group; six or more as the second group are none.
_COLONS = re.compile(r"[0-9A-Fa-f]{0,8}:[0-9A-Fa-f]{0,5}:[0-9A-Fa-f:]*")
_COLONS_MAX = 64  # 8 groups of 5, a word before them, a port behind: longer runs are fingerprints
_PORT = re.compile(r":[0-9]{5}\Z")  # `fe80::1:50432`; shorter ones pass for a group
_PORT_LENGTH = 6
_ZONE = re.compile(r"%(?:25)?[A-Za-z][0-9A-Za-z_\-]{0,31}")  # `%5D` is an escape
_SLICE = re.compile(r"[0-9]*::[0-9]*")
_LOOPBACK = "::1"


def mask_ip_addresses(text: str) -> tuple[str, int]:
    """Mask IP addresses of both versions, loopback too.

    A version, section number or OID of just four small numbers cannot be told from IPv4, and names
    like `a::b2` cannot from IPv6.
    """
    return mask_in_turn(text, _mask_ipv6, _mask_ipv4)


def _mask_ipv6(text: str) -> tuple[str, int]:
    if text.count(":") < 2:
        return text, 0
    return mask_each(text, _COLONS, _ipv6_at)


def _mask_ipv4(text: str) -> tuple[str, int]:
    if text.count(".") < 3 or not _QUAD_WITHIN(text):
        return text, 0
    return mask_each(text, _DOTTED, _ipv4_at)


def _ipv4_at(text: str, found: re.Match[str], done: int) -> tuple[int, int] | None:
    start, end = found.span()
    if not _is_quad(text, start, end):
        start = after_escape(text, start, done)  # `%2010.0.0.1`
        if not _is_quad(text, start, end):
            return None
    before = text[max(done, start - 2) : start]
    if _VERSION_BEFORE.search(before):
        return None
    if _PRODUCT_BEFORE.search(before) and text.endswith(".0.0.0", start, end):
        return None
    return start, end


def _is_quad(text: str, start: int, end: int) -> bool:
    if end - start > _QUAD_MAX:
        return False
    parts = text[start:end].split(".")
    return len(parts) == 4 and all(0 < len(part) <= 3 and int(part) <= 255 for part in parts)


def _ipv6_at(text: str, found: re.Match[str], done: int) -> tuple[int, int] | None:
    start = _ipv6_start(text, found, done)
    end = found.end()
    if end - start > _COLONS_MAX:
        return None
    last = text.rfind(":", start, end) + 1
    quad = _DOTTED.match(text, last) if last and text[end : end + 1] == "." else None
    if quad and _is_quad(text, last, quad.end()):
        if _is_ipv6(_without_last_colon(text[start:last]), embedded=2):
            return start, _zone_end(text, quad.end())
        end = last  # the other rule masks the quad
    glued = end == found.end() and text[end : end + 1] in WORD
    if glued:  # `fe80::1:error`: the last group is the beginning of a word
        end = max(last, start)
    address = _without_last_colon(text[start:end])
    if glued and address.endswith("::"):  # `5::bigint`, `1::Int`
        return None
    if _PORT.search(address[-_PORT_LENGTH:]):
        address = address[:-_PORT_LENGTH]
    end = start + len(address)
    if not _is_ipv6(address) or _is_slice(text, start, end, done):
        return None
    return start, _zone_end(text, end)


def _zone_end(text: str, end: int) -> int:
    zone = _ZONE.match(text, end)
    return zone.end() if zone else end


def _ipv6_start(text: str, found: re.Match[str], done: int) -> int:
    """Return where an address may begin: behind an escape, or behind a word that ends in hex letters."""
    start = min(after_escape(text, found.start(), done), found.end())
    first = text.find(":", start, found.end())
    before = text[max(done, start - 2) : start]
    in_number = before[-1:] == "." and before[:1] in DIGITS and text[start] in DIGITS  # `0.1:80:...`
    in_word = before[-1:] == "_" or (start == found.start() and not begins(text, start, done))
    if first >= 0 and (in_word or in_number or first - start > 4):
        start = first + 1
    if text.startswith(":", start, found.end()) and (
        not text.startswith("::", start) or text.startswith(":::", start)
    ):
        start += 1  # `addr:2001:db8::1`, `addr:::1`
    return start


def _without_last_colon(address: str) -> str:
    return address[:-1] if address.endswith(":") and not address.endswith("::") else address


def _is_ipv6(address: str, embedded: int = 0) -> bool:
    """Tell whether hex digits and colons are an address; `embedded` groups are written as a quad behind."""
    head, gap, tail = address.partition("::")
    groups = [group for part in (head, tail) if part for group in part.split(":")]
    if not all(0 < len(group) <= 4 for group in groups):
        return False
    if gap:  # without a digit it is a name: `abc::def`, or nobody's address: `::`
        return len(groups) + embedded <= 7 and (embedded > 0 or not DIGITS.isdisjoint(address))
    if embedded:
        return len(groups) + embedded == 8
    # Nine: a port behind, or a short word before. Pairs only: a MAC address (EUI-64) or a fingerprint.
    return len(groups) in (8, 9) and any(len(group) != 2 for group in groups)


def _is_slice(text: str, start: int, end: int, done: int) -> bool:
    """Tell whether this is Python's `name[::2]`; nobody writes a step of one, so `[::1]` is an address."""
    if not _SLICE.fullmatch(text, start, end) or text[start:end] == _LOOPBACK:
        return False
    before = text[max(done, start - 2) : start]
    return len(before) == 2 and before[1] == "[" and (before[0] in WORD or before[0] in ")]")
