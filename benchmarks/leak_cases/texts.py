"""Free text: exceptions, stack traces, breadcrumbs, log entries, metadata, tags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from .case import Case, Event, leaks, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from .plant import Plant

__all__ = ["CASES"]


def _raised(build: Callable[[Plant], BaseException]) -> Event:
    """Return an event with an exception that was really raised, so that it has a traceback."""

    def catch(plant: Plant) -> BaseException:
        try:
            raise build(plant)
        except BaseException as error:  # noqa: BLE001 - whatever the case is about
            return error

    return {"exception": catch}


def _with_cause(error: BaseException, cause: BaseException, *, explicit: bool) -> BaseException:
    error.__context__ = cause
    if explicit:  # even None would say: do not show the context
        error.__cause__ = cause
    return error


_STACK: Final = (
    "Traceback (most recent call last):\n"
    '  File "/app/views.py", line 12, in login\n'
    '    connect(user="ada", password="{{secret}}")\n'
    "ConnectionError: postgres://ada:{{secret}}@db.example/shop refused\n"
)

CASES: Final[list[Case]] = [
    *leaks(
        "text",
        {
            "password=": message("login failed for ada with password={{secret}}"),
            "password:": message("login failed: password: {{secret}}, user: ada"),
            "password = quoted": message('login failed (password = "{{secret}}")'),
            "api_key =>": message("config was [api_key => {{secret}}]"),
            "two words": message("rejected API key: {{secret}}"),
            "long option": message("cannot run: psql --user=ada --password={{secret}} shop"),
            "environment": message("env: HOME=/x AWS_SECRET_ACCESS_KEY={{secret 40}} LANG=C"),
            "form": message("upstream got username=ada&password={{secret}}&remember=1"),
            "escaped form name": message("upstream got username=ada&p%61ssword={{secret}}"),
            "weak name, =": message("rejected token={{secret}}"),
            "weak name, quoted": message("rejected 'token': '{{secret}}'"),
            "weak pin": message("rejected pin={{digits 9}}"),
            "weak session": message("expired session={{secret}}"),
            "dict repr": message("KeyError: {'user': 'ada', 'password': '{{secret}}', 'n': 1}"),
            "dict repr of bytes": message("KeyError: {b'password': b'{{secret}}'}"),
            "pairs repr": message("sent [('user', 'ada'), ('api_key', '{{secret}}')]"),
            "raw headers repr": message("sent [(b'accept', b'*/*'), (b'x-api-key', b'{{secret}}')]"),
            "headers repr": message("sent {'Authorization': 'Bearer {{secret}}', 'Accept': '*/*'}"),
            "dataclass repr": message("bad User(name='ada', password='{{secret}}', age=3)"),
            "quote in quotes": message("bad User(password='it\\'s {{secret}}')"),
            "keyword arguments": message("connect(host='db', passwd='{{secret}}') failed"),
            "SQL parameters": message("[SQL: UPDATE u] [parameters: {'password': '{{secret}}', 'id': 1}]"),
            "libpq": message('could not connect: "host=db user=ada password={{secret}} dbname=shop"'),
            "ADO": message("Server=db;Database=shop;Uid=ada;Pwd={{secret}};"),
            "JDBC": message("jdbc:sqlserver://db:1433;databaseName=shop;user=ada;password={{secret}};"),
            "curl": message(
                "curl -H 'Authorization: Bearer {{secret}}' -H 'X-Api-Key: {{secret}}' https://a.example"
            ),
            "header line": message("> GET / HTTP/1.1\n> Authorization: Basic {{basic}}\n> Accept: */*"),
            "JSON inside": message('answered 400: {"error":"x","client_secret":"{{secret}}"}'),
            "escaped JSON inside": message('body was "{\\"password\\": \\"{{secret}}\\"}"'),
            "URL with userinfo": message(
                "cannot reach https://ada:{{secret}}@db.example:5432/shop, giving up"
            ),
            "URL with query": message("GET https://api.example/v1?page=1&api_key={{secret}} failed (500)"),
            "relative URL": message("GET /v1/items?page=1&access_token={{secret}} failed"),
            "XML inside": message("server said <fault><password>{{secret}}</password></fault>"),
            "Go map": message("got map[password:{{secret}} user:ada]"),
            "Go assignment": message('password := "{{secret}}"'),
            "Rust debug": message('bad User { name: "ada", password: "{{secret}}" }'),
            "Ruby hash": message('params {:password=>"{{secret}}", :page=>1}'),
            "Java text": message("bad User{name='ada', password='{{secret}}'}"),
            "PHP array": message("Array ( 'password' => '{{secret}}' )"),
            "template quotes": message("config.password: `{{secret}}`"),
            "three quotes": message('password = """{{secret}}"""'),
            "environment name": message("PGPASSWORD={{secret}} psql shop"),
            "storage connection": message(
                "Endpoint=sb://x/;SharedAccessKeyName=R;SharedAccessKey={{secret}}="
            ),
            "YAML inside": message("bad file:\n  user: ada\n  client_secret: {{secret}}\n"),
        },
    ),
    *leaks(
        "exception",
        {
            "message": _raised(lambda plant: ValueError(plant.fill("refused: password={{secret}}"))),
            "dict argument": _raised(lambda plant: KeyError(plant.fill({"password": "{{secret}}"}))),
            "several arguments": _raised(
                lambda plant: OSError(5, plant.fill("postgres://a:{{secret}}@db/x"))
            ),
            "cause": _raised(
                lambda plant: _with_cause(
                    RuntimeError("could not log in"),
                    ValueError(plant.fill("api_key={{secret}}")),
                    explicit=True,
                )
            ),
            "context": _raised(
                lambda plant: _with_cause(
                    RuntimeError("could not log in"),
                    ValueError(plant.fill("Bearer {{secret}}")),
                    explicit=False,
                )
            ),
            "stack trace": {"errorMessage": "refused", "stackTrace": _STACK},
            "stack frame": {
                "stackFrames": [
                    {
                        "functionName": "f",
                        "fileName": "a.py",
                        "lineNumber": 1,
                        "raw": 'login(password="{{secret}}")',
                    }
                ]
            },
            "in the payload": {
                "responsePayload": lambda plant: {"error": ValueError(plant.fill("pwd={{secret}}"))}
            },
        },
    ),
    *leaks(
        "breadcrumbs and logs",
        {
            "breadcrumb message": {"breadcrumbs": [{"message": "login with password={{secret}}"}]},
            "breadcrumb metadata": {
                "breadcrumbs": [{"message": "x", "metadata": {"accessToken": "{{secret}}"}}]
            },
            "breadcrumb metadata, nested": {
                "breadcrumbs": [
                    {"message": "x", "metadata": {"sent": [{"headers": {"X-Api-Key": "{{secret}}"}}]}}
                ]
            },
            "breadcrumb URL": {
                "breadcrumbs": [
                    {"message": "GET", "metadata": {"url": "https://a.example/?token={{secret}}"}}
                ]
            },
            "breadcrumb SQL": {
                "breadcrumbs": [
                    {"message": "UPDATE users SET password='{{secret}}' WHERE id=1", "category": "db"}
                ]
            },
            "second breadcrumb": {"breadcrumbs": [{"message": "ok"}, {"message": "Bearer {{secret}}"}]},
            "log message": {"logs": [{"level": "error", "message": "token={{secret}} was refused"}]},
            "log metadata": {
                "logs": [{"level": "info", "message": "x", "metadata": {"refresh_token": "{{secret}}"}}]
            },
            "log metadata, text": {
                "logs": [
                    {"level": "info", "message": "x", "metadata": {"cmd": "login --password={{secret}}"}}
                ]
            },
            "log metadata, JSON": {
                "logs": [
                    {
                        "level": "info",
                        "message": "x",
                        "metadata": {"body": json.dumps({"client_secret": "{{secret}}"})},
                    }
                ]
            },
        },
    ),
    *leaks(
        "metadata",
        {
            "key": {"metadata": {"apiKey": "{{secret}}"}},
            "nested key": {"metadata": {"job": {"args": [{"smtp_pass": "{{secret}}"}]}}},
            "text": {"metadata": {"command": "run --api-key={{secret}}"}},
            "tags as list": {"metadata": {"tags": ["eu", "Bearer {{secret}}"]}},
            "tags as object": {"metadata": {"tags": {"region": "eu", "sessionToken": "{{secret}}"}}},
            "tags as pairs": {"metadata": {"tags": [["region", "eu"], ["api_key", "{{secret}}"]]}},
            "log tags": {"logs": [{"level": "info", "message": "x", "tags": ["eu", "{{jwt}}"]}]},
            "user agent": {"userAgent": "agent/1 (token={{secret}})"},
            "object key": {"metadata": {"by key": {"Bearer {{secret}}": 3}}},
            "URL as key": {"metadata": {"calls": {"https://a:{{secret}}@b.example/": 3}}},
        },
    ),
]
