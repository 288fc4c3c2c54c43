"""MASKING.md section 4: limits of fields and of the event, and the headline that always arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from replaystack.exchange import RawBody
from replaystack.sanitize import Limits, Policy, encode_event

POLICY = Policy.build()
M = "[MASKED]"


def _decode(event: Any, maximum: int = 524_288) -> Any:
    limits = Limits(max_payload_bytes=maximum)
    encoded = encode_event(event, POLICY, limits)
    assert len(encoded) <= 2 * maximum + 256 * 1024
    document = json.loads(encoded.data)
    again = encode_event(document, POLICY, limits)
    assert json.loads(again.data) == document, "a second pass changed the event"
    return document


@pytest.mark.parametrize("key", ["requestPayload", "responsePayload", "requestHeaders", "responseHeaders"])
def test_a_field_over_its_limit_becomes_the_mark(key: str) -> None:
    """The mark of the original: sizes in bytes of masked UTF-8, and a preview of the masked text."""
    value = {"é": "é" * 100, "token": "x" * 500}
    text = json.dumps({"é": "é" * 100, "token": M}, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    assert _decode({key: value}, size)[key] == {"é": "é" * 100, "token": M}
    assert _decode({key: value}, size - 1)[key] == {
        "__truncated": True,
        "originalSizeBytes": size,
        "maxSizeBytes": size - 1,
        "preview": text,
    }
    preview = _decode({key: value}, 50)[key]["preview"]
    assert preview == text[:50]


def test_the_preview_has_2000_code_points() -> None:
    """However large the limit, a preview is short."""
    mark = _decode({"requestPayload": ["é"] * 100_000}, 10_000)["requestPayload"]
    assert len(mark["preview"]) == 2000
    assert "sizeIsLowerBound" in mark


def test_a_text_payload_is_previewed_as_text() -> None:
    """The preview of a string is the string, not its JSON form."""
    mark = _decode({"requestPayload": 'say "hi" ' * 100}, 100)["requestPayload"]
    assert mark["preview"] == ('say "hi" ' * 100)[:100]


def test_a_preview_ends_neither_in_a_mark_nor_in_a_secret() -> None:
    """A cut through `[MASKED]` leaves no half of it, at whatever place it falls."""
    value = {"a": 1, "password": "x", "pin": None, "b": 2, "token": "y", "secret": True, "c": "z" * 100}
    for maximum in range(1, 140):
        preview = _decode({"requestPayload": value}, maximum)["requestPayload"]["preview"]
        assert len(preview) <= maximum
        assert "[MASK" not in preview.replace(M, "")


def test_the_texts_of_the_envelope_are_cut_at_a_character() -> None:
    """Texts end in time: errorMessage 8 KiB, stackTrace 64 KiB, requestUrl 8192 or the payload's limit."""
    long = "é " * 100_000
    document = _decode(
        {"errorMessage": long, "stackTrace": long, "userAgent": long, "requestUrl": "http://h/" + long}
    )
    for key, maximum in {
        "errorMessage": 8192,
        "stackTrace": 65_536,
        "userAgent": 8192,
        "requestUrl": 8192,
    }.items():
        text = document[key]
        assert text.endswith("…")
        assert maximum - 8 <= len(text.encode()) <= maximum
    assert len(_decode({"requestUrl": "http://h/" + "a" * 100}, 50)["requestUrl"].encode()) <= 50
    assert _decode({"requestUrl": "http://h/" + "a" * 100}, 1)["requestUrl"] == "…"


