"""How large the parts of an event may be, and how a text is cut without cutting a secret in half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ._marks import CUT, MASKED, PREVIEW_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DEPTH_MAX",
    "ERROR_MESSAGE_BYTES",
    "PATH_MAX",
    "STACK_TRACE_BYTES",
    "TEXT_BYTES",
    "Limits",
    "fit",
    "preview_of",
    "utf8_length",
]

ERROR_MESSAGE_BYTES: Final = 8 * 1024
STACK_TRACE_BYTES: Final = 64 * 1024
REQUEST_URL_BYTES: Final = 8192
TEXT_BYTES: Final = 8 * 1024
"""Every other text of the envelope: nothing that is a name or an address is longer."""

DEPTH_MAX: Final = 64
"""Containers nested deeper become `"[Depth]"`: far beyond real data, far below the recursion limit."""

PATH_MAX: Final = 64
"""Parts of a `loc` that are looked at; no value is walked deeper."""

_ENVELOPE_BYTES = 256 * 1024  # texts, breadcrumbs, logs and metadata beside two full payloads
_BUDGET_FACTOR = 4  # an object is encoded up to this many times its limit, to say how large it is


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one client, in bytes."""

    max_payload_bytes: int = 524_288
    """Of each payload and each set of headers."""

    @property
    def event_bytes(self) -> int:
        """Of a whole event."""
        return 2 * self.max_payload_bytes + _ENVELOPE_BYTES

    @property
    def budget_bytes(self) -> int:
        """How far a field over its limit is encoded before its size is called a lower bound."""
        return _BUDGET_FACTOR * self.max_payload_bytes

    @property
    def request_url_bytes(self) -> int:
        """Of the request's URL."""
        return min(REQUEST_URL_BYTES, self.max_payload_bytes)


def utf8_length(text: str) -> int:
    """Return the bytes of `text` in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


# How much shorter to cut when masking the cut text made it longer again.
_STEPS = (0, 16, 64, 256, 1024)


def fit(masked: str, max_bytes: int, mask: Callable[[str], str]) -> str:
    """Return a masked text, cut at a character with `…` if it is over `max_bytes`.

    The cut may leave half a mark behind, so what is left is masked again: the result is stable.
    """
    if utf8_length(masked) <= max_bytes:
        return masked
    for step in _STEPS:
        room = max_bytes - len(CUT.encode()) - step
        if room <= 0:
            break
        cut = mask(_first_bytes(masked, room) + CUT)
        if utf8_length(cut) <= max_bytes:
            return cut
    return CUT


def _first_bytes(text: str, size: int) -> str:
    return text[:size].encode("utf-8", "surrogatepass")[:size].decode("utf-8", "ignore")


def preview_of(masked: str, max_bytes: int, mask: Callable[[str], str]) -> str:
    """Return the first code points of a masked text, as many as a preview may have."""
    length = min(max_bytes, PREVIEW_LENGTH)
    for step in _STEPS:
        if step >= length:
            break
        start = _without_half_mark(masked[: length - step], masked)
        preview = mask(start)
        if len(preview) <= length:
            return preview
    return ""


def _without_half_mark(start: str, whole: str) -> str:
    """Leave out a mark that the cut went through."""
    at = start.rfind("[")
    return start[:at] if at >= 0 and len(start) < at + len(MASKED) and whole.startswith(MASKED, at) else start
