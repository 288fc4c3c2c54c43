"""Who asked, and under which URL; what a proxy says is believed only from a trusted peer."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Networks", "Origin", "is_trusted", "resolve_client", "resolve_origin"]

Networks = tuple["ipaddress.IPv4Network | ipaddress.IPv6Network", ...]
Origin = tuple[str, str]
"""(scheme, host with port)"""


def is_trusted(peer: str | None, networks: Networks) -> bool:
    """Tell whether `peer`, an IP address, lies in one of `networks`."""
    if not peer or not networks:
        return False
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:  # a Unix socket or a test client's made-up name
        return False
    return any(address in network for network in networks)


def _first(value: str | None) -> str:
    return value.partition(",")[0].strip() if value else ""


def resolve_client(peer: str | None, headers: Mapping[str, str], networks: Networks) -> str | None:
    """Return the caller's address: the nearest one in `X-Forwarded-For` that is not a trusted proxy."""
    if not is_trusted(peer, networks):
        return peer
    nearest = peer
    for hop in reversed(
        [part.strip() for part in headers.get("x-forwarded-for", "").split(",") if part.strip()]
    ):
        nearest = hop
        if not is_trusted(hop, networks):
            break
    return nearest


def resolve_origin(
    scheme: str, host: str, peer: str | None, headers: Mapping[str, str], networks: Networks
) -> Origin:
    """Return scheme and host as the caller used them. `headers` have lower-case names."""
    if is_trusted(peer, networks):
        scheme = _first(headers.get("x-forwarded-proto")).rstrip(":") or scheme
        host = _first(headers.get("x-forwarded-host")) or host
    return scheme, host
