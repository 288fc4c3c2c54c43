"""Raw bodies by content type; malformed, cut and encoded ones."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Final

from replaystack.exchange import RawBody

from .case import Case, Event, body, json_body, leaks

if TYPE_CHECKING:
    from collections.abc import Callable

    from .plant import Plant

__all__ = ["CASES"]

_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data; boundary=b0unDary"
_JSON: Final = "application/json"
_DOCUMENT: Final = '{"user":"ada","password":"{{secret}}","note":"ok"}'


def _compressed(compress: Callable[[bytes], bytes], encoding: str, content: str, kind: str = _JSON) -> Event:
    def build(plant: Plant) -> RawBody:
        data = compress(plant.fill(content).encode())
        return RawBody(data, kind, encoding, len(data))

    return {"requestPayload": build}


def _cut(content: str, kind: str, *, total_bytes: int = 5000, encoding: str | None = None) -> Event:
    """Return a body of which only the beginning was seen."""

    def build(plant: Plant) -> RawBody:
        data = plant.fill(content).encode()
        if encoding:
            data = gzip.compress(data)[:-12]
        return RawBody(data, kind, encoding, total_bytes, complete=False)

    return {"requestPayload": build}


def _multipart(*parts: str) -> Event:
    text = "".join(f"--b0unDary\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    return body(text + "--b0unDary--\r\n", _MULTIPART)


def _as_utf16(data: bytes) -> bytes:
    return data.decode().encode("utf-16")


def _in_two_members(data: bytes) -> bytes:
    return gzip.compress(data[:10]) + gzip.compress(data[10:])


def _with_plain_tail(data: bytes) -> bytes:
    return gzip.compress(b"{}") + data


def _raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


CASES: Final[list[Case]] = [
    *leaks(
        "JSON body",
        {
            "as text/plain": body(_DOCUMENT, "text/plain"),
            "without content type": body(_DOCUMENT),
            "as vendor type": body(_DOCUMENT, "application/vnd.api+json"),
            "as octet stream": body(_DOCUMENT, "application/octet-stream"),
            "answer": {"responsePayload": RawBody(_DOCUMENT.encode(), _JSON)},
            "byte order mark": body(b"\xef\xbb\xbf" + _DOCUMENT.encode(), _JSON),
            "latin-1": body(
                '{"name":"Zoë","password":"{{secret}}"}'.encode("latin-1"),
                "application/json; charset=latin-1",
            ),
            "UTF-16": _compressed(_as_utf16, "identity", _DOCUMENT, "application/json; charset=utf-16"),
            "UTF-16, not declared": _compressed(_as_utf16, "identity", _DOCUMENT),
            "bad UTF-8": body(b'{"name":"Zo\xeb","password":"{{secret}}"}', _JSON),
            "lone surrogate": json_body('{"name":"\\ud800","password":"{{secret}}"}'),
            "NaN": json_body('{"ratio":NaN,"password":"{{secret}}"}'),
            "trailing comma": json_body('{"password":"{{secret}}",}'),
            "single quotes": json_body("{'user': 'ada', 'password': '{{secret}}'}"),
            "bare keys": json_body('{user: "ada", password: "{{secret}}"}'),
            "comment": json_body('{"user":"ada", /* x */ "password":"{{secret}}"}'),
            "two documents": json_body('{"user":"ada"}{"password":"{{secret}}"}'),
            "missing bracket": json_body('{"user":{"password":"{{secret}}"}'),
            "prefix against hijacking": json_body(')]}\',\n{"password":"{{secret}}"}'),
            "escaped shape": json_body(
                '{"note":"\\u0065yJhbGciOiJIUzI1NiJ9.eyJ{{secret 60}}.{{secret 43}}"}'
            ),
            "escaped slash": json_body('{"link":"https:\\/\\/ada:{{secret}}@db.example\\/x"}'),
        },
    ),
    *leaks(
        "cut body",
        {
            "within the secret": _cut('{"user":"ada","password":"{{secret}}', _JSON),
            "behind the secret": _cut('{"user":"ada","password":"{{secret}}"', _JSON),
            "within a later text": _cut('{"password":"{{secret}}","note":"a long te', _JSON),
            "within a number": _cut('{"user":"ada","pin":{{digits 9}}', _JSON),
            "within a card": _cut('{"user":"ada","memo":"{{digits 12}}', _JSON),
            "within a JWT": _cut('{"memo":"eyJhbGciOiJIUzI1NiJ9.{{secret 30}}', _JSON),
            "name after value": _cut('{"env":[{"value":"{{secret}}","na', _JSON),
            "within a pair": _cut('[["user","ada"],["password","{{secret}}', _JSON),
            "within an object": _cut('{"secret":{"a":"{{secret}}","b":', _JSON),
            "form": _cut("user=ada&password={{secret}}", _FORM),
            "text": _cut("user=ada password={{secret}}", "text/plain"),
            "XML": _cut("<a><password>{{secret}}", "application/xml"),
            "NDJSON": _cut('{"a":1}\n{"password":"{{secret}}', "application/x-ndjson"),
            "multipart": _cut(
                '--b0unDary\r\nContent-Disposition: form-data; name="password"\r\n\r\n{{secret}}', _MULTIPART
            ),
            "gzip": _cut(_DOCUMENT * 3, _JSON, encoding="gzip"),
            "over the limit": _cut('{"password":"{{secret}}","rest":"' + "x" * 3000, _JSON, total_bytes=9**9),
        },
    ),
    *leaks(
        "other bodies",
        {
            "NDJSON": body('{"a":1}\n{"password":"{{secret}}"}\n', "application/x-ndjson"),
            "NDJSON with a bad line": body('{"a":\n{"password":"{{secret}}"\n', "application/x-ndjson"),
            "gzip JSON": _compressed(gzip.compress, "gzip", _DOCUMENT),
            "gzip form": _compressed(gzip.compress, "gzip", "a=1&password={{secret}}", _FORM),
            "deflate JSON": _compressed(zlib.compress, "deflate", _DOCUMENT),
            "raw deflate JSON": _compressed(_raw_deflate, "deflate", _DOCUMENT),
            "wrongly called br": _compressed(bytes, "br", _DOCUMENT),
            "form": body("username=ada&password={{secret}}", _FORM),
            "form, escaped name": body("username=ada&p%61ssword={{secret}}", _FORM),
            "form, brackets": body("user%5Bpassword%5D={{secret}}&user[api_key]={{secret}}", _FORM),
            "form, blank in name": body("api+key={{secret}}", _FORM),
            "form, OAuth code": body("grant_type=authorization_code&code={{secret}}", _FORM),
            "form, signature": body("user=ada&x_signature={{secret}}&sig={{secret}}", _FORM),
            "form, SAML": body("SAMLResponse={{secret 64}}&RelayState=x", _FORM),
            "form, repeated": body("password={{secret}}&password={{secret}}", _FORM),
            "form, shape": body("memo=Bearer+{{secret}}", _FORM),
            "form, no type": body("username=ada&password={{secret}}"),
            "form as text": body("username=ada&password={{secret}}", "text/plain"),
            "form without names": body("password: {{secret}}", _FORM),
            "multipart field": _multipart('name="user"\r\n\r\nada', 'name="password"\r\n\r\n{{secret}}'),
            "multipart JSON field": _multipart(
                'name="data"\r\nContent-Type: application/json\r\n\r\n{"password":"{{secret}}"}'
            ),
            "multipart file": _multipart(
                'name="f"; filename="env.txt"\r\nContent-Type: text/plain\r\n\r\nPASSWORD={{secret}}'
            ),
            "multipart without end": body(
                '--b0unDary\r\nContent-Disposition: form-data; name="password"\r\n\r\n{{secret}}', _MULTIPART
            ),
            "multipart escaped name": _multipart('name="p%61ssword"\r\n\r\n{{secret}}'),
            "multipart extended name": _multipart("name*=utf-8''api%5Fkey\r\n\r\n{{secret}}"),
            "multipart bare name": _multipart("name=password\r\n\r\n{{secret}}"),
            "multipart line feeds": body(
                '--b0unDary\nContent-Disposition: form-data; name="password"\n\n{{secret}}\n--b0unDary--\n',
                _MULTIPART,
            ),
            "multipart mixed": body(
                '--b0unDary\r\nContent-Type: application/json\r\n\r\n{"password":"{{secret}}"}\r\n'
                "--b0unDary--\r\n",
                "multipart/mixed; boundary=b0unDary",
            ),
            "gzip, two members": _compressed(_in_two_members, "gzip", _DOCUMENT),
            "gzip, then plain": _compressed(_with_plain_tail, "gzip", _DOCUMENT),
            "gzip twice": _compressed(
                lambda data: gzip.compress(gzip.compress(data)), "gzip, gzip", _DOCUMENT
            ),
            "wrongly called gzip": _compressed(bytes, "gzip", _DOCUMENT),
            "UTF-16 text": _compressed(_as_utf16, "identity", "password={{secret}}", "text/plain"),
            "UTF-16 form": _compressed(_as_utf16, "identity", "password={{secret}}", _FORM),
            "octet stream": body(b"\x00\x01password={{secret}}", "application/octet-stream"),
            "unknown type": body("password={{secret}}", "application/x-private"),
            "text": body("the new password: {{secret}}\n", "text/plain"),
            "text, bad UTF-8": body(b"caf\xe9 password={{secret}}", "text/plain"),
            "CSV header": body("setting,value\npassword={{secret}},1\n", "text/csv"),
            "YAML": body("db:\n  user: ada\n  password: {{secret}}\n", "application/yaml"),
            "dot env": body('DEBUG=1\nAPI_KEY="{{secret}}"\nexport DB_PASSWORD={{secret}}\n', "text/plain"),
            "XML element": body("<login><password>{{secret}}</password></login>", "application/xml"),
            "XML attribute": body('<login user="ada" password="{{secret}}"/>', "text/xml"),
            "XML namespace": body("<w:Password Type='x'>{{secret}}</w:Password>", "application/soap+xml"),
            "XML CDATA": body("<password><![CDATA[{{secret}}]]></password>", "application/xml"),
            "XML named property": body('<property name="password" value="{{secret}}"/>', "application/xml"),
            "XML named element": body('<entry name="apiKey">{{secret}}</entry>', "application/xml"),
            "HTML input": body('<input type="hidden" name="csrf_token" value="{{secret}}">', "text/html"),
            "GraphQL argument": body(
                'mutation { login(user: "ada", password: "{{secret}}") { id } }', "application/graphql"
            ),
            "GraphQL query in JSON": json_body(
                {"query": 'mutation { login(password: "{{secret}}") { id } }'}
            ),
            "GraphQL variables": json_body(
                {"query": "mutation M($p: P) {x}", "variables": {"password": "{{secret}}"}}
            ),
            "JavaScript": body('window.CONFIG = {apiKey: "{{secret}}"};', "application/javascript"),
            "server-sent events": body('data: {"access_token":"{{secret}}"}\n\n', "text/event-stream"),
        },
    ),
    *leaks(
        "validation answer",
        {
            name: {"responsePayload": payload}
            for name, payload in {
                "object": {
                    "detail": [
                        {
                            "type": "string_too_short",
                            "loc": ["body", "password"],
                            "msg": "too short",
                            "input": "{{secret}}",
                            "ctx": {"min_length": 40},
                        }
                    ]
                },
                "raw": RawBody(
                    json.dumps(
                        {"detail": [{"loc": ["body", "user", "apiKey"], "msg": "bad", "input": "{{secret}}"}]}
                    ).encode(),
                    _JSON,
                ),
                "input first": {
                    "detail": [{"input": "{{secret}}", "loc": ["query", "access_token"], "msg": "bad"}]
                },
                "tuple": {"detail": [{"loc": ("body", "client_secret"), "input": "{{secret}}"}]},
                "index behind": {"detail": [{"loc": ["body", "passwords", 0], "input": "{{secret}}"}]},
                "number": {"detail": [{"loc": ["body", "cvv"], "input": "{{int 9}}"}]},
                "context": {
                    "detail": [{"loc": ["body", "token"], "input": "", "ctx": {"error": "{{secret}}"}}]
                },
                "list input": {"detail": [{"loc": ["body", "password"], "input": ["{{secret}}"]}]},
                "whole body": {
                    "detail": [
                        {
                            "loc": ["body", "email"],
                            "msg": "missing",
                            "input": {"name": "ada", "password": "{{secret}}"},
                        }
                    ]
                },
                "in text": json.dumps({"detail": [{"loc": ["body", "password"], "input": "{{secret}}"}]}),
            }.items()
        },
    ),
]
