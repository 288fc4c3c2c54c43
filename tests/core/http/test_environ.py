"""A request's head, read from what WSGI servers leave of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack.http import has_body, read_environ, read_path
from replaystack.http.environ import _MAX_NAMES, _names

if TYPE_CHECKING:
    from collections.abc import Callable

    Environ = Callable[..., dict[str, Any]]


def wsgi_text(text: str) -> str:
    """Return text as PEP 3333 has it: the bytes of its UTF-8 as Latin-1 characters."""
    return text.encode().decode("latin-1")


def test_the_head_is_what_the_caller_sent(environ: Environ) -> None:
    """Method, URL, header pairs, peer: nothing is invented, empty lengths are none."""
    given = environ(
        "POST",
        "/orders",
        SCRIPT_NAME="/shop",
        QUERY_STRING="page=2&q=%C3%A9",
        HTTP_X_API_KEY="k",
        HTTP_HOST="shop.example:8000",
        CONTENT_TYPE="text/plain",
        CONTENT_LENGTH="",
        REMOTE_ADDR="203.0.113.9",
    )
    request = read_environ(given)
    assert (request.method, request.path, request.peer) == ("POST", "/shop/orders", "203.0.113.9")
    assert request.url(()) == "http://shop.example:8000/shop/orders?page=2&q=%C3%A9"
    assert (b"x-api-key", b"k") in request.headers
    assert (b"content-type", b"text/plain") in request.headers
    assert "content-length" not in request.by_name


@pytest.mark.parametrize("key", ["RAW_URI", "REQUEST_URI"])
def test_the_raw_path_is_kept_where_it_is_still_true(environ: Environ, key: str) -> None:
    """Where the server tells the request line, the URL has its spelling; not if a middleware moved."""
    path = wsgi_text("/caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait")
    line = "/caf%c3%a9%20au%20lait?x=1"
    request = read_environ(environ("GET", path, QUERY_STRING="x=1", HTTP_HOST="h", **{key: line}))
    assert request.path == "/caf\N{LATIN SMALL LETTER E WITH ACUTE} au lait"
    assert request.url(()) == "http://h/caf%c3%a9%20au%20lait?x=1"
    moved = read_environ(environ("GET", "/elsewhere", QUERY_STRING="", HTTP_HOST="h", **{key: line}))
    assert moved.url(()) == "http://h/elsewhere"
    absolute = read_environ(environ("GET", "/x", HTTP_HOST="h", **{key: "http://evil.example/x"}))
    assert absolute.url(()) == "http://h/x"


@pytest.mark.parametrize(
    ("name", "port", "scheme", "host"),
    [
        ("shop", "8000", "http", "shop:8000"),
        ("shop", "80", "http", "shop"),
        ("shop", 443, "https", "shop"),
        ("::1", "8000", "http", "[::1]:8000"),
        ("unix", "", "http", "unix"),
    ],
)
def test_without_a_host_header_the_server_names_itself(
    environ: Environ, name: str, port: Any, scheme: str, host: str
) -> None:
    """HTTP/1.0 callers need not send Host."""
    made = environ(SERVER_NAME=name, SERVER_PORT=port, **{"wsgi.url_scheme": scheme})
    del made["HTTP_HOST"]
    assert read_environ(made).url(()) == f"{scheme}://{host}/x"


@given(st.binary(max_size=40))
def test_no_path_is_too_strange(raw: bytes) -> None:
    """Whatever bytes a caller sends as its path, it is read; valid UTF-8 is read as such."""
    path = read_path({"SCRIPT_NAME": "", "PATH_INFO": raw.decode("latin-1")})
    assert path == raw.decode("utf-8", "replace")


def test_strange_values_do_not_keep_the_head_from_being_read(environ: Environ) -> None:
    """A server's own keys may hold anything, and text beyond Latin-1 must not be there, but may."""
    request = read_environ(environ(HTTP_X_ODD=object(), HTTP_X_WIDE="\N{SNOWMAN}", HTTP_X_GOOD="y"))
    assert request.by_name["x-good"] == "y"
    assert request.by_name["x-wide"] == "?"
    assert "x-odd" not in request.by_name


def test_names_that_callers_choose_cannot_fill_the_memory(environ: Environ) -> None:
    """The memory of header names has a bound."""
    for number in range(5000):
        name = f"HTTP_X_FLOOD_{number}"
        assert (f"x-flood-{number}".encode(), b"y") in read_environ(environ(**{name: "y"})).headers
    assert len(_names) <= _MAX_NAMES


@pytest.mark.parametrize(
    ("method", "more", "expected"),
    [
        ("GET", {}, False),
        ("HEAD", {}, False),
        ("GET", {"CONTENT_LENGTH": "3"}, True),
        ("POST", {"CONTENT_LENGTH": "0"}, False),
        ("POST", {"CONTENT_LENGTH": ""}, True),
        ("POST", {"HTTP_TRANSFER_ENCODING": "chunked"}, True),
        ("GET", {"HTTP_TRANSFER_ENCODING": "chunked"}, True),
        ("DELETE", {}, True),
    ],
)
def test_a_body_is_expected_where_there_may_be_one(
    environ: Environ, method: str, more: dict[str, str], *, expected: bool
) -> None:
    """Only where there can be none the stream is left as it is."""
    assert has_body(environ(method, **more)) is expected
