"""The table: helper -> case -> the arguments of one call.

`record_vectors.py` runs it over whatever `replaystack_sdk` is installed. A table is read case
by case, not from top to bottom; that is why this one may be long.
"""

from __future__ import annotations

import datetime as dt
import decimal
import pathlib
import uuid
from collections import UserDict, deque
from typing import Any

from tests.sdk.vector_inputs import (
    CHAINED,
    JWT,
    PYTHON_TRACE,
    SILENT,
    SIMPLE,
    V8_TRACE,
    Broken,
    Colour,
    Level,
    Repeated,
    Silent,
    Speaking,
    caught,
    cycle,
    deep,
    getter,
    list_cycle,
    locked,
    shared,
)

Arguments = tuple[tuple[Any, ...], dict[str, Any]]

KEY_HEADERS = (
    "x-api-key",
    "x-apikey",
    "x-auth-token",
    "x-access-token",
    "x-token",
    "apikey",
    "api-key",
    "authentication",
)
DOCUMENTED_NAMES = (
    "authorization",
    "password",
    "token",
    "access_token",
    "refresh_token",
    "apikey",
    "api_key",
    "secret",
    "client_secret",
    "cookie",
    "cardNumber",
    "card_number",
    "cvv",
    "otp",
    "passwd",
    "pwd",
)


def call(*args: Any, **kwargs: Any) -> Arguments:
    """Keep the arguments of a call for later."""
    return args, kwargs


def cases() -> dict[str, dict[str, Arguments]]:
    """Return the whole table, with fresh objects in it."""
    return {
        "mask_data": _masking(),
        "mask_sensitive_data": _masking(),
        **_payloads(),
        **_headers(),
        **_stack_traces(),
        **_urls(),
        **_chance(),
    }


def _masking() -> dict[str, Arguments]:
    return {
        "every documented name": call(dict.fromkeys(DOCUMENTED_NAMES, "x")),
        "set-cookie": call({"set-cookie": "a=b", "Set-Cookie": "c=d", "set_cookie": "e=f"}),
        "names that only resemble": call(
            {"passwords": 1, "my_password": 2, "accessToken": 3, "x-api-key": 4, "pin": 5}
        ),
        "case and separators": call(
            {"API-Key": 1, "api key": 2, "Api_Key": 3, "CARD NUMBER": 4, "PassWord": 5}
        ),
        "every kind of value": call(
            [{"token": None}, {"token": False}, {"token": ""}, {"token": {"a": [1]}}]
        ),
        "nested": call({"user": {"name": "ann", "auth": [{"secret": "s"}, ["x", {"otp": 1}]]}}),
        "custom names": call(
            {"SSN": 1, "tax-id": 2, "phone number": 3, "n": 4}, ["ssn", "tax_id", "Phone-Number"]
        ),
        "custom names, any iterable": call({"ssn": 1, "token": 2}, (name for name in ("ssn",))),
        "no custom names": call({"ssn": 1}, []),
        "replacement": call({"token": 1}, None, "***"),
        "replacement by keyword": call({"token": 1, "x": 2}, custom_fields=["x"], replacement=""),
        "keys that are no strings": call({1: "a", None: "b", ("token",): "c", False: "d"}),
        "tuples are not entered": call({"pair": ({"token": 1}, 2)}),
        "sets are not entered": call({"set": {1}}),
        "list": call([{"pwd": 1}, 2]),
        "string": call("password=secret"),
        "None": call(None),
        "values that look secret": call({"note": f"Bearer {JWT}", "card": 4111111111111111}),
        "no dict but like one": call(UserDict({"token": 1})),
        "cycle": call(cycle()),
        "cycle of a list": call(list_cycle()),
        "shared references": call(shared()),
        "what cannot be copied": call(locked()),
        "deep": call(deep(40)),
    }


