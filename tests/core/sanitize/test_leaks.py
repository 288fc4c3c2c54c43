"""What the original and its peers leak, each case planted anew: none of it may leave us."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import Policy, encode_event

POLICY = Policy.build()
BODY = b'{"user": "ada", "password": "hunter2", "card": {"card_number": "4242424242424242", "cvv": "987654"}}'
BODY_SECRETS = ["hunter2", "4242424242424242", "987654"]
HEADERS = {
    "X-Api-Key": "XAPIKEYSECRET",
    "Proxy-Authorization": "Basic PROXYSECRET",
    "X-Auth-Token": "XAUTHSECRET",
    "X-Csrf-Token": "CSRFSECRET",
    "Referer": "https://a.example/cb?access_token=REFSECRET",
    "Authorization": "Bearer AUTHSECRET",
    "Cookie": "session=COOKIESECRET; theme=dark",
    "Set-Cookie": "session=SETCOOKIESECRET; Path=/; SameSite=lax",
}
HEADER_SECRETS = [
    "XAPIKEYSECRET",
    "PROXYSECRET",
    "XAUTHSECRET",
    "CSRFSECRET",
    "REFSECRET",
    "AUTHSECRET",
    "COOKIESECRET",
    "SETCOOKIESECRET",
]


def _raised() -> str:
    def login(password: str) -> None:
        raise ValueError(f"cannot log in with password={password} at https://ada:{password}@db/")

    text = ""
    try:
        login("EXC" + "SECRET1")  # in two halves: the traceback shows this line
    except ValueError:
        text = traceback.format_exc()
    return text


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "F1 JSON body as a raw string": ({"requestPayload": BODY.decode()}, BODY_SECRETS),
    "F1 JSON body as bytes": ({"requestPayload": BODY}, BODY_SECRETS),
    "F1 JSON body from the wire": (
        {"requestPayload": RawBody(BODY, "application/json", total_bytes=len(BODY))},
        BODY_SECRETS,
    ),
    "F3 query": (
        {"requestUrl": "http://127.0.0.1:42433/echo?token=QSTOKEN&reset_password_token=RPTOKEN"},
        ["QSTOKEN", "RPTOKEN"],
    ),
    "F4 request headers": ({"requestHeaders": HEADERS}, HEADER_SECRETS),
    "F5 response headers": ({"responseHeaders": HEADERS}, HEADER_SECRETS),
    "F5 raw headers": (
        {"responseHeaders": RawHeaders(tuple((k.encode(), v.encode()) for k, v in HEADERS.items()))},
        HEADER_SECRETS,
    ),
    "F7 form": (
        {
            "requestPayload": RawBody(
                b"username=ada&password=FORMSECRET", "application/x-www-form-urlencoded", total_bytes=32
            )
        },
        ["FORMSECRET"],
    ),
    "F8 exception text": (
        {
            "errorMessage": "cannot log in with password=EXCSECRET1",
            "stackTrace": _raised(),
            "responsePayload": {"detail": "ValueError: password=EXCSECRET1"},
            "breadcrumbs": [{"message": "raised: password=EXCSECRET1", "metadata": {"error": _raised()}}],
            "stackFrames": [
                {"functionName": "f", "fileName": "a", "lineNumber": 1, "raw": "f(password='EXCSECRET1')"}
            ],
        },
        ["EXCSECRET1"],
    ),
    "K2 camelCase": (
        {"responsePayload": {"accessToken": "RESPCAMEL", "access_token": "RESPSNAKE"}},
        ["RESPCAMEL", "RESPSNAKE"],
    ),
    "K4 JSON under another content type": (
        {"requestPayload": RawBody(BODY, "text/plain", total_bytes=len(BODY))},
        BODY_SECRETS,
    ),
    "K4 form under another content type": (
        {"requestPayload": RawBody(b"username=ada&password=FORMSECRET", "text/plain", total_bytes=32)},
        ["FORMSECRET"],
    ),
    "C1 camelCase and prefixed keys": (
        {
            "requestPayload": dict.fromkeys(
                [
                    "accessToken",
                    "refreshToken",
                    "clientSecret",
                    "privateKey",
                    "userPassword",
                    "session_id",
                    "x-api-key",
                    "creditCard",
                    "ssn",
                ],
                "C1SECRET",
            )
        },
        ["C1SECRET"],
    ),
    "C2 secrets inside of strings": (
        {
            "requestPayload": {
                "raw": json.dumps({"password": "C2SECRET1"}),
                "url": "postgres://app:C2SECRET2@db/x",
                "log": "login with password='C2SECRET3'",
                "curl": "curl -H 'Authorization: Bearer C2SECRET4' https://h",
                "tuple": ({"token": "C2SECRET5"},),
            },
            "logs": [{"level": "info", "message": "token=C2SECRET6", "metadata": {"apiKey": "C2SECRET7"}}],
            "metadata": {"nested": [{"Authorization": "C2SECRET8"}]},
        },
        [f"C2SECRET{number}" for number in range(1, 9)],
    ),
    "values that no SDK detects": (
        {
            "requestPayload": {
                "a": "4242 4242 4242 4242",
                "b": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
                "c": "AKIAIOSFODNN7EXAMPLE",
                "d": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
                "e": 4111111111111111,
            }
        },
        ["4242 4242", "eyJhbGci", "AKIAIOSF", "MIIEvQ", "41111111"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_known_leak_does_not_leave(case: str) -> None:
    """No planted secret of this case is anywhere in the encoded bytes."""
    event, secrets = CASES[case]
    text = encode_event(event, POLICY).data.decode()
    assert [secret for secret in secrets if secret in text] == []
    assert "[MASKED]" in text
    assert "__unmasked_dropped" not in text


def test_safe_values_are_not_lost() -> None:
    """What the peers mask by mistake stays: the event must remain useful."""
    safe = {
        "max_tokens": 100,
        "next_page_token": "abc",
        "token_count": 5,
        "secretary": "ada",
        "has_password": True,
        "password_policy": "strong",
        "authors": ["ada"],
        "pinned": "yes",
        "company": "acme",
        "tokens": 12,
        "status_code": 500,
        "order_id": "8a1f",
        "note": "Token expired",
        "card_brand": "visa",
        "session_count": 3,
        "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
        "when": "2026-11-20T23:41:00Z",
        "epoch_ms": 1763682060123,
        "uuid": "12345678-4242-4242-4242-424242424242",
        "sha": "d41d8cd98f00b204e9800998ecf8427e",
        "url": "https://h/orders/1?page=2&sort=asc",
    }
    assert json.loads(encode_event({"requestPayload": safe}, POLICY).data)["requestPayload"] == safe
