"""Request and response headers: names in any case, secrets by name, URLs as URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ..exchange import RawHeaders
from ._forms import add_field
from ._keys import Place
from ._marks import MASKED
from ._plain import as_json_type, key_text, snapshot
from ._spelling import BLANKS, lower

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._walk import Walker

__all__ = ["COOKIES_MAX", "mask_headers"]

URL_HEADERS: Final = frozenset({"referer", "location", "origin", "content-location"})
COOKIES_MAX = 64
_COOKIE_NAME_LENGTH = 128  # both far above what browsers accept; names are the client's to choose


def mask_headers(value: object, walker: Walker) -> tuple[Any, list[str]]:
    """Return headers masked, and the names of the cookies that were in them.

    Takes `RawHeaders`, whose names become lower case and whose repeated fields become lists, or
    what a user has: a dict, or a list of pairs. Anything else is walked like any value.
    """
    fields = _fields(value)
    if fields is None:
        return walker.walk(value, Place.HEADER), []
    cookies: set[str] = set()
    special: dict[str, Any] = {}
    for name, content in fields.items():
        low = name if name in _NOT_ONLY_TEXT else lower(name)
        if low not in _NOT_ONLY_TEXT:
            continue
        if low in _COOKIES:
            cookies.update(_cookie_names(low, content))
        elif not walker.is_secret(name, Place.HEADER):
            special[name] = _mask_special(low, content, walker)
            fields[name] = None  # keeps its place
    masked = walker.walk(fields, Place.HEADER)
    masked.update(special)
    return masked, sorted(cookies)[:COOKIES_MAX]


def _fields(value: object) -> dict[str, Any] | None:
    if type(value) is RawHeaders:
        # `bytes.lower` knows ASCII only, as `lower` does.
        return _folded([(_decoded(name.lower()), _decoded(text)) for name, text in value.items])
    value = as_json_type(value)
    if type(value) is dict:
        return {
            name if type(name) is str else key_text(name): _decoded(content)
            for name, content in snapshot(value)
        }
    return _pairs(value) if type(value) is list or type(value) is tuple else None


def _pairs(items: Any) -> dict[str, Any] | None:
    pairs: list[tuple[str, Any]] = []
    for item in list(items):
        item = as_json_type(item)  # noqa: PLW2901 - as JSON sees it
        if (type(item) is not list and type(item) is not tuple) or len(item) != 2:
            return None
        name, content = item
        pairs.append((name if type(name) is str else key_text(name), _decoded(content)))
    return _folded(pairs)


def _folded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, content in pairs:
        # A list of the user's own stays as it is: `add_field` adds to what it was given.
        add_field(fields, name, [*content] if type(content) is list else content)
    return fields


def _decoded(value: Any) -> Any:
    """Decode bytes: headers are ASCII, mostly; what is no UTF-8 is Latin-1, which takes anything."""
    if type(value) is not bytes:
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


# --- headers that are more than a text ------------------------------------------------------------


_COOKIES: Final = frozenset({"cookie", "set-cookie"})
_NOT_ONLY_TEXT: Final = _COOKIES | URL_HEADERS | {"link", "sec-websocket-protocol"}


def _mask_special(name: str, value: Any, walker: Walker) -> Any:
    if name in URL_HEADERS:
        return _each(value, walker.url, walker)
    if name == "link":
        return _each(value, lambda text: _mask_link(text, walker), walker)
    return _mask_subprotocols(value, walker)


def _each(value: Any, mask: Callable[[str], str], walker: Walker) -> Any:
    if type(value) is str:
        return mask(value)
    if type(value) is list:
        return [_each(item, mask, walker) if type(item) is str else walker.walk(item) for item in value]
    return walker.walk(value)


_LINK_TARGET = re.compile(r"<([^<>]*)>")


def _mask_link(text: str, walker: Walker) -> str:
    """Mask `<https://x?token=y>; rel="next"`: each target as a URL, then all of it as a text."""
    return walker.text(_LINK_TARGET.sub(lambda found: f"<{walker.url(found[1])}>", text))


_BEARER = re.compile(r"(?<![A-Za-z0-9])bearer(?![A-Za-z0-9])[^A-Za-z0-9\[]*", re.IGNORECASE | re.ASCII)


def _mask_subprotocols(value: Any, walker: Walker) -> Any:
    """Mask what follows `bearer`: browsers can send a token for a WebSocket nowhere else."""
    lines = value if type(value) is list else [value]
    seen = False
    masked: list[Any] = []
    for line in lines:
        if type(line) is not str:
            masked.append(walker.walk(line))
            continue
        if not seen:
            line = walker.text(line)  # noqa: PLW2901 - as it is written: a second pass sees only that
        found = None if seen else _BEARER.search(line)
        if found is None and not seen:
            masked.append(line)
            continue
        before, scheme = (line[: found.start()], found.group()) if found else ("", "")
        secret = line[found.end() :] if found else line
        walker.masked += secret not in ("", MASKED)
        masked.append(before + scheme + (MASKED if secret else ""))
        seen = True
    return masked if type(value) is list else masked[0]


# --- cookies ----------------------------------------------------------------------------------------


def _cookie_names(header: str, value: Any) -> list[str]:
    """Return the names in `cookie` or `set-cookie`; a cookie without a name is all value."""
    names: set[str] = set()
    for line in value if type(value) is list else [value]:
        if type(line) is str:
            cookies = line.split(";") if header == "cookie" else line.split(";", 1)[:1]
            for cookie in cookies:
                name, _, content = cookie.partition("=")
                if content.strip("=" + BLANKS):  # `c2VjcmV0==` is a value with its padding, and no name
                    names.add(name.strip(BLANKS))
    return sorted(name[:_COOKIE_NAME_LENGTH] for name in names if name)[:COOKIES_MAX]