def _payloads() -> dict[str, dict[str, Arguments]]:
    return {
        "safe_json_clone": {
            "plain": call({"a": [1, 2.5, True, None, "é"], "b": {}}),
            "None": call(None),
            "string": call("x"),
            "tuples": call((1, ("a", [2]))),
            "keys": call({1: "a", 2.5: "b", False: "c", None: "d"}),
            "keys that JSON refuses": call({("a", 1): 2}),
            "set": call({"s": {1}}),
            "bytes": call(b"abc"),
            "datetime": call({"at": dt.datetime(2024, 2, 29, 1, 2, 3, tzinfo=dt.timezone.utc)}),
            "decimal": call(decimal.Decimal("1.20")),
            "uuid": call(uuid.UUID(int=7)),
            "path": call(pathlib.PurePosixPath("/a/b")),
            "enum": call([Colour.RED, Level.HIGH]),
            "deque": call(deque([1, 2])),
            "object": call({"o": Speaking()}),
            "object without a text": call({"o": Silent()}),
            "exception": call(ValueError("bad")),
            "nan": call([float("nan"), float("inf")]),
            "big integer": call(10**30),
            "lone surrogate": call("a\ud800b"),
            "cycle": call(cycle()),
            "cycle of a list": call(list_cycle()),
            "shared references": call(shared()),
            "deep": call(deep(40)),
        },
        "safe_stringify": {
            "plain": call({"a": [1, None, "é"]}),
            "object": call({"o": Speaking()}),
            "object without a text": call({"o": Silent()}),
            "cycle": call(cycle()),
            "shared references": call(shared()),
            "keys that JSON refuses": call({("a", 1): 2}),
            "nan": call(float("nan")),
            "None": call(None),
        },
        "truncate_payload": {
            "fits": call({"a": 1}, 100),
            "fits exactly": call("x" * 8, 10),
            "one over": call("x" * 9, 10),
            "over": call({"items": list(range(50))}, 20),
            "preview ends at 2000": call("x" * 5000, 4000),
            "non-ASCII counts as written": call("é" * 10, 40),
            "no limit": call("x" * 50, 0),
            "negative limit": call("x" * 50, -1),
            "None": call(None, 1),
            "object": call({"o": Speaking()}, 5),
            "cycle": call(cycle(), 5),
        },
        "truncate_utf8_string": {
            "fits": call("abc", 3),
            "over": call("abcdef", 3),
            "inside a character": call("aéé", 4),
            "before the first character": call("é", 1),
            "four bytes": call("a\U0001f600b", 4),
            "zero": call("abc", 0),
            "negative": call("abc", -5),
            "empty": call("", 0),
            "None": call(None, 3),
            "lone surrogate": call("\ud800", 1),
        },
    }


def _headers() -> dict[str, dict[str, Arguments]]:
    return {
        "headers_to_object": {
            "dict": call({"A": "b", "C": ["d"]}),
            "None": call(None),
            "empty": call({}),
            "repeated": call(Repeated(("a", "1"), ("b", "2"), ("a", "3"), ("a", "4"))),
            "repeated with a list": call(Repeated(("a", ["1"]), ("a", "2"))),
            "case is kept": call(Repeated(("A", "1"), ("a", "2"))),
            "pairs": call([("a", "b")]),
            "string": call("a: b"),
            "broken": call(Broken()),
        },
        "detect_auth_mode": {
            "none": call({}),
            "no headers": call(None),
            "not headers": call([("authorization", "Bearer x")]),
            "bearer": call({"Authorization": f"Bearer {JWT}"}),
            "bearer in lower case": call({"AUTHORIZATION": "bearer abc"}),
            "basic": call({"authorization": "Basic dXNlcjpwYXNz"}),
            "token": call({"authorization": "Token abc"}),
            "apikey": call({"authorization": "ApiKey abc"}),
            "api-key": call({"authorization": "Api-Key abc"}),
            "other": call({"authorization": "Digest username=x"}),
            "scheme alone": call({"authorization": "Bearer"}),
            "one word": call({"authorization": "opaque"}),
            "blank": call({"authorization": "   "}),
            "empty falls through": call({"authorization": "", "cookie": "a=b"}),
            "None falls through": call({"authorization": None, "x-api-key": "k"}),
            **{f"header {name}": call({name.title(): "k"}) for name in KEY_HEADERS},
            "cookie": call({"Cookie": "session=1"}),
            "authorization before key": call({"x-api-key": "k", "authorization": "Bearer a"}),
            "key before cookie": call({"cookie": "a=b", "x-api-key": "k"}),
            "a list of values": call({"authorization": ["Bearer a", "Basic b"]}),
            "repeated": call(Repeated(("x-token", "a"), ("x-token", "b"))),
        },
    }


