"""What the original SDK (1.1.3) was found to leak, each by the number that it was reported under.

Only the findings about masking: the others (lost events, drained streams, duplicated failures) are promises
of delivery and of the adapters, and proved by their tests.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from replaystack.exchange import RawBody

from .case import Case, body, headers, leaks, url

if TYPE_CHECKING:
    from .plant import Plant

__all__ = ["CASES"]

_LOGIN: Final = (
    '{"user": "ada", "password": "{{secret}}", "card": {"card_number": "{{card}}", "cvv": "{{digits 9}}"}}'
)
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_HEADERS: Final = headers(
    ("x-api-key", "{{secret}}"),
    ("proxy-authorization", "Basic {{basic}}"),
    ("x-auth-token", "{{secret}}"),
    ("x-csrf-token", "{{secret}}"),
    ("referer", "https://a.example/cb?access_token={{secret}}"),
)
_SET_COOKIE: Final = headers(("set-cookie", "session={{secret}}; Path=/; SameSite=lax"), answer=True)


def _everywhere(plant: Plant) -> dict[str, object]:
    return {"error": plant.fill("cannot log in with password={{secret}}")}


CASES: Final[list[Case]] = leaks(
    "found in 1.1.3",
    {
        "F1 JSON request body": body(_LOGIN, _JSON),
        "F3 query": url("http://127.0.0.1:42433/echo?token={{secret}}&reset_password_token={{secret}}"),
        "F4 request headers": _HEADERS,
        "F5 Set-Cookie": _SET_COOKIE,
        "F7 form": body("username=ada&password={{secret}}", _FORM),
        "F8 exception text in four places": {
            "responsePayload": _everywhere,
            "errorMessage": "cannot log in with password={{secret}}",
            "stackTrace": "  File 'a.py', line 1\nValueError: cannot log in with password={{secret}}\n",
            "breadcrumbs": [{"message": "exception", "metadata": {"text": "bad password={{secret}}"}}],
        },
        "K2 camelCase in answer": {
            "responsePayload": RawBody(
                b'{"accessToken": "{{secret}}", "access_token": "{{secret}}", "ok": true}', _JSON
            )
        },
        "K3 headers both ways": {
            **_HEADERS,
            **_SET_COOKIE,
            **url("http://127.0.0.1/echo?token={{secret}}"),
        },
        "K4 JSON under another type": body(_LOGIN, "text/plain; charset=utf-8"),
        "D1 JSON request body": body(_LOGIN, "application/json; charset=utf-8"),
        "D2 JSON answer": {"responsePayload": RawBody(b'{"ok": true, "access_token": "{{secret}}"}', _JSON)},
        "D3 headers and query": {**_HEADERS, **url("http://testserver/echo?token={{secret}}")},
        "C1 keys of all spellings": {
            "requestPayload": dict.fromkeys(
                (
                    "accessToken",
                    "refreshToken",
                    "clientSecret",
                    "privateKey",
                    "userPassword",
                    "session_id",
                    "x-api-key",
                    "creditCard",
                    "ssn",
                ),
                "{{secret}}",
            )
        },
        "C2 secrets inside texts": {
            "requestPayload": {"raw": json.dumps({"password": "{{secret}}"})},
            "logs": [{"level": "info", "message": "login with password={{secret}}"}],
            "metadata": {"dsn of": "x", "target": "https://ada:{{secret}}@db.example/"},
        },
    },
)
