"""The cases of values that must arrive: those of `lookalikes`, and what stands beside secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from replaystack.exchange import RawBody

from .case import Case, Event, body, harmless, headers, json_body, message, note, url
from .lookalikes import HEADERS, KEYS, NUMBERS, TEXTS, URLS

if TYPE_CHECKING:
    from .plant import Plant

__all__ = ["CASES"]


def _kept_json() -> dict[str, Event]:
    return {
        "null, booleans, empty": json_body(
            {"password": None, "token": False, "secret": "", "apiKey": [], "credential": {}, "pin": True}
        ),
        "walked session": json_body({"session": {"user": "ada", "locale": "de"}, "auth": {"method": "sso"}}),
        "walked pin": json_body({"pin": {"lat": 48.4, "lon": 9.99, "label": "harbour"}}),
        "no pairs": json_body([["password", "token"], ["order", "secret", "third"]]),
        "name without value": json_body([{"name": "password", "required": True, "label": "Your word"}]),
        "label and value of a chart": json_body(
            [
                {"label": "Sessions", "value": 1523},
                {"id": "pass", "value": 12},
                {"label": "Pin", "val": "left"},
            ]
        ),
        "parameter with a default": json_body({"name": "max_tokens", "type": "integer", "default": 4096}),
        "field and value": json_body({"field": "quantity", "value": 99, "message": "too many"}),
        "harmless pair": json_body([{"name": "color", "value": "dark blue"}]),
        "validation answer": {
            "responsePayload": {
                "detail": [{"loc": ["body", "quantity"], "msg": "too many", "input": 99, "ctx": {"le": 10}}]
            }
        },
        "JSON in text": note(json.dumps({"author": "Ada", "tokens": [1, 2]})),
        "form": body("q=password+reset&page=2&author=Ada+L", "application/x-www-form-urlencoded"),
        "NDJSON": body('{"a":1,"author":"Ada"}\n{"b":"token ring"}\n', "application/x-ndjson"),
        "text body": body("the secretary of the company", "text/plain"),
        "XML body": body('<order id="4711"><author>Ada</author></order>', "application/xml"),
        "envelope keys": {
            "traceId": "6fa459eaee8a3ca4",
            "endpoint": "/password/reset",
            "errorName": "TokenError",
            "userAgent": "agent/1.0",
        },
        "log ids": {
            "logs": [
                {
                    "level": "info",
                    "message": "paid",
                    "sessionId": "sess-4712",
                    "flowId": "flow-4713",
                    "metadata": {"session_id": "sess-4711", "user_id": "ada", "trace_id": "6fa459ea"},
                }
            ]
        },
        "breadcrumb": {
            "breadcrumbs": [
                {
                    "message": "GET /password/reset",
                    "category": "http",
                    "metadata": {"status": 200, "max_tokens": 12},
                }
            ]
        },
        "tuple and set": {"requestPayload": ({"author": "Ada"}, {"Lovelace"}, (1, 2.5))},
        "unicode keys": json_body({"größe": "XL", "パス": "道", "": "nothing"}),
    }


def _circular(_plant: Plant) -> dict[str, object]:
    ring: dict[str, object] = {"order": "A-1007"}
    ring["self"] = ring
    return ring


def _shared(_plant: Plant) -> dict[str, object]:
    shared = {"author": "Ada"}
    return {"p": {"x": shared}, "q": [shared, shared]}


def _odd() -> list[Case]:
    """Return the cases whose promise is not simply that every value arrives."""
    text = '{ "price": 19.90, "big": 12345678901234567890, "e": 1E5, "a": [1.0, -0.0] , "a": 2 }'
    multipart = (
        '--x\r\nContent-Disposition: form-data; name="author"\r\n\r\nAda Lovelace\r\n'
        '--x\r\nContent-Disposition: form-data; name="f"; filename="cat.png"\r\n'
        "Content-Type: image/png\r\n\r\n1234\r\n--x--\r\n"
    )
    return [
        Case("safe", "JSON byte for byte", json_body(text), is_safe=True, keeps=(), exact=(text,)),
        Case(
            "safe", "circular (C3)", {"requestPayload": _circular}, is_safe=True, keeps=(("order", "A-1007"),)
        ),
        Case(
            "safe",
            "lock beside (C4)",
            {"metadata": {"lock": object(), "order": "A-1007"}},
            is_safe=True,
            keeps=(("order", "A-1007"),),
        ),
        Case(
            "safe",
            "bytes key (C6)",
            {"requestPayload": {b"order": "A-1007"}},
            is_safe=True,
            keeps=(("order", "A-1007"),),
        ),
        Case(
            "safe",
            "NaN beside (C7)",
            {"requestPayload": {"n": float("nan"), "order": "A-1007"}},
            is_safe=True,
            keeps=(("order", "A-1007"),),
        ),
        Case(
            "safe",
            "shared reference (C9)",
            {"requestPayload": _shared},
            is_safe=True,
            keeps=(("author", "Ada"),),
            exact=('{"p":{"x":{"author":"Ada"}},"q":[{"author":"Ada"},{"author":"Ada"}]}',),
        ),
        Case(
            "safe",
            "multipart",
            body(multipart, "multipart/form-data; boundary=x"),
            is_safe=True,
            keeps=("author", "Ada Lovelace", "cat.png", "image/png"),
        ),
        Case(
            "safe",
            "cut body's beginning",
            {
                "requestPayload": RawBody(
                    b'{"author":"Ada Lovelace","order":"A-1007","no',
                    "application/json",
                    None,
                    9000,
                    complete=False,
                )
            },
            is_safe=True,
            keeps=("Ada Lovelace", "A-1007"),
        ),
        Case(
            "safe",
            "beside a secret",
            json_body({"order": "A-1007", "password": "x1y2z3", "author": "Ada"}),
            is_safe=True,
            keeps=(("order", "A-1007"), ("author", "Ada")),
        ),
        Case(
            "safe",
            "around an assignment",
            message("order A-1007: password=x1y2z3 refused by gate 7"),
            is_safe=True,
            keeps=("order A-1007: password=", " refused by gate 7"),
        ),
        Case(
            "safe",
            "around a URL",
            message("GET https://ada:x1y2z3@a.example/items?page=2&token=x1 gave 500"),
            is_safe=True,
            keeps=("GET https://", "a.example/items?page=2&", " gave 500"),
        ),
        Case(
            "safe",
            "beside a query secret",
            url("https://a.example/x?page=2&token=x1y2z3&sort=up"),
            is_safe=True,
            keeps=("https://a.example/x", "page=2&", "&sort=up"),
        ),
    ]


CASES: Final[list[Case]] = [
    *harmless({f"key {key}": json_body({key: value}) for key, value in KEYS.items()}),
    *harmless({f"object key {key}": note({key: value}) for key, value in list(KEYS.items())[:12]}),
    *harmless({f"text {name}": message(text) for name, text in TEXTS.items()}),
    *harmless({f"digits {name}": note(text) for name, text in NUMBERS.items()}),
    *harmless(
        {"digits as integers": json_body('{"a":4111111111111112,"b":4006381333931,"c":1732147200000}')}
    ),
    *harmless({f"header {name}": headers((name, text)) for name, text in HEADERS.items()}),
    *harmless({f"URL {name}": url(address) for name, address in URLS.items()}),
    *harmless(_kept_json()),
    *_odd(),
]