def _stack_traces() -> dict[str, dict[str, Arguments]]:
    return {
        "parse_stack_trace": {
            "python": call(PYTHON_TRACE),
            "v8": call(V8_TRACE),
            "None": call(None),
            "empty": call(""),
            "blank lines": call("\n  \nValueError: x\n\n"),
            "python without a line": call('File "/a.py"'),
            "python with a broken line": call('File "/a.py", line x, in f'),
            "python without an end": call('File "/a.py, line 3, in f'),
            "v8 without a name": call("at (x.js:1:2)"),
            "v8 without a blank": call("at f(x.js:1:2)"),
            "v8 without a column": call("at f (x.js:12)"),
            "v8 native": call("at Array.map (native)"),
            "v8 alias": call("at Type.method [as alias] (x.js:1:2)"),
            "crlf": call('  File "a.py", line 1, in f\r\n  at f (x.js:1:2)\r\n'),
        },
        "parse_exception_stack": {"raised": call(caught(SIMPLE)), "never raised": call(ValueError("x"))},
        "format_exception": {
            "raised": call(caught(SIMPLE)),
            "chained": call(caught(CHAINED)),
            "never raised": call(ValueError("x")),
        },
        "get_error_details": {
            "raised": call(caught(SIMPLE)),
            "chained": call(caught(CHAINED)),
            "without a message": call(caught(SILENT)),
            "base exception": call(KeyboardInterrupt()),
            "string": call("it failed"),
            "dict": call({"code": 7}),
            "None": call(None),
            "object": call(Speaking()),
        },
    }


def _urls() -> dict[str, dict[str, Arguments]]:
    host = getter(host="example.com")
    return {
        "build_absolute_request_url_from_parts": {
            "host": call(path_with_query="/a?b=c", get_header=host),
            "fallback": call(path_with_query="/a", get_header=host, protocol_fallback="https"),
            "fallback with a colon": call(path_with_query="/a", get_header=host, protocol_fallback="https:"),
            "forwarded": call(
                path_with_query="/a",
                get_header=getter(
                    host="inner:8000", x_forwarded_host="shop.example", x_forwarded_proto="https"
                ),
            ),
            "forwarded chain": call(
                path_with_query="/a",
                get_header=getter(
                    x_forwarded_host="one.example, two.example", x_forwarded_proto=" https , http"
                ),
            ),
            "lists": call(
                path_with_query="/a", get_header=getter(host=["a.example", "b"], x_forwarded_proto=[])
            ),
            "no slash": call(path_with_query="a", get_header=host),
            "empty path": call(path_with_query="", get_header=host),
            "no path": call(path_with_query=None, get_header=host),
            "no host": call(path_with_query="/a", get_header=getter()),
            "blank host": call(path_with_query="/a", get_header=getter(host=" ")),
            "no headers": call(path_with_query="/a"),
            "absolute": call(path_with_query="HTTPS://x.example/a?b#c"),
            "absolute but broken": call(path_with_query="http://"),
            "absolute wins": call(path_with_query="http://x.example/a", get_header=host),
            "keywords only": call("/a", host),
        },
        "normalize_absolute_request_url": {
            "plain": call("https://api.example.com/orders?ref=email"),
            "upper case": call("HTTPS://API.Example.com/Orders"),
            "userinfo and port": call("http://u:p@h:8080/"),
            "no path": call("http://h"),
            "fragment": call("http://h/a#b"),
            "query without a path": call("http://h?x=1"),
            "empty query and fragment": call("http://h/a?#"),
            "parameters": call("http://h/a;v=1?x=2"),
            "relative": call("/orders"),
            "other scheme": call("ftp://h/a"),
            "no host": call("http:///a"),
            "broken host": call("http://[::1/a"),
            "empty": call(""),
            "None": call(None),
        },
        "normalize_endpoint": {
            "path": call("/orders"),
            "query": call("/orders?x=1?y=2"),
            "fragment": call("/orders#top"),
            "job": call("daily-report-job"),
            "absolute": call("https://h/a/b?c#d"),
            "absolute without a path": call("https://h"),
            "other scheme": call("redis://h/0"),
            "scheme alone": call("mailto:a@b?c"),
            "broken host": call("http://[::1/a?b"),
            "query alone": call("?x=1"),
            "empty": call(""),
            "None": call(None),
        },
        "should_ignore_path": {
            "equal": call("/health", ["/health"]),
            "below": call("/health/db", ["/health"]),
            "longer word": call("/healthcare", ["/health"]),
            "glob": call("/internal/a", ["/internal/*"]),
            "glob without the slash": call("/internal", ["/internal/*"]),
            "star alone": call("/a", ["*"]),
            "empty entry": call("/a", [""]),
            "second entry": call("/b", ["/a", "/b"]),
            "none matches": call("/c", ("/a", "/b")),
            "no list": call("/a"),
            "no path": call(None, ["/a"]),
            "empty path": call("", ["/a"]),
        },
    }


def _chance() -> dict[str, dict[str, Arguments]]:
    # `random` is seeded before each call, so every rate draws the same number: 0.3238...
    rates = (1.0, 7, 0, -1.0, 0.32, 0.33, 0.9)
    return {
        "should_sample": {"default": call(), **{str(rate): call(rate) for rate in rates}},
        "sleep_seconds": {"zero": call(0), "negative": call(-3), "not a number": call("1")},
    }
