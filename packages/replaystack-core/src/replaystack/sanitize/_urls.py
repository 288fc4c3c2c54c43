"""Secrets in URLs: userinfo, and the parameters of path, query and fragment.

What is not masked stays byte for byte, order and percent-encoding included.
"""

from __future__ import annotations

import re
from typing import Final, Protocol
from urllib.parse import quote, unquote_to_bytes

from ._marks import CUT, MASKED

__all__ = [
    "ParameterRules",
    "mask_escapes_in",
    "mask_parameters",
    "mask_url_parts",
    "mask_urls_in",
    "unquote",
]


class ParameterRules(Protocol):
    """What judges parameters by their names and masks the texts of the others; counts what it masks."""

    masked: int

    def is_secret(self, name: str) -> bool:
        """Tell whether what the parameter `name` (decoded) holds is a secret."""

    def mask_text(self, text: str) -> str:
        """Return a decoded name or value, or a path, masked as text."""


def unquote(text: str) -> str:
    """Decode `%41` and `+`; what is no UTF-8 becomes U+FFFD."""
    text = text.replace("+", " ")
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text


def mask_url_parts(url: str, rules: ParameterRules) -> str:
    """Mask the parameters and the userinfo of one URL, absolute or relative."""
    url = _mask_userinfo(url, rules)
    cut = min((at for at in map(url.find, "?#") if at >= 0), default=len(url))
    path, tail = _mask_hook(url[:cut], rules), url[cut:]
    if ";" in path:  # `/cart;jsessionid=...`
        path = "/".join(_mask_segment(segment, rules) for segment in path.split("/"))
    return path if not tail else path + tail[0] + _mask_tail(tail[1:], rules)


# Webhooks whose path is the credential: whoever knows it may write into the channel.
_HOOK = re.compile(
    r"://(?:[^/@]*@)?(?:hooks\.slack\.com(?::[0-9]+)?/(?:services|workflows|triggers)/"
    r"|(?:[A-Za-z]+\.)?discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/[0-9]+/"
    r"|[A-Za-z0-9\-]+\.webhook\.office\.com/webhookb2/)",
    re.ASCII | re.IGNORECASE,
)


def _mask_hook(path: str, rules: ParameterRules) -> str:
    found = _HOOK.search(path)
    if found is None or path[found.end() :] in ("", MASKED):
        return path
    rules.masked += 1
    return path[: found.end()] + MASKED


def _mask_segment(segment: str, rules: ParameterRules) -> str:
    name, semicolon, parameters = segment.partition(";")
    return name + semicolon + _mask_parameter(parameters, rules)


def _mask_tail(tail: str, rules: ParameterRules) -> str:
    """Mask what follows the first `?` or `#`: query, fragment, or a fragment alone."""
    query, hash_mark, fragment = tail.partition("#")
    return mask_parameters(query, rules) + hash_mark + mask_parameters(fragment, rules)


def mask_parameters(text: str, rules: ParameterRules) -> str:
    """Mask `a=1&b=2`. The value of a secret parameter is masked up to the next `&`."""
    if "&" not in text:
        return _mask_parameter(text, rules)
    return "&".join(_mask_parameter(part, rules) for part in text.split("&"))


_INNER = re.compile(r"([;?])")  # old separators; a query inside a fragment or inside a value


def _mask_parameter(text: str, rules: ParameterRules) -> str:
    """Mask one parameter, or several joined by `;`: after a secret one, everything is its value."""
    pieces = _INNER.split(text)
    for at in range(0, len(pieces), 2):
        name, equals, value = pieces[at].partition("=")
        if not equals:
            pieces[at] = _mask_encoded(name, rules)
        elif rules.is_secret(unquote(name)):
            value += "".join(pieces[at + 1 :])
            if value and value != MASKED:
                rules.masked += 1
            pieces[at:] = [_mask_encoded(name, rules), "=", MASKED if value else ""]
            break
        else:
            pieces[at] = f"{_mask_encoded(name, rules)}={_mask_encoded(value, rules)}"
    return "".join(pieces)


_SHORTEST_SECRET = 5  # nothing is recognisable by its shape in four characters


def _mask_encoded(text: str, rules: ParameterRules) -> str:
    """Mask a name or value as the text that it encodes; write it anew only if that changed it."""
    if len(text) < _SHORTEST_SECRET:
        return text
    decoded = unquote(text)
    masked = rules.mask_text(decoded)
    if masked == decoded:
        return text
    return masked if decoded == text else quote(masked, safe="[]/:,@" + CUT)


