"""The heads of a request and of its answer, as Django holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replaystack.http import HttpRequest, read_environ

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    import django.http

__all__ = ["head_of", "marks_of", "raw_headers", "set_own_headers"]

_OURS = "_replaystack_headers"
"""On a response: the trace id that we gave it. A text, because a cache may pickle the response."""


def marks_of(request: django.http.HttpRequest) -> MutableMapping[str, Any]:
    """Return the dict of the server's that stands for this request: the ASGI scope or the environ."""
    scope: MutableMapping[str, Any] | None = getattr(request, "scope", None)
    return request.META if scope is None else scope


def head_of(request: django.http.HttpRequest) -> HttpRequest:
    """Return the head of the request. Reads nothing of its body."""
    scope: MutableMapping[str, Any] | None = getattr(request, "scope", None)
    if scope is not None:
        return _read_scope(scope)
    environ = request.META
    if not request.path.isascii():
        # Django has decoded these two in the environ, which WSGI wants as Latin-1.
        decoded = {name: environ.get(name, "") for name in ("SCRIPT_NAME", "PATH_INFO")}
        environ = {
            **environ,
            **{name: text.encode().decode("latin-1") for name, text in decoded.items()},
        }
    return read_environ(environ)


def _read_scope(scope: MutableMapping[str, Any]) -> HttpRequest:
    server, peer = scope.get("server"), scope.get("client")
    query = scope.get("query_string") or b""
    if isinstance(query, str):  # so Django's own AsyncClient has it, and Django takes it
        query = query.encode("latin-1", "replace")
    return HttpRequest(
        method=scope["method"].upper(),
        scheme=scope.get("scheme", "http"),
        path=scope["path"],
        raw_path=scope.get("raw_path"),
        query=query,
        headers=tuple(scope.get("headers", ())),
        host=":".join(str(part) for part in server if part is not None) if server else "",
        peer=peer[0] if peer else None,
    )


def raw_headers(response: django.http.HttpResponseBase) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers of an answer, cookies included, as pairs that cannot change."""
    pairs: list[tuple[str, str]] = list(response.items())
    if response.cookies:
        pairs += [("Set-Cookie", cookie.OutputString()) for cookie in response.cookies.values()]
    # A tuple of a list: each request pays for this line, and a generator costs twice as much.
    return tuple(
        [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in pairs]
    )


def set_own_headers(response: django.http.HttpResponseBase, own: tuple[tuple[str, str], ...]) -> None:
    """Add `x-trace-id` and, where there is one, `x-correlation-id`, unless the application has its own.

    Those of ours that came along with a cached or shared response belong to another request.
    """
    headers = response.headers
    known: dict[str, str] | None = response.__dict__.get(_OURS)
    if known is not None:
        for name, value in known.items():
            if headers.get(name) == value:
                del headers[name]
    added = {name: value for name, value in own if name not in headers}
    for name, value in added.items():
        headers[name] = value
    response.__dict__[_OURS] = added
