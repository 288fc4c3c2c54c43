"""Look for planted secrets in bytes, in every disguise that an encoder may have given them.

A search that finds nothing shows little by itself: `blind_spots` makes it find what is surely
there first, and `prove` looks for a harmless marker beside the secrets.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import json
import lzma
import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .canaries import Secret

__all__ = ["Finding", "Haystack", "Verdict", "blind_spots", "prove", "unpacked"]

_MAX_UNPACKED_BYTES = 16 * 1024 * 1024  # twice a receiver's body limit: nothing stored is larger
_MIN_FRAGMENT = 16  # of a secret this long each half must be absent too; shorter pieces occur by chance
_PACKED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08|BZh[1-9]|\xfd7zXZ\x00")


@dataclass(frozen=True)
class Haystack:
    """Some bytes that the receiver keeps or gives out, and what they are."""

    name: str
    data: bytes

    @cached_property
    def views(self) -> tuple[bytes, ...]:
        """The bytes as they are, percent-decoded, and with JSON escapes undone; all in lower case."""
        unescaped = re.sub(rb"\\u00([0-7][0-9a-fA-F])", lambda m: bytes([int(m[1], 16)]), self.data)
        unescaped = re.sub(rb'\\([\\/"])', rb"\1", unescaped)
        decoded = unquote_to_bytes(self.data.replace(b"+", b" "))
        return tuple({view.lower(): None for view in (self.data, decoded, unescaped)})


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret that is where it must not be. Never holds the secret itself."""

    where_planted: str
    where_found: str


@dataclass(slots=True)
class Verdict:
    """What a search came to."""

    planted: list[str]
    """Where each secret was put."""
    findings: list[Finding] = field(default_factory=list)
    marker_found_in: list[str] = field(default_factory=list)
    bytes_searched: int = 0
    searched: list[str] = field(default_factory=list)

    @property
    def leaked(self) -> int:
        """How many of the planted secrets were found at least once."""
        return len(self.places())

    def places(self) -> dict[str, list[str]]:
        """Return where each secret that was found had been planted, with where it was found."""
        found: dict[str, list[str]] = {}
        for finding in self.findings:
            names = found.setdefault(finding.where_planted, [])
            if finding.where_found not in names:
                names.append(finding.where_found)
        return found


def prove(secrets: Iterable[Secret], marker: str, haystacks: Iterable[Haystack]) -> Verdict:
    """Look for every secret, and for the marker, in every haystack. Blocks; raises nothing of its own."""
    needles = [(secret.where, _disguises(secret.value)) for secret in secrets]
    markers = _disguises(marker)
    verdict = Verdict([where for where, _ in needles])
    for haystack in haystacks:
        verdict.searched.append(haystack.name)
        verdict.bytes_searched += len(haystack.data)
        if _occurs(markers, haystack):
            verdict.marker_found_in.append(haystack.name)
        verdict.findings += [
            Finding(where, haystack.name) for where, forms in needles if _occurs(forms, haystack)
        ]
    return verdict


def blind_spots(secrets: Iterable[Secret]) -> list[str]:
    """Hide each secret in ways that the search claims to see through; return what it does not see."""
    missed = []
    for secret in secrets:
        plain = secret.value.encode()
        hidden = {
            "plain": plain,
            "upper case": secret.value.upper().encode(),
            "percent-encoded": quote(secret.value, safe="").encode(),
            "every byte percent-encoded": b"".join(b"%%%02X" % byte for byte in plain),
            "base64": base64.b64encode(b"user:" + plain),
            "JSON": json.dumps({"value": secret.value}).encode(),
            "zlib": zlib.compress(b"before " + plain + b" after"),
            "gzip": gzip.compress(plain),
        }
        for disguise, data in hidden.items():
            stack = [Haystack(disguise, b"x" + data + b"y"), *unpacked(disguise, b"x" + data + b"y")]
            if not prove([secret], "", stack).findings:
                missed.append(f"{secret.where}, {disguise}")
    return missed


def unpacked(name: str, data: bytes) -> Iterator[Haystack]:
    """Yield whatever in the bytes turns out to be compressed, wherever in them it begins."""
    for match in _PACKED.finditer(data):
        unpacked = _unpack(data[match.start() :])
        if unpacked:
            yield Haystack(f"{name}, unpacked", unpacked)


def _unpack(packed: bytes) -> bytes:
    """Return what could be unpacked, even if the end is missing or damaged; nothing if nothing could."""
    if packed.startswith(b"BZh"):
        bunzip = bz2.BZ2Decompressor()
        try:
            return bunzip.decompress(packed, _MAX_UNPACKED_BYTES)
        except OSError:
            return b""
    if packed.startswith(b"\xfd7zXZ"):
        unxz = lzma.LZMADecompressor()
        try:
            return unxz.decompress(packed, _MAX_UNPACKED_BYTES)
        except lzma.LZMAError:
            return b""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: zlib and gzip alike
    parts = bytearray()
    # Step by step: a page boundary inside a freed body must not cost what stands before it.
    for start in range(0, len(packed), 512):
        try:
            parts += inflate.decompress(packed[start : start + 512])
        except zlib.error:
            break
        if inflate.eof or len(parts) > _MAX_UNPACKED_BYTES:
            break
    return bytes(parts)


def _occurs(forms: tuple[bytes, ...], haystack: Haystack) -> bool:
    return any(form in view for view in haystack.views for form in forms)


def _disguises(value: str) -> tuple[bytes, ...]:
    """Return the forms, in lower case, in which encoders may have written a value or a half of it."""
    if not value:
        return ()
    pieces = {value, *re.findall(rf"[A-Za-z0-9]{{{_MIN_FRAGMENT},}}", value)}
    if len(value) >= 2 * _MIN_FRAGMENT:
        pieces |= {value[: len(value) // 2], value[len(value) // 2 :]}
    forms: set[bytes] = set()
    for piece in pieces:
        data = piece.encode()
        texts = (
            piece,
            quote(piece, safe=""),
            quote_plus(piece),
            json.dumps(piece)[1:-1],
            json.dumps(piece, ensure_ascii=False)[1:-1],
            html.escape(piece),
            data.hex(),
        )
        forms |= {text.encode() for text in texts} | {piece.encode("utf-16-le")} | _base64_forms(data)
    return tuple({form.lower() for form in forms})


def _base64_forms(data: bytes) -> set[bytes]:
    """Return how base64 writes these bytes at each of the three places they may have in a group."""
    forms = set()
    for offset in range(3):
        padded = b"\0" * offset + data
        whole = len(padded) // 3 * 3
        # The first group mixes in what stands before, the last what follows: neither is certain.
        start = 4 if offset else 0
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(padded[:whole])[start:]
            if len(form) >= _MIN_FRAGMENT:
                forms.add(form)
    return forms
