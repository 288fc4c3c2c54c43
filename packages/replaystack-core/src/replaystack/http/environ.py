"""The head of a request as it stands in a WSGI environ (PEP 3333)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from .head import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["has_body", "read_environ", "read_path"]

_RAW_TARGETS = ("RAW_URI", "REQUEST_URI")
"""Where servers leave the request line's target: gunicorn and werkzeug; uWSGI, mod_wsgi, werkzeug."""


def read_environ(environ: Mapping[str, Any]) -> HttpRequest:
    """Return the head of the request. Changes nothing; reads nothing of the body.

    A WSGI server has joined repeated headers and forgotten the order and the case of names:
    names come in lower case.
    """
    path = read_path(environ)
    return _LowerCaseRequest(
        method=environ["REQUEST_METHOD"],
        scheme=environ.get("wsgi.url_scheme", "http"),
        path=path,
        raw_path=_raw_path(environ),
        query=_bytes(environ.get("QUERY_STRING") or ""),
        headers=_headers(environ),
        host="" if environ.get("HTTP_HOST") else _server(environ),
        peer=environ.get("REMOTE_ADDR") or None,
    )


class _LowerCaseRequest(HttpRequest):
    """A head whose names are in lower case, each there once."""

    def _first_of_each(self) -> dict[bytes, bytes]:
        return dict(self.headers)


def read_path(environ: Mapping[str, Any]) -> str:
    """Return the path as the caller wrote it, decoded: what the application is mounted under included."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    # The bytes of the path came as Latin-1 characters; nearly all of them are ASCII.
    return path if path.isascii() else _bytes(path).decode("utf-8", "replace")


def has_body(environ: Mapping[str, Any]) -> bool:
    """Tell whether there may be a body. Unsure is yes: only GET and HEAD without a length have none."""
    length: str | None = environ.get("CONTENT_LENGTH")
    if length:
        return length != "0"
    return "HTTP_TRANSFER_ENCODING" in environ or environ["REQUEST_METHOD"] not in {"GET", "HEAD"}


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")


_MAX_NAMES = 512
"""Callers choose header names: they must not fill the memory."""
_names: dict[str, bytes | None] = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}
"""Keys of environs that were seen, with their header's name; None: no header."""


def _header_name(key: str) -> bytes | None:
    name = _bytes(key[5:].replace("_", "-").lower()) if key.startswith("HTTP_") else None
    if len(_names) < _MAX_NAMES:
        _names[key] = name
    return name


def _headers(environ: Mapping[str, Any]) -> tuple[tuple[bytes, bytes], ...]:
    headers: list[tuple[bytes, bytes]] = []
    for key, value in environ.items():
        try:
            name = _names[key]
        except KeyError:
            name = _header_name(key)
        if name is not None and type(value) is str and (value or key[:5] == "HTTP_"):
            headers.append((name, value.encode("latin-1", "replace")))
    return tuple(headers)


def _raw_path(environ: Mapping[str, Any]) -> bytes | None:
    """Return the path as it stood in the request line, unless a middleware has changed it since."""
    for key in _RAW_TARGETS:
        target = environ.get(key)
        if type(target) is str and target.startswith("/"):
            raw = _bytes(target.partition("?")[0])
            path = _bytes(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
            return raw if raw == path or unquote_to_bytes(raw) == path else None
    return None


def _server(environ: Mapping[str, Any]) -> str:
    """Return what the server calls itself, for a request without a Host header."""
    name, port = environ.get("SERVER_NAME", ""), str(environ.get("SERVER_PORT", ""))
    if ":" in name and not name.startswith("["):
        name = f"[{name}]"
    standard = {"http": "80", "https": "443"}.get(environ.get("wsgi.url_scheme", ""))
    return f"{name}:{port}" if port and port != standard else name
