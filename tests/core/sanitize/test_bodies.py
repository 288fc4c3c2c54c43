"""Bodies as they stood on the wire: masked by content type, limited, and never half a secret."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest

from replaystack.exchange import RawBody
from replaystack.sanitize import Limits, Policy, encode_event

POLICY = Policy.build()
M = "[MASKED]"


def _body(
    data: bytes, content_type: str | None = "application/json", *, maximum: int = 524_288, **fields: Any
) -> Any:
    fields.setdefault("total_bytes", len(data))
    event = {"requestPayload": RawBody(data, content_type, **fields)}
    encoded = encode_event(event, POLICY, Limits(maximum)).data
    document = json.loads(encoded)
    assert json.loads(encode_event(document, POLICY, Limits(maximum)).data) == document
    return document.get("requestPayload")


SECRET_JSON = (
    b'{"user": "ada", "password": "hunter2", "card": {"card_number": "4242424242424242", "cvv": "987"}}'
)
MASKED_JSON = {"user": "ada", "password": M, "card": {"card_number": M, "cvv": M}}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/problem+json",
        "Application/JSON",
        "text/plain",
        "application/octet-stream",
        None,
        "text/html; charset=latin-1",
        "application/json;charset=ascii",
    ],
)
def test_json_is_masked_under_any_content_type(content_type: str | None) -> None:
    """What is JSON is embedded as JSON, masked by key, whatever it is called."""
    assert _body(SECRET_JSON, content_type) == MASKED_JSON
    assert (
        _body(
            b"\xef\xbb\xbf\r\n " + SECRET_JSON,
            content_type if content_type != "text/html; charset=latin-1" else None,
        )
        == MASKED_JSON
    )


def test_escaped_keys_are_decoded_before_they_are_judged() -> None:
    """An escaped letter is that letter, in a key too."""
    assert _body(b'{"p\\u0061ssword": "hunter2"}') == {"password": M}


@pytest.mark.parametrize(
    "data",
    [
        b'{"password": "hunter2", "a": NaN}',
        b'{"password": "hunter2",}',
        b"{'password': 'hunter2'}",
        b'{"password": "hunter2"',
        b'{"password": "hunter2\xff"}',
        b'[{"credentials": {"a": "hunter2"}}, Infinity]',
        b"[" * 5000 + b'{"password": "hunter2"}' + b"]" * 5000,
    ],
)
def test_what_is_no_json_is_masked_as_text(data: bytes) -> None:
    """A malformed document loses its secrets all the same."""
    masked = _body(data)
    assert "hunter2" not in json.dumps(masked)


def test_numbers_survive_and_stay_readable_by_strict_parsers() -> None:
    """Numbers that a strict parser cannot hold become strings."""
    long, huge = "9" * 41, "9" * 5000
    data = (
        f'{{"a": 1.5, "b": {long}, "c": 1e999, "d": {huge}, "e": -0.0, "f": 12345678901234567890}}'.encode()
    )
    assert _body(data) == {"a": 1.5, "b": long, "c": "1e999", "d": huge, "e": -0.0, "f": 12345678901234567890}


def test_forms_are_objects_of_fields() -> None:
    """A form is masked by key; names are decoded first, repeated fields become lists."""
    data = b"username=ada&pass%77ord=FORMSECRET&a=1&a=2&code=xyz&note=caf%C3%A9+x&empty="
    assert _body(data, "application/x-www-form-urlencoded") == {
        "username": "ada",
        "password": M,
        "a": ["1", "2"],
        "code": M,
        "note": "café x",
        "empty": "",
    }
    assert _body(b"password: hunter2", "application/x-www-form-urlencoded") == f"password: {M}"


def test_a_form_under_another_name_is_masked_as_text() -> None:
    """A form that is called a text loses its secrets too."""
    assert _body(b"username=ada&password=FORMSECRET", "text/plain") == f"username=ada&password={M}"
    assert _body(b"username=ada&password=FORMSECRET", None) == f"username=ada&password={M}"


def test_ndjson_is_a_list_of_documents() -> None:
    """Each line is masked on its own; a line that is no JSON is a text."""
    data = b'{"token": "x"}\r\n\n{"a": 1}\npassword=x\n'
    assert _body(data, "application/x-ndjson") == [{"token": M}, {"a": 1}, f"password={M}"]


def test_texts_are_strings() -> None:
    """XML, GraphQL and plain texts are kept as strings under the value rules."""
    assert (
        _body(b"<a><password>x</password></a>", "application/soap+xml") == f"<a><password>{M}</password></a>"
    )
    assert (
        _body(b'mutation { login(password: "x") }', "application/graphql")
        == f'mutation {{ login(password: "{M}") }}'
    )
    assert _body("é password=x".encode("latin-1"), "text/plain; charset=ISO-8859-1") == f"é password={M}"


MULTIPART = (
    b'--B\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n'
    b'--B\r\nContent-Disposition: form-data; name="note"\r\n\r\ntoken=abc\r\n'
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n"
    b"%PDF\xff\r\n--B--\r\n"
)


def test_multipart_fields_are_masked_and_files_described() -> None:
    """Fields go by key; of a file only its name, type and size leave."""
    assert _body(MULTIPART, "multipart/form-data; boundary=B") == {
        "password": M,
        "note": f"token={M}",
        "file": {"filename": "a.pdf", "contentType": "application/pdf", "size": 5},
    }


@pytest.mark.parametrize(
    "name",
    [
        'name="p%61ssword"',
        "name*=utf-8''api%5Fkey",
        'filename="f"; name=token',
        'name="a"; name="pin"',
        "name=cvv",
    ],
)
def test_names_of_multipart_fields_are_decoded(name: str) -> None:
    """However the name of a field is written, it is judged by what it says."""
    body = f"--B\r\nContent-Disposition: form-data; {name}\r\n\r\nhunter2\r\n--B--\r\n"
    assert "hunter2" not in json.dumps(_body(body.encode(), "multipart/form-data; boundary=B"))


def test_malformed_json_hides_nothing_behind_escapes() -> None:
    """Where a document does not parse, escaped letters are letters all the same."""
    for data in (rb'{"p\u0061ssword": "hunter2", "a": NaN}', rb'{"a": "x\nsk_live_hunter2abc", "b": NaN}'):
        assert "hunter2" not in json.dumps(_body(data))
        assert "hunter2" not in json.dumps(_body(data[:-1], complete=False))


@pytest.mark.parametrize(
    ("data", "content_type", "fields"),
    [
        (b"\x89PNG\x00", "image/png", {}),
        (b"\x00\x01password=x", None, {}),
        (b"password=x", "application/pdf; name=secret", {}),
        (b"password=x", "text/plain; charset=utf-16", {}),
        (b"password=x", "text/plain", {"content_encoding": "br"}),
        (b"password=x", "text/plain", {"content_encoding": "gzip"}),
        ('{"password": "x"}'.encode("utf-16"), "application/json", {}),
        ('{"password": "x"}'.encode("utf-16-le"), "text/plain", {}),
        (MULTIPART[:-5], "multipart/form-data; boundary=B", {}),
        (MULTIPART, "multipart/form-data", {}),
    ],
)
def test_what_is_not_decoded_is_omitted(
    data: bytes, content_type: str | None, fields: dict[str, Any]
) -> None:
    """A body that we cannot read leaves nothing but its type and size."""
    mark: dict[str, Any] = {"__omitted": True}
    if content_type:
        mark["contentType"] = content_type.partition(";")[0]
    assert _body(data, content_type, **fields) == {**mark, "sizeBytes": len(data)}


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", _raw_deflate),
        ("identity", bytes),
    ],
)
def test_compressed_bodies_are_decoded_first(encoding: str, pack: Any) -> None:
    """Encodings hide nothing: gzip and deflate hide no secret and lose no body."""
    assert _body(pack(SECRET_JSON), content_encoding=encoding) == MASKED_JSON


def test_a_compressed_bomb_is_cut() -> None:
    """Decoding ends at the limit, however much would follow."""
    bomb = gzip.compress(b'{"password": "hunter2", "a": "' + b"x" * 50_000_000)
    tracemalloc.start()
    try:
        mark = _body(bomb, content_encoding="gzip", maximum=100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000
    assert mark["__truncated"] is True
    assert mark["sizeIsLowerBound"] is True
    assert "hunter2" not in mark["preview"]


def test_no_body_is_no_key() -> None:
    """An empty body is absent."""
    assert _body(b"") is None
    assert _body(b"{}") is None


def test_a_body_over_the_limit_is_a_preview() -> None:
    """The mark of the original, with the size by Content-Length and the first 2000 code points, masked."""
    data = b'{"password": "hunter2", "a": "' + b"x" * 40_000 + b'"}'
    assert _body(data, maximum=20_000)["originalSizeBytes"] == len(data)
    held = _body(data[:16_384], total_bytes=1_000_000, complete=False)
    assert held == {
        "__truncated": True,
        "originalSizeBytes": 1_000_000,
        "maxSizeBytes": 524_288,
        "preview": f'{{"password": "{M}", "a": …',
    }
    rows = b"[" + b",".join(b'{"token": "hunter2", "n": %d}' % n for n in range(2000))
    mark = _body(rows, maximum=1000)
    assert len(mark["preview"]) <= 1000
    assert mark["preview"].startswith(f'[{{"token": "{M}", "n": 0}}')
    assert "hunter2" not in mark["preview"]


def test_raw_bodies_compare_by_raw_bytes() -> None:
    """A body within the limit stays whole, even if masking makes it longer."""
    data = b"a=1&password=x"
    assert _body(data, "application/x-www-form-urlencoded", maximum=len(data)) == {"a": "1", "password": M}


# --- bodies that were cut ---------------------------------------------------------------------------

_S = "S3CRET-abcdef-XYZ987"
_CARD = "4242424242424242"
_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"

CUT_JSON = [
    {"user": "ada", "password": _S},
    {"password": f"{_S} {_S} with blanks"},
    {"a": [1, {"api_key": _S}], "token": [_S, _S]},
    {"credentials": {"user": "ada", "value": _S, "list": [_S]}},
    {"value": _S, "name": "password"},
    {"value": {"deep": [_S]}, "name": "password"},
    {"fields": [{"name": "password", "value": _S}]},
    [["password", _S], ["user", "ada"]],
    [["user", "ada"], ["password", {"x": _S}]],
    {"session": {"token": _S}, "n": -1.5e10, "b": True},
    {"note": f"the card {_CARD} and {_JWT} and https://u:{_S}@h/?token={_S}"},
    {"inner": json.dumps({"password": _S})},
    {"x": f"password={_S}"},
    {"auth": {"bearer": _S}, "é": "é" * 5, "password": f'"{_S}\\'},
]


def _leak(text: str, secrets: list[str]) -> str | None:
    """Return six or more characters of a secret that stand in `text`."""
    for secret in secrets:
        for start in range(len(secret) - 5):
            if secret[start : start + 6] in text:
                return secret[start : start + 6]
    return None


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("document", CUT_JSON)
@pytest.mark.parametrize("dumps", [json.dumps, lambda value: json.dumps(value, indent=2, ensure_ascii=False)])
def test_no_prefix_of_a_json_body_leaks(document: Any, dumps: Any) -> None:
    """Cut after any byte, a JSON body shows no six characters of a secret."""
    data = dumps(document).encode()
    for size in range(1, len(data)):
        for fields in ({"complete": False}, {"total_bytes": 600_000, "complete": False}):
            masked = _body(data[:size], **fields)
            assert _leak(_text(masked), [_S, _CARD, _JWT]) is None, (size, masked)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (f"user=ada&password={_S}&b=1", "application/x-www-form-urlencoded"),
        (f"user=ada&pass%77ord={_S}+{_S}&card={_CARD}&b=1", "application/x-www-form-urlencoded"),
        (
            f"user=ada&url=https%3A%2F%2Fu%3A{_S}%40h%2F%3Ftoken%3D{_S}&j={_JWT}",
            "application/x-www-form-urlencoded",
        ),
        (f'{{"token": "{_S}"}}\n{{"a": 1, "cvv": "{_S}"}}\n', "application/x-ndjson"),
        (f"<a><password>{_S} {_S}</password><b pin='{_S}'/></a>", "text/xml"),
        (f"<credentials><a>{_S}</a><b>{_S}</b></credentials>", "text/xml"),
        (f"login password={_S} and 'token': '{_S} {_S}' done", "text/plain"),
        (f"card 4242 4242 4242 4242 or 4242-4242-4242-4242 or {_CARD} {_JWT}", "text/plain"),
        (f"Authorization: Bearer {_S}\nCookie: a={_S}; b={_S}\n", "text/plain"),
        (f"go to https://user:{_S}@h/p?token={_S} and postgres://u:{_S}@db", "text/plain"),
        (f"-----BEGIN PRIVATE KEY-----\n{_S}\n{_S}\n-----END PRIVATE KEY-----\n", "text/plain"),
        (f"key ghp_{_S.replace('-', '')}abcdefgh1234 and sk_live_{_S.replace('-', '')} x", "text/plain"),
        (f'mutation {{ login(password: "{_S} {_S}", user: "ada") {{ id }} }}', "application/graphql"),
        (f"secret={{'a': ['{_S}', '{_S}'], 'b': '{_S}'}} x", "text/plain"),
    ],
)
def test_no_prefix_of_a_text_body_leaks(data: str, content_type: str) -> None:
    """Cut after any byte, a form, NDJSON, XML or plain text shows no six characters of a secret."""
    raw = data.encode()
    for size in range(1, len(raw) + 1):
        for fields in ({"complete": False}, {"total_bytes": 600_000, "complete": False}):
            masked = _body(raw[:size], content_type, **fields)
            text = _text(masked)
            assert _leak(text, [_S, _CARD, _JWT, _S.replace("-", ""), "4242 4242 4242"]) is None, (
                size,
                masked,
            )


def test_a_cut_body_says_so() -> None:
    """The unfinished end of a cut body is an ellipsis; what stood complete is kept."""
    assert _body(b'{"user":"ada","password":"hun', complete=False) == '{"user":"ada","password":…'
    assert _body(b'{"a":[1,2,{"b":true', complete=False) == '{"a":[1,2,{"b":…'
    assert _body(b"a=1&b=2", "application/x-www-form-urlencoded", complete=False) == "a=1&b=…"
    assert _body(b"hello wor", "text/plain", complete=False) == "hello …"
    assert _body("é".encode()[:1], "text/plain", complete=False) == "…"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("kept", [0, 1, 2, 10, 12])
def test_a_compressed_body_that_was_cut_before_anything_came_out_is_omitted(encoding: str, kept: int) -> None:
    """Of a body that was cut within its head nothing is known but its size."""
    data = (gzip.compress if encoding == "gzip" else zlib.compress)(SECRET_JSON * 100)[:kept]
    masked = _body(data, content_encoding=encoding, complete=False, total_bytes=200)
    assert masked == {"__omitted": True, "contentType": "application/json", "sizeBytes": 200}


def test_the_tail_of_a_compressed_body_is_not_needed() -> None:
    """A compressed body that was cut shows what could be decoded."""
    data = gzip.compress(json.dumps([{"password": _S, "n": n} for n in range(3000)]).encode())
    masked = _body(data[: len(data) // 2], content_encoding="gzip", complete=False)
    assert _leak(_text(masked), [_S]) is None
    assert "[MASKED]" in _text(masked)
