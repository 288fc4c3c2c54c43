"""Secrets that are known by their own shape, in harmless places; then a few of them everywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .case import Case, Event, body, headers, leaks, message, note, url

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CASES"]


def _without_blanks(text: str, blank: str) -> str:
    """Return a template whose blanks are escaped, but for those within its marks."""
    return re.sub(r" (?![a-z0-9]+\}\})", blank, text)


_VENDORS: Final = {
    "AWS": "AKIA{{upper 16}}",
    "AWS temporary": "ASIA{{upper 16}}",
    "Google": "AIza{{secret 35}}",
    "GitHub": "ghp_{{secret 36}}",
    "GitHub OAuth": "gho_{{secret 36}}",
    "GitHub user": "ghu_{{secret 36}}",
    "GitHub server": "ghs_{{secret 36}}",
    "GitHub refresh": "ghr_{{secret 36}}",
    "GitHub fine-grained": "github_pat_{{secret 22}}_{{secret 59}}",
    "GitLab": "glpat-{{secret 20}}",
    "Slack bot": "xoxb-{{digits 12}}-{{digits 13}}-{{secret 24}}",
    "Slack user": "xoxp-{{digits 12}}-{{secret 32}}",
    "Stripe live": "sk_live_{{secret 24}}",
    "Stripe test": "sk_test_{{secret 24}}",
    "Stripe restricted": "rk_live_{{secret 24}}",
    "Twilio": "SK{{hex 32}}",
    "SendGrid": "SG.{{secret 22}}.{{secret 43}}",
    "OpenAI": "sk-{{secret 48}}",
    "OpenAI project": "sk-proj-{{secret 48}}",
    "Anthropic": "sk-ant-api03-{{secret 60}}",
    "npm": "npm_{{secret 36}}",
    "PyPI": "pypi-AgEIcHlwaS5vcmc{{secret 60}}",
    "ReplayStack": "rs_live_{{secret 24}}",
    "TraceReplay": "tr_live_{{secret 24}}",
    "Timberlogs": "tb_live_{{secret 24}}",
}

_CARDS: Final = {
    "in text": "paid with {{card}} today",
    "spaced": "paid with {{card spaced}} today",
    "dashed": "card {{card dashed}}.",
    "American Express": "paid with {{card amex}}",
    "alone": "{{card}}",
    "in quotes": 'number "{{card}}"',
    "after a colon": "number:{{card}},exp:12/30",
}

_CREDENTIALS: Final = {
    "JWT": "got {{jwt}} back",
    "Bearer": "sent Bearer {{secret}}",
    "bearer, lower case": "sent bearer {{secret}} to it",
    "Basic": "sent Basic {{basic}}",
    "Token": "sent Token {{hex 40}}",
    "PEM": "{{pem}}",
    "PEM within text": "key file:\n{{pem}}\nend of file",
    "postgres": "postgresql+psycopg://ada:{{secret}}@db.example:5432/shop",
    "mysql": "mysql://root:{{secret}}@10.0.0.5/shop",
    "mongodb": "mongodb+srv://ada:{{secret}}@c0.example/?retryWrites=true",
    "redis": "redis://:{{secret}}@cache.example:6379/0",
    "amqp": "amqps://ada:{{secret}}@mq.example//vhost",
    "sentry DSN": "https://{{hex 32}}@o1.ingest.example/42",
    "git remote": "fatal: https://x-access-token:{{secret}}@git.example/a/b.git not found",
}

_EVERYWHERE: Final = {
    "JWT": "{{jwt}}",
    "card": "{{card}}",
    "Bearer": "Bearer {{secret}}",
    "GitHub": "ghp_{{secret 36}}",
    "assignment": "password={{secret}}",
}

_PLACES: Final[dict[str, Callable[[str], Event]]] = {
    "JSON body": lambda text: body('{"memo":"' + text + '"}', "application/json"),
    "JSON list": lambda text: body('[1,["' + text + '"]]', "application/json"),
    "text body": lambda text: body(f"memo {text} end", "text/plain"),
    "XML body": lambda text: body(f"<memo>{text}</memo>", "application/xml"),
    "form body": lambda text: body("memo=" + _without_blanks(text, "+"), "application/x-www-form-urlencoded"),
    "header": lambda text: headers(("X-Memo", text)),
    "URL": lambda text: url("https://a.example/?memo=" + _without_blanks(text, "%20")),
    "error message": message,
    "stack trace": lambda text: {"stackTrace": f"  File 'a.py', line 1\nValueError: {text}\n"},
    "breadcrumb": lambda text: {"breadcrumbs": [{"message": f"memo {text}"}]},
    "log": lambda text: {"logs": [{"level": "info", "message": "x", "metadata": {"memo": text}}]},
    "metadata": lambda text: {"metadata": {"memo": [text]}},
    "set": lambda text: {"requestPayload": {"memo": {text}}},
}

CASES: Final[list[Case]] = [
    *leaks("vendor key", {name: note(f"key {shape} of the shop") for name, shape in _VENDORS.items()}),
    *leaks("card", {name: note(text) for name, text in _CARDS.items()}),
    *leaks(
        "card",
        {
            "number": body('{"n":{{card}}}', "application/json"),
            "integer": note("{{int card}}"),
            "integer in list": note(["{{int card}}", 7]),
        },
    ),
    *leaks("credential", {name: note(text) for name, text in _CREDENTIALS.items()}),
    *leaks(
        "everywhere",
        {
            f"{secret} in {place}": at(text)
            for place, at in _PLACES.items()
            for secret, text in _EVERYWHERE.items()
        },
    ),
]
