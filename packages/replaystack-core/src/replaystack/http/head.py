"""The heads of a request and of its answer, as they stood on the wire; read when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from .address import resolve_client, resolve_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .address import Networks

__all__ = ["HeaderPairs", "HttpRequest", "header_value"]

HeaderPairs = tuple[tuple[bytes, bytes], ...]

_PATH_SAFE = "/:@!$&'()*+,;=~"


def header_value(headers: Iterable[Sequence[bytes]], name: bytes) -> bytes | None:
    """Return the first value of the header `name` (lower case), or None. For one or two look-ups."""
    size = len(name)
    for pair in headers:
        # The length turns most names away before anything is lowered.
        if len(pair[0]) == size and pair[0].lower() == name:
            return pair[1]
    return None


class HttpRequest:
    """The head of a request as an adapter reads it from its framework. All values are raw.

    Args:
        path: decoded, without the query.
        raw_path: as it stood in the request line, without the query; None where the server
            does not tell: then `path` is encoded again.
        query: as it stood in the request line, without the question mark.
        host: what the server calls itself, for a request without a Host header.
        peer: the IP address at the other end of the connection, where there is one.

    """

    def __init__(
        self,
        *,
        method: str,
        scheme: str,
        path: str,
        raw_path: bytes | None,
        query: bytes,
        headers: HeaderPairs,
        host: str,
        peer: str | None,
    ) -> None:
        self.method = method
        self.scheme = scheme
        self.path = path
        self.raw_path = raw_path
        self.query = query
        self.headers = headers
        self.host = host
        self.peer = peer
        self._raw_by_name: dict[bytes, bytes] | None = None
        self._by_name: dict[str, str] | None = None

    # Not `cached_property`: it has a lock, which a fork may leave held.
    @property
    def raw_by_name(self) -> dict[bytes, bytes]:
        """The first value of each header, raw, names in lower case. For look-ups in the request."""
        known = self._raw_by_name
        if known is None:
            known = self._raw_by_name = self._first_of_each()
        return known

    @property
    def by_name(self) -> dict[str, str]:
        """The first value of each header, names in lower case."""
        known = self._by_name
        if known is None:
            raw = self.raw_by_name
            known = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw.items()}
            self._by_name = known
        return known

    def _first_of_each(self) -> dict[bytes, bytes]:
        return {name.lower(): value for name, value in reversed(self.headers)}

    def url(self, networks: Networks) -> str:
        """Return the absolute URL as the caller used it; proxies in `networks` are believed."""
        host = self.by_name.get("host") or self.host
        scheme, host = resolve_origin(self.scheme, host, self.peer, self.by_name, networks)
        if self.scheme.startswith("ws") and scheme.startswith("http"):
            scheme = f"ws{scheme[4:]}"  # a proxy says https of a websocket, too
        raw = self.raw_path
        target = raw.decode("latin-1").partition("?")[0] if raw else quote(self.path, safe=_PATH_SAFE)
        query = self.query.decode("latin-1")
        return f"{scheme}://{host}{target}?{query}" if query else f"{scheme}://{host}{target}"

    def client(self, networks: Networks) -> str | None:
        """Return the caller's address; proxies in `networks` are believed."""
        return resolve_client(self.peer, self.by_name, networks)