_AUTHORITY_END = re.compile(r"[/?#\\]")
_NO_USERINFO = re.compile(r"[/?#\\@]")
_HOST_AND_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::[0-9]*)?\Z")


def _mask_userinfo(url: str, rules: ParameterRules) -> str:
    """Mask all before the `@` of each authority, also where a password holds an unencoded `/`."""
    last = url.rfind("@")
    start = 2 if url.startswith("//") else _authority(url, 0)
    parts: list[str] = []
    done = 0
    while 0 < start <= last:
        found = _AUTHORITY_END.search(url, start)
        end = found.start() if found else len(url)
        at = url.rfind("@", start, end)
        if at < 0 and end < last and not _HOST_AND_PORT.match(url[start:end]):
            at = last  # `user:pa` is no host with a port, so the slash belongs to the password
        if at > start:
            rules.masked += url[start:at] != MASKED
            parts += (url[done:start], MASKED)
            done = end = at
        start = _authority(url, end)
    parts.append(url[done:])
    return "".join(parts)


def _authority(url: str, at: int) -> int:
    """Return where the next authority begins, or 0."""
    found = url.find("://", at)
    return found + 3 if found >= 0 else 0


_URL = re.compile(r"[^\s\"'<>`{}|^]*", re.ASCII)
_SCHEME = "0123456789+.-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SCHEME_MAX = 32
_BARE_PORT = re.compile(r"[^:/?#@\\]*:\Z")
_BEHIND_COLON: Final = "{|^<"  # a password may begin with them; a quote closes what holds the URL
_REST = re.compile(r"[^\s\"/]*", re.ASCII)
_PUNCTUATION = ").,;:!?"  # of the sentence around; `]` may end a mark


# `//user:password@host`, where a URL may begin: what a path holds has a sign before it.
_RELATIVE = re.compile(
    r"(?<![^ \t\r\n\"'(=,<>\[{])//([^ \t\r\n/?#@:\"'<>]{1,64}:[^ \t\r\n/?#@\"'<>]{1,256})(?=@[A-Za-z0-9\[])"
)


def mask_urls_in(text: str, rules: ParameterRules) -> str:
    """Mask each URL with a scheme that stands somewhere in `text`, and userinfo behind a bare `//`."""
    if "@" in text:
        text, count = _RELATIVE.subn(f"//{MASKED}", text)
        rules.masked += count
    parts: list[str] = []
    done = 0
    at = text.find("://")
    while at >= 0:
        before = text[max(done, at - _SCHEME_MAX) : at]
        start = at - (len(before) - len(before.rstrip(_SCHEME)))
        found = _URL.match(text, at + 3)
        end = _behind_password(text, at + 3, found.end() if found else at + 3)
        url = text[start:end].rstrip(_PUNCTUATION)
        masked = mask_url_parts(url, rules)
        if masked != url:
            parts += (text[done:start], masked)
            done = start + len(url)
        at = text.find("://", end)
    if not done:
        return text
    parts.append(text[done:])
    return "".join(parts)


def _behind_password(text: str, start: int, end: int) -> int:
    """Return where a URL ends whose authority begins at `start` and that seems to end at `end`.

    After `user:notaport`, a sign that no URL holds may belong to the password: it goes on behind the `@`.
    """
    authority = text[start:end]
    if ":" not in authority or _NO_USERINFO.search(authority):
        return end
    if _HOST_AND_PORT.match(authority) and not (
        _BARE_PORT.match(authority) and text[end : end + 1] in _BEHIND_COLON
    ):
        return end
    rest = _REST.match(text, end)
    at = text.rfind("@", end, rest.end() if rest else end)
    found = _URL.match(text, at) if at >= 0 else None
    return found.end() if found else end


_ESCAPED = "%*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~!"
_ESCAPED_RUN = re.compile(r"[%*+\-.0-9A-Z_a-z~!]*")


def mask_escapes_in(text: str, rules: ParameterRules) -> str:
    """Mask each percent-encoded run in `text` as the text that it encodes: `token%3Dabc`."""
    parts: list[str] = []
    done = seen = 0
    at = text.find("%")
    while at >= 0:
        start = seen + len(text[seen:at].rstrip(_ESCAPED))
        found = _ESCAPED_RUN.match(text, at)
        end = seen = found.end() if found else at + 1
        masked = _mask_encoded(text[start:end], rules)
        if masked != text[start:end]:
            parts += (text[done:start], masked)
            done = end
        at = text.find("%", end)
    if not done:
        return text
    parts.append(text[done:])
    return "".join(parts)
