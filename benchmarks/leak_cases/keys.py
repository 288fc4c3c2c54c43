"""Secrets that their key gives away: in JSON bodies, in objects, in lists of pairs."""

from __future__ import annotations

import json
from typing import Final

from .case import Case, body, described, json_body, leaks

__all__ = ["CASES"]

_NAMES: Final = """
password passwd pwd passphrase Password PASSWORD userPassword user_password new-password password2 passwords
accessToken access_token refresh-token REFRESH_TOKEN idToken csrfToken token clientSecret client_secret
app.secret user[password] auth:token config/secret privateKey private_key apiKey api_key x-api-key API-KEY
stripeApiKeys secretAccessKey aws_access_key_id signingKey encryption_key authKey sessionId session_id
session_key sid JSESSIONID PHPSESSID connect.sid csrfmiddlewaretoken xsrf jwt bearer credential credentials
creditCard card_number cardNumber cc-number cvv security_code pan userPan pin user_pin otp oneTimePassword
totp mfa_code pincode ssn social_security_number db_pass smtpPass dsn database_url connectionString
authorization Proxy-Authorization cookie setCookie passcode accessTokens x_auth_token
""".split()  # noqa: SIM905 - reads as a table

_DEEP: Final = '{"a":[{"b":[{"c":[{"d":[{"e":[{"f":{"password":"{{secret}}"}}]}]}]}]}]}'
_TWICE: Final = json.dumps({"inner": json.dumps({"password": "{{secret}}", "n": 1})})

CASES: Final[list[Case]] = [
    *leaks("key", {name: json_body({"user": "ada", name: "{{secret}}"}) for name in _NAMES}),
    *leaks(
        "key shapes",
        {
            "number": json_body('{"pin":{{digits 9}},"user":"ada"}'),
            "decimal number": json_body('{"otp":{{digits 9}}.25}'),
            "list of texts": json_body({"passwords": ["{{secret}}", "{{secret}}"]}),
            "object": json_body({"password": {"old": "{{secret}}", "new": "{{secret}}"}}),
            "nested lists": json_body({"tokenSecret": [[["{{secret}}"]]]}),
            "walked session": json_body({"session": {"user": 7, "token": "{{secret}}"}}),
            "walked auth": json_body({"auth": {"user": "ada", "password": "{{secret}}"}}),
            "session text": json_body({"session": "{{secret}}"}),
            "session list": json_body({"session": ["{{secret}}"]}),
            "pin list": json_body('{"pin":["{{digits 9}}"]}'),
            "pairs": json_body([["user", "ada"], ["password", "{{secret}}"]]),
            "pairs in object": json_body({"headers": [["Accept", "*/*"], ["X-Api-Key", "{{secret}}"]]}),
            "name and value": json_body([{"name": "password", "value": "{{secret}}"}]),
            "value before name": json_body([{"value": "{{secret}}", "name": "api_key"}]),
            "key and value": json_body({"env": [{"key": "DB_PASSWORD", "value": "{{secret}}"}]}),
            "value object": json_body({"name": "client_secret", "value": {"plain": "{{secret}}"}}),
            "escaped key": json_body('{"p\\u0061ssword":"{{secret}}"}'),
            "wholly escaped key": json_body('{"\\u0074\\u006f\\u006b\\u0065\\u006e":"{{secret}}"}'),
            "escaped separator": json_body('{"api\\u005fkey":"{{secret}}"}'),
            "duplicate key": json_body('{"password":"{{secret}}","password":"{{secret}}"}'),
            "top-level list": json_body([{"password": "{{secret}}"}, {"password": "{{secret}}"}]),
            "six levels deep": json_body(_DEEP),
            "eighty levels deep": json_body('{"a":' * 80 + '{"password":"{{secret}}"}' + "}" * 80),
            "white space": json_body('{ "password"\n\t:\r\n  "{{secret}}" }'),
            "blank in key": json_body({"api key": "{{secret}}", " password ": "{{secret}}"}),
            "secret as key": json_body({"sessions": {"{{jwt}}": {"user": 7}}}),
            "card as key": json_body({"limits": {"{{card}}": 500}}),
        },
    ),
    *leaks(
        "objects",
        {
            "dict": {"requestPayload": {"password": "{{secret}}"}},
            "tuple": {"requestPayload": ({"apiKey": "{{secret}}"}, {"apiKey": "{{secret}}"})},
            "tuple of pairs": {"requestPayload": (("user", "ada"), ("password", "{{secret}}"))},
            "dict items": described(lambda plant: list({"a": 1, "token": plant.fill("{{secret}}")}.items())),
            "set": {"requestPayload": {"seen": {"Bearer {{secret}}"}}},
            "frozenset": {"requestPayload": {"seen": frozenset({"{{jwt}}"})}},
            "integer": {"requestPayload": {"cvv": "{{int 9}}"}},
            "integer card": {"requestPayload": {"account": "{{int card}}"}},
            "bytes": {"requestPayload": {"password": b"{{secret}}"}},
            "bytes of JSON": {"requestPayload": {"raw": b'{"password":"{{secret}}"}'}},
            "bytes of a form": {"requestPayload": {"raw": b"user=ada&password={{secret}}"}},
            "bytes as key": {"requestPayload": {b"password": "{{secret}}"}},
            "bytes not UTF-8": {"requestPayload": {"raw": b"\xff\xfe password={{secret}}"}},
        },
    ),
    *leaks(
        "JSON in text",
        {
            "one level": json_body({"body": json.dumps({"password": "{{secret}}"})}),
            "one level, list": json_body({"body": json.dumps([{"apiKey": "{{secret}}"}])}),
            "two levels": json_body({"body": _TWICE}),
            "two levels, number": json_body({"body": json.dumps({"b": json.dumps({"pin": "{{digits 9}}"})})}),
            "in an object": {"requestPayload": {"event": '{"detail":{"accessToken":"{{secret}}"}}'}},
            "white space before": {"requestPayload": {"event": '\n  {"accessToken":"{{secret}}"}\n'}},
            "with other text": {"requestPayload": {"event": 'got {"accessToken":"{{secret}}"} from it'}},
            "cut": {"requestPayload": {"event": '{"user":"ada","accessToken":"{{secret}}'}},
            "three levels": json_body({"body": json.dumps({"body": _TWICE})}),
            "in a form field": body(
                "payload=%7B%22password%22%3A%22{{secret}}%22%7D", "application/x-www-form-urlencoded"
            ),
        },
    ),
]
