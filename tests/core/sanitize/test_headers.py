"""Headers: secrets by name, cookies whole, URLs as URLs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from replaystack.exchange import RawHeaders
from replaystack.sanitize import Policy, encode_event

POLICY = Policy.build()
M = "[MASKED]"


def _encode(headers: object, policy: Policy = POLICY) -> Any:
    return json.loads(encode_event({"requestHeaders": headers}, policy).data)


def test_raw_headers_become_an_object_of_lower_case_names() -> None:
    """Names are lower-cased, repeated fields become lists, order and bytes survive."""
    raw = RawHeaders(
        (
            (b"Accept", b"a"),
            (b"X-Two", b"1"),
            (b"x-two", b"2"),
            (b"X-Latin", b"caf\xe9"),
            (b"X-Utf", b"caf\xc3\xa9"),
        )
    )
    headers = _encode(raw)["requestHeaders"]
    assert list(headers.items()) == [
        ("accept", "a"),
        ("x-two", ["1", "2"]),
        ("x-latin", "café"),
        ("x-utf", "café"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Proxy-Authorization",
        "Cookie",
        "Set-Cookie",
        "X-Api-Key",
        "X-Auth-Token",
        "X-Csrf-Token",
        "X-Xsrf-Token",
        "X-Amz-Security-Token",
        "X-Hub-Signature-256",
        "X-Shopify-Hmac-Signature",
        "Authentication",
        "X-Auth",
        "X-Access",
    ],
)
def test_secret_headers_are_masked_whole(name: str) -> None:
    """No scheme, no attribute, no part of a secret header stays, in any form of headers."""
    for headers in (
        RawHeaders(((name.encode(), b"Scheme abc; def"),)),
        RawHeaders(((name.encode(), b"Scheme abc; def"), (name.encode(), b"two"))),
        {name: "Scheme abc; def"},
        {name: ["Scheme abc; def", "two"]},
        {name: b"Scheme abc; def"},
        [(name, "Scheme abc; def")],
        ((name.encode(), b"Scheme abc; def"),),
    ):
        [(_, value)] = _encode(headers)["requestHeaders"].items()
        assert value == M


@pytest.mark.parametrize("name", ["referer", "location", "origin", "content-location"])
def test_urls_in_headers_are_masked_as_urls(name: str) -> None:
    """A URL header keeps the URL and loses its secrets."""
    url = "https://u:p@a.example/cb?access_token=REF&code=x&page=2"
    masked = f"https://{M}@a.example/cb?access_token={M}&code={M}&page=2"
    assert _encode({name: url})["requestHeaders"][name] == masked
    assert _encode({name: [url, "/x?pin=1"]})["requestHeaders"][name] == [masked, f"/x?pin={M}"]
    assert _encode({name: url}, Policy.build(mask_fields=[name]))["requestHeaders"][name] == M


def test_the_targets_of_a_link_header_are_masked() -> None:
    """Each target of `Link` is a URL; the parameters beside it stay."""
    link = '</next?cursor=1&token=abc>; rel="next", <https://h/?sig=x>; rel="last"'
    expected = f'</next?cursor=1&token={M}>; rel="next", <https://h/?sig={M}>; rel="last"'
    assert _encode({"Link": link})["requestHeaders"]["Link"] == expected


def test_other_headers_are_texts() -> None:
    """The value rules reach every header."""
    headers = {
        "X-Debug": "password=x",
        "X-Jwt-Assertion": "abc",
        "Accept": "*/*",
        "X-Card": "4242 4242 4242 4242",
    }
    assert _encode(headers)["requestHeaders"] == {
        "X-Debug": f"password={M}",
        "X-Jwt-Assertion": "abc",
        "Accept": "*/*",
        "X-Card": M,
    }


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("bearer, abc", f"bearer, {M}"),
        ("graphql-ws, Bearer, abc", f"graphql-ws, Bearer, {M}"),
        ("base64url.bearer.authorization.k8s.io.abc, v4", f"base64url.bearer.{M}"),
        ("graphql-ws", "graphql-ws"),
        ("bearer", "bearer"),
        (["bearer", "abc"], ["bearer", M]),
    ],
)
def test_a_token_among_the_subprotocols_is_masked(value: Any, masked: Any) -> None:
    """Browsers send WebSocket tokens as a subprotocol behind `bearer`."""
    assert _encode({"Sec-WebSocket-Protocol": value})["requestHeaders"] == {"Sec-WebSocket-Protocol": masked}


def test_cookie_names_are_kept_apart() -> None:
    """The names of cookies stand in metadata, sorted, each once; values and nameless cookies do not."""
    event = {
        "requestHeaders": RawHeaders(((b"Cookie", b"b=1; a=2; nameless"), (b"cookie", b"c=3"))),
        "responseHeaders": {"Set-Cookie": ["session=x; Path=/; SameSite=lax", "a=3"]},
    }
    data = encode_event(event, POLICY).data
    names = json.loads(data)["metadata"]["replaystack"]["cookieNames"]
    assert names == ["a", "b", "c", "session"]
    assert b"nameless" not in data
    assert b"Path" not in data
    assert encode_event(json.loads(data), POLICY).data == data


def test_cookie_names_are_bounded_and_masked() -> None:
    """A client that invents cookies fills neither the event nor a hole in the masking."""
    jar = (
        "; ".join(f"n{number:04}=1" for number in range(500))
        + "; ghp_"
        + "a1" * 20
        + "=1; "
        + "x" * 5000
        + "=1"
    )
    names = _encode({"cookie": jar})["metadata"]["replaystack"]["cookieNames"]
    assert len(names) == 64
    assert max(map(len, names)) <= 128
    assert not any(name.startswith("ghp_") for name in names)


def test_odd_headers_still_come_out() -> None:
    """Whatever stands where headers belong is masked like any value."""
    assert _encode({"accept": 5, "x": None, 7: "a", "nested": {"token": "x"}})["requestHeaders"] == {
        "accept": 5,
        "x": None,
        "7": "a",
        "nested": {"token": M},
    }
    assert _encode("password=x")["requestHeaders"] == f"password={M}"
    assert _encode([("a", "b", "c")])["requestHeaders"] == [["a", "b", "c"]]
    assert _encode(object())["requestHeaders"] == "<builtins.object>"
