"""How a request proved who it was, without what it proved it with.

Read from the raw headers before masking (WIRE.md section 1), so that `authMode` is right
although the header itself leaves the process only as `[MASKED]`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .event import AuthMode

__all__ = ["API_KEY_HEADERS", "detect_auth", "is_auth_scheme"]

API_KEY_HEADERS = (
    "x-api-key",
    "x-apikey",
    "x-auth-token",
    "x-access-token",
    "x-token",
    "apikey",
    "api-key",
    "authentication",
)
"""Headers whose mere presence means an API key, most usual first."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9\-]{0,19})[ \t]+\S", re.ASCII)
"""`scheme blank rest` with a short word for a scheme; a bare token must never match. The longest
one in use has 16 characters (AWS4-HMAC-SHA256), the shortest credential worth the name has more."""

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9\-]{0,19}", re.ASCII)

_MODES: dict[str, AuthMode] = {
    "bearer": "bearer",
    "basic": "basic",
    "token": "api_key",
    "apikey": "api_key",
    "api-key": "api_key",
}


def is_auth_scheme(value: object) -> bool:
    """Tell whether a scheme that user code names is a short word, and no credential by mistake."""
    return type(value) is str and _WORD.fullmatch(value) is not None


def detect_auth(headers: Iterable[tuple[str, str]]) -> tuple[AuthMode, str | None]:
    """Return `(authMode, authScheme)` of raw request headers; names in any case.

    The scheme is a word such as `Bearer`, the lower-case header name for API keys, or None;
    never any part of a credential.
    """
    present: dict[str, str] = {}
    for name, value in headers:
        if value:
            present.setdefault(name.lower(), value)

    authorization = present.get("authorization")
    if authorization:
        match = _SCHEME.match(authorization.strip())
        if match is None:
            return "other", None
        scheme = match.group(1)
        return _MODES.get(scheme.lower(), "other"), scheme
    for name in API_KEY_HEADERS:
        if name in present:
            return "api_key", name
    if "cookie" in present:
        return "cookie", None
    return "none", None
