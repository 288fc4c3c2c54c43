"""What hostile reviews found, so that it stays found."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import Limits, Policy, encode_event, explain, mask_text, mask_value
from replaystack.sanitize._rules import Rules

POLICY = Policy.build()
M = "[MASKED]"


def _encoded(event: dict[str, Any], limits: Limits | None = None) -> dict[str, Any]:
    encoded = encode_event(event, POLICY, limits)
    document: dict[str, Any] = json.loads(encoded.data)
    assert json.loads(encode_event(document, POLICY, limits).data) == document
    assert "dropped" not in document["metadata"]["replaystack"]["masking"]
    return document


def _body(data: bytes, content_type: str | None, **more: Any) -> Any:
    body = RawBody(data, content_type, **{"total_bytes": len(data), **more})
    return _encoded({"requestPayload": body}).get("requestPayload")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("end", ["", "<", "&lt;", ">"])
@pytest.mark.parametrize("begin", ["<password", "&lt;password", "<p ", "&lt;a &"])
def test_a_tag_that_never_ends_is_looked_at_once(begin: str, end: str) -> None:
    """The name of a tag is a part of its attributes' alphabet: nothing is given back and tried again."""
    text = begin + "a" * 400_000 + end  # a square of this took 20 minutes
    assert mask_text(text, POLICY) == text


@pytest.mark.parametrize(
    "rows",
    [["int x[] = {\n[", "1"], ['a"[', "1"], ["C:\\[", "1"], ["caf\u00e9[", "1"], ["[", "["], ["x[[", "]"]],
)
def test_strings_that_end_in_a_bracket_are_strings(rows: list[str]) -> None:
    """The split at brackets takes no string apart, raises nothing and drops nothing."""
    document = {"rows": [rows, ["b", "2"]]}
    for raw in (json.dumps(document), json.dumps(document, ensure_ascii=False, separators=(",", ":"))):
        assert _body(raw.encode(), "application/json") == document
        assert mask_text(raw, POLICY) == raw
        assert explain(raw) == []


def test_the_name_of_a_pair_may_end_in_a_bracket() -> None:
    """`password[` is a name that PHP would write, and its pair a secret."""
    assert _body(b'[["password[","hunter2"]]', "application/json") == [["password[", M]]


@pytest.mark.parametrize("kind", ["breadcrumbs", "logs"])
@pytest.mark.parametrize("key", ["message", "content", "raw", "tags", "dataset"])
def test_structures_in_an_entry_are_masked_by_key(kind: str, key: str) -> None:
    """The texts of an entry are no secrets by name; what stands in an object there is user data."""
    secret = {"password": "hunter2", "deep": [{"api_key": "hunter2"}]}
    document = _encoded({kind: [{key: secret, "level": "info"}]})
    assert document[kind] == [{key: {"password": M, "deep": [{"api_key": M}]}, "level": "info"}]


def test_long_keys_and_short_strings_count_against_the_bound() -> None:
    """What has no end is left at four times the limit, whatever it is made of."""
    limits = Limits(10_000)
    for endless in (
        [{"k" * 50_000: 0}] * 8000,
        ["x" * 60] * 600_000,
        {"k" * 90 + str(n): 0 for n in range(50_000)},
    ):
        mark = _encoded({"requestPayload": endless}, limits)["requestPayload"]
        assert mark["sizeIsLowerBound"] is True
        assert mark["originalSizeBytes"] == 40_000


def test_a_value_without_end_is_named_as_such() -> None:
    """`mask_value` ends too where each level doubles what is below."""
    value: Any = ["x"]
    for _ in range(60):
        value = [value, value]
    masked = mask_value(value, POLICY)
    assert masked["__truncated"] is True
    assert masked["sizeIsLowerBound"] is True


@pytest.mark.parametrize(
    "data",
    [
        b'{"password":"a&b=hunter2"}',
        b'{"email":"a","password":"hunter2&x=hunter2"}',
        b'{"a":1,"items":[["password","hunter2"]],"q":"a=b"}',
    ],
)
def test_json_that_is_called_a_form_is_json(data: bytes) -> None:
    """`curl -d` calls everything a form; whole or cut, JSON is masked as JSON."""
    form = "application/x-www-form-urlencoded"
    assert "hunter2" not in json.dumps(_body(data, form))
    for size in range(1, len(data)):
        assert "hunter" not in json.dumps(_body(data[:size], form, complete=False)), size