def test_a_cut_text_shows_no_half_of_a_secret() -> None:
    """Wherever the limit falls, what is left of a secret is nothing."""
    secret = "S3CRET" * 20
    for offset in range(0, 170, 3):
        filler = "x " * ((8192 - offset) // 2)
        for text in (
            f"password={secret}",
            f"password: '{secret} {secret}'",
            f"https://u:{secret}@h/?token={secret}",
        ):
            document = _decode({"errorMessage": filler + text + " y" * 9000})
            assert "S3CRET" not in document["errorMessage"]
        url = "http://h/?" + "a=b&" * ((8192 - offset) // 4) + f"token={secret}&c=" + "d" * 40_000
        assert "S3CRET" not in _decode({"requestUrl": url})["requestUrl"]


def test_an_event_over_its_limit_loses_bodies_first() -> None:
    """Bodies become previews before anything else is touched."""
    event = {
        "requestPayload": {"a": "x" * 9_000},
        "responsePayload": RawBody(b'"' + b"y" * 9_000 + b'"', "application/json", total_bytes=9_002),
        "metadata": {"big": "z " * 135_000},
        "errorMessage": "e",
    }
    document = _decode(event, 10_000)
    assert document["requestPayload"]["__truncated"] is True
    assert document["responsePayload"]["__truncated"] is True
    assert document["metadata"]["big"] == "z " * 135_000


def test_then_only_shapes_remain() -> None:
    """Headers, lists and metadata give way to what they were and how large."""
    event = {
        "requestPayload": {"a": 1},
        "requestHeaders": {"a": "x " * 4_000},
        "breadcrumbs": [{"message": "m " * 2_500}] * 40,
        "logs": [{"message": "m " * 2_500}] * 40,
        "own": "z" * 100_000,
        "stackTrace": "s " * 20_000,
        "metadata": {"big": "z " * 20_000, "replaystack": {"eventId": "e"}},
    }
    document = _decode(event, 10_000)
    assert document["breadcrumbs"][0]["__truncated"] is True
    assert "preview" not in document["logs"][0]
    assert document["own"]["originalSizeBytes"] > 100_000
    assert document["metadata"]["__truncated"] is True
    assert document["metadata"]["replaystack"]["eventId"] == "e"
    assert document["stackTrace"] == "s " * 20_000


def test_at_last_the_headline_is_delivered() -> None:
    """The texts alone, shortened: an event always arrives."""
    names = (  # noqa: SIM905 - reads as a list
        "traceId eventType status method endpoint authMode authScheme errorName serviceName environment "
        "appVersion commitHash sourceIp userAgent sessionId userId requestId flowId errorMessage stackTrace "
        "requestUrl"
    ).split()
    event: dict[str, Any] = dict.fromkeys(names, "\x01 " * 40_000)
    event["metadata"] = {"replaystack": {"eventId": "e", "sequence": 7}}
    event["extra"] = {"a": 1}
    event["statusCode"] = 500
    document = _decode(event, 1000)
    assert set(document) == {*names, "metadata", "statusCode"}
    assert document["statusCode"] == 500
    assert document["metadata"]["replaystack"]["sequence"] == 7
    assert all(text.endswith("…") for name, text in document.items() if name in names)


def test_everything_is_bounded_by_the_event() -> None:
    """No single part escapes the limit of the whole: the newest entries of a list stay."""
    crumbs = [{"message": f"crumb {number} " + "m " * 500} for number in range(2000)]
    document = _decode({"breadcrumbs": crumbs}, 1000)
    assert document["breadcrumbs"][-1]["message"].startswith("crumb 1999 ")
    for key in ("metadata", "logs", "stackFrames", "own", "breadcrumbs"):
        for value in ({"a": "x " * 5_000_000}, [{"a": "x " * 5_000_000}], [{"a": [0] * 1_000_000}]):
            _decode({key: value, "traceId": "t"}, 1000)


def test_marks_are_not_marked_again() -> None:
    """A limit smaller than a mark leaves the mark alone, and a forged mark cannot carry a payload."""
    assert _decode({"requestPayload": "x" * 100}, 1)["requestPayload"]["maxSizeBytes"] == 1
    body = RawBody(b"\x00" * 50, "image/png", total_bytes=50)
    assert _decode({"requestPayload": body}, 50)["requestPayload"]["__omitted"] is True
    forgeries = [
        {"__truncated": True, "originalSizeBytes": 1, "maxSizeBytes": 1, "preview": "y" * 2001},
        {"__truncated": True, "a": "y" * 500},
        {"__truncated": True, "preview": {"a": "y" * 500}},
        {"__omitted": 1, "contentType": "y" * 500},
    ]
    for forged in forgeries:
        assert _decode({"requestPayload": forged}, 100)["requestPayload"]["maxSizeBytes"] == 100
