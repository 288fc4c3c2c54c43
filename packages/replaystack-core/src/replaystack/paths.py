"""What a path is, and which ones are not worth an event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DEFAULT_IGNORED_PATHS", "PathFilter", "normalize_endpoint", "should_ignore_path"]

DEFAULT_IGNORED_PATHS = ("/health", "/healthz", "/livez", "/readyz", "/metrics", "/favicon.ico")
"""Probes and noise that every adapter leaves out (API.md section 5)."""

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://", re.ASCII)


def normalize_endpoint(endpoint: str | None) -> str | None:
    """Return the path alone: no scheme, no host, no query, no fragment.

    An absolute URL without a path becomes `/`. What is not a URL (`daily-report-job`) stays.
    """
    if not endpoint:
        return endpoint
    if _ABSOLUTE.match(endpoint):
        try:
            return urlsplit(endpoint).path or "/"
        except ValueError:  # an unbalanced bracket in the host: keep what is certainly a path
            return "/" + endpoint.split("://", 1)[1].partition("/")[2].split("?", 1)[0].split("#", 1)[0]
    return endpoint.split("?", 1)[0].split("#", 1)[0]


def should_ignore_path(path: str | None, ignored_paths: Iterable[str] | None = None) -> bool:
    """Tell whether `path` falls under one of `ignored_paths`.

    An entry is a prefix that ends at a path boundary (`/health` covers `/health` and
    `/health/db`, not `/healthcare`), or `prefix*`, which covers whatever starts so.
    """
    if not path or not ignored_paths:
        return False
    for entry in ignored_paths:
        if entry.endswith("*"):
            if path.startswith(entry[:-1]):
                return True
        elif entry and path.startswith(entry):
            rest = path[len(entry) :]
            if not rest or entry.endswith("/") or rest[0] in "/?#":
                return True
    return False


class PathFilter:
    """`should_ignore_path` for many paths and one list of entries."""

    __slots__ = ("_entries", "_starts")

    def __init__(self, entries: Iterable[str]) -> None:
        self._entries = tuple(entries)
        # One call in C turns nearly every path away; the boundaries are looked at for the rest.
        self._starts = tuple(entry.removesuffix("*") for entry in self._entries if entry)

    def ignores(self, path: str | None) -> bool:
        """Tell whether `path` falls under one of the entries."""
        if not path or not path.startswith(self._starts):
            return False
        return should_ignore_path(path, self._entries)
