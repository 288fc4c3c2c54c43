"""Whose word is believed about who asked."""

from __future__ import annotations

import ipaddress

import pytest

from replaystack.errors import ConfigError
from replaystack.http import MiddlewareOptions
from replaystack.http.address import resolve_client, resolve_origin

TRUSTED = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        (None, "203.0.113.9", None),
        ("unix", "203.0.113.9", "unix"),
    ],
)
def test_the_nearest_address_that_is_no_proxy(peer: str | None, forwarded: str, client: str | None) -> None:
    """A caller cannot put an address of its choice in front: the chain is read from our side."""
    assert resolve_client(peer, {"x-forwarded-for": forwarded}, TRUSTED) == client


def test_forwarded_scheme_and_host_count_from_a_trusted_peer_only() -> None:
    """Else a replay of the captured URL would go where the caller wants."""
    headers = {"x-forwarded-proto": "https, http", "x-forwarded-host": "shop.public, inner"}
    assert resolve_origin("http", "inner:80", "10.0.0.1", headers, TRUSTED) == ("https", "shop.public")
    assert resolve_origin("http", "inner:80", "9.9.9.9", headers, TRUSTED) == ("http", "inner:80")
    assert resolve_origin("http", "inner:80", "10.0.0.1", {}, TRUSTED) == ("http", "inner:80")


@pytest.mark.parametrize(
    "options",
    [
        {"trusted_proxies": ["not an address"]},
        {"trusted_proxies": "10.0.0.0/8"},
        {"ignored_paths": "/internal"},
        {"get_trace_id": "x-request-id"},
        {"should_capture": True},
        {"get_user": 1},
    ],
)
def test_a_bad_option_fails_when_it_is_given(options: dict[str, object]) -> None:
    """A configuring call says at once what is wrong."""
    with pytest.raises(ConfigError):
        MiddlewareOptions(**options)  # type: ignore[arg-type]
