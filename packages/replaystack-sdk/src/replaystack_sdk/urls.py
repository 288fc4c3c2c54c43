"""Request URLs and paths, as 1.x computed them.

These helpers believe what they are given, forwarded headers included. The adapters do not
use them: they trust `X-Forwarded-*` from named proxies only, and their ignore rules end at a
path boundary (API.md sections 1 and 5).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse, urlunparse

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "HeaderGetter",
    "build_absolute_request_url_from_parts",
    "normalize_absolute_request_url",
    "normalize_endpoint",
    "should_ignore_path",
]

HeaderGetter = Callable[[str], Any]
"""Looks a header up by its lower-case name; a string, a list of strings or None."""

_HTTP_URL = re.compile(r"https?://", re.IGNORECASE)


def normalize_endpoint(endpoint: str | None) -> str | None:
    """Return the path of an absolute URL, or `endpoint` up to its query. Never raises."""
    if not endpoint:
        return endpoint
    try:
        parts = urlparse(endpoint)
    except ValueError:  # an unbalanced bracket where a host would stand
        parts = urlparse("")
    if parts.scheme and parts.netloc:
        return parts.path or "/"
    return endpoint.partition("?")[0]


def normalize_absolute_request_url(candidate: str | None) -> str | None:
    """Return an http(s) URL in canonical form, or None for everything else.

    The scheme comes back in lower case, empty query and fragment marks and the old
    `;parameters` of a path are left out.
    """
    if not candidate or not _HTTP_URL.match(candidate):
        return None
    try:
        parts = urlparse(candidate)
    except ValueError:
        return None
    return urlunparse(parts._replace(params="")) if parts.scheme and parts.netloc else None


def build_absolute_request_url_from_parts(
    *,
    path_with_query: str,
    get_header: HeaderGetter | None = None,
    protocol_fallback: str | None = None,
) -> str | None:
    """Return the absolute URL of a request, or None if no header names the host.

    Args:
        path_with_query: the request target; an absolute URL wins over every header.
        get_header: `X-Forwarded-Host` and `X-Forwarded-Proto` are preferred to `Host`,
            whoever sent them.
        protocol_fallback: the scheme without a forwarded one; `http` if None.

    """
    target = path_with_query or ""
    if _HTTP_URL.match(target):
        return normalize_absolute_request_url(target) or target
    if get_header is None:
        return None
    host = _first(get_header("x-forwarded-host")) or _first(get_header("host"))
    if not host:
        return None
    scheme = _first(get_header("x-forwarded-proto")) or protocol_fallback or "http"
    slash = "" if target.startswith("/") else "/"
    return f"{scheme.rstrip(':')}://{host}{slash}{target}"


def _first(value: Any) -> str:
    """Return the first element of a header that may be repeated or comma-separated."""
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    return "" if value is None else str(value).partition(",")[0].strip()


def should_ignore_path(path: str | None, ignored_paths: Iterable[str] | None = None) -> bool:
    """Tell whether `path` begins with one of `ignored_paths`, a trailing `*` left out."""
    if not path or not ignored_paths:
        return False
    return any(entry and path.startswith(entry.removesuffix("*")) for entry in ignored_paths)