def test_a_cookie_without_a_name_gives_no_name_away() -> None:
    """`c2VjcmV0==` is a value with its padding."""
    document = _encoded({"requestHeaders": RawHeaders(((b"cookie", b"hunter2==; a=b; c2VjcmV0="),))})
    assert document["metadata"]["replaystack"]["cookieNames"] == ["a"]


@pytest.mark.parametrize(
    "media_type", ["sk_live_abcdef123456/x", "bearer abcdefgh12345678", "4242424242424242", "x/\ud800"]
)
def test_the_content_type_of_an_omitted_body_is_a_text(media_type: str) -> None:
    """What the sender wrote there is masked, and drops nothing of the event."""
    omitted = _body(b"\xff\xfe\x00", media_type)
    assert omitted["__omitted"] is True
    assert omitted["contentType"] in (M, f"{M}/x", f"bearer {M}", "x/\ufffd")


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("bearer_token, hunter2", f"bearer_{M}"),
        ("graphql-ws, access_bearer, hunter2", f"graphql-ws, access_bearer, {M}"),
        ('"x" bearer', '"x" bearer'),
    ],
)
def test_a_subprotocol_with_an_underscore_is_bearer_too(value: str, masked: str) -> None:
    """Browsers can send a token for a WebSocket nowhere else, and servers name the protocol freely."""
    headers = RawHeaders(((b"sec-websocket-protocol", value.encode()),))
    assert _encoded({"requestHeaders": headers})["requestHeaders"] == {"sec-websocket-protocol": masked}


def test_all_members_of_a_gzip_file_are_read() -> None:
    """What was compressed in pieces is one body."""
    data = gzip.compress(b'{"password":"hunter2",') + gzip.compress(b'"a":1}')
    assert _body(data, "application/json", content_encoding="gzip") == {"password": M, "a": 1}


def test_a_charset_of_two_joined_fields_is_the_first() -> None:
    """A proxy that joins two content types leaves a comma behind the charset."""
    assert _body(b'{"a":1}', "application/json; charset=utf-8, application/json") == {"a": 1}


def test_keys_that_become_one_are_counted_as_in_raw_json() -> None:
    """The evidence counts what was masked, on both roads alike."""
    document = {"Bearer abcdefgh12345678": "4242424242424242", "Bearer abcdefgh12345679": "4242424242424242"}
    raw = json.dumps(document).encode()
    for payload in (document, RawBody(raw, "application/json", total_bytes=len(raw))):
        event = _encoded({"requestPayload": payload})
        assert event["metadata"]["replaystack"]["masking"]["masked"] == 4


def test_lines_of_json_that_were_cut_are_the_list_that_they_are() -> None:
    """Pairs on lines of their own are pairs; what is no JSON at the end is a text."""
    kind = "application/x-ndjson"
    assert _body(b'["user","a"]\n["password","hunter2"]\n["c', kind, complete=False) == (
        f'["user","a"]\n["password","{M}"]\n[…'
    )
    assert _body(b'{"a":1}\n{"b":2}\nnot json', kind, complete=False) == '{"a":1}\n{"b":2}\nnot …'


def test_a_list_among_repeated_headers_is_not_added_to() -> None:
    """A header that comes as a list and then again is one list of ours: the application's stays as it was."""
    accepted = ["a"]
    event = _encoded({"requestHeaders": [("accept", accepted), ("accept", "b")]})
    assert event["requestHeaders"] == {"accept": ["a", "b"]}
    assert accepted == ["a"]


def test_a_count_survives_an_error() -> None:
    """What was counted before stays counted where a rule fails."""

    def fail(_text: str) -> str:
        raise RuntimeError

    rules = Rules(POLICY)
    rules.masked = 3
    with pytest.raises(RuntimeError):
        rules.counted(fail, "a")
    assert rules.masked == 3
