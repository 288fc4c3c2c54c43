"""The encoded event: what stays, what is absent, what happens when masking itself fails."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import pickle
import subprocess
import sys
from typing import Any

import pytest

from replaystack.event import Breadcrumb
from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import (
    RECEIVER_POLICY,
    Limits,
    Masked,
    Policy,
    _backend,
    bulk_document,
    encode_event,
    mask_text,
    mask_url,
    mask_value,
    without_bodies,
)
from replaystack.sanitize import _rules as rules_module
from replaystack.sanitize import _text as texts

POLICY = Policy.build()
M = "[MASKED]"


def _decode(event: Any, policy: Policy = POLICY, limits: Limits | None = None) -> Any:
    encoded = encode_event(event, policy, limits or Limits())
    document = json.loads(encoded.data)
    again = encode_event(document, policy, limits or Limits())
    assert json.loads(again.data) == document, "a second pass changed the event"
    return document


def test_zero_and_false_stay_and_what_is_empty_is_absent() -> None:
    """`executionTimeMs: 0` is a figure; None and empty values are no keys."""
    event = {
        "traceId": "t",
        "statusCode": 0,
        "executionTimeMs": 0,
        "requestPayload": False,
        "responsePayload": None,
        "requestHeaders": {},
        "responseHeaders": RawHeaders(()),
        "errorMessage": "",
        "logs": [],
        "breadcrumbs": (),
        "extra": None,
    }
    document = _decode(event)
    assert list(document) == ["traceId", "statusCode", "executionTimeMs", "requestPayload", "metadata"]
    assert document["executionTimeMs"] == 0
    assert document["requestPayload"] is False


def test_the_bytes_are_those_of_compact_json() -> None:
    """The encoding is `json.dumps(ensure_ascii=False, separators=(",", ":"))`, in the order of the event."""
    event = {
        "endpoint": "/é",
        "status": "failed",
        "requestPayload": {"b": [1.5, None, True], "a": "\u2028\x7f\x01"},
    }
    encoded = encode_event(event, POLICY)
    expected = json.dumps(json.loads(encoded.data), ensure_ascii=False, separators=(",", ":")).encode()
    assert encoded.data == expected
    assert encoded.data.startswith('{"endpoint":"/é","status":"failed","requestPayload":{"b":[1.5,'.encode())


def test_envelope_keys_are_never_matched_by_key() -> None:
    """`sessionId` and its like stay even if a user masks fields of that name; their texts are texts."""
    policy = Policy.build(mask_fields=["endpoint", "userId", "status"], remote_fields=["environment"])
    event = {"sessionId": "s-1", "userId": "u-1", "endpoint": "/a", "status": "failed", "environment": "x"}
    document = _decode(event, policy)
    del document["metadata"]
    assert document == event
    assert _decode({"sessionId": "Bearer abcdef123456"})["sessionId"] == f"Bearer {M}"


def test_unknown_keys_are_user_data() -> None:
    """A key that the wire does not know is masked by key like any user value."""
    document = _decode({"apiToken": "x", "plan": {"secret": "y", "name": "pro"}, "note": "password=x"})
    assert document["apiToken"] == M
    assert document["plan"] == {"secret": M, "name": "pro"}
    assert document["note"] == f"password={M}"


def test_metadata_goes_by_key_but_for_our_own_part() -> None:
    """User metadata is masked by key; `metadata.replaystack` by value only, and keeps its place."""
    metadata = {
        "a": 1,
        "replaystack": {"session": "s-1", "user": "u-1", "process": "p", "note": "password=x"},
        "token": "x",
    }
    document = _decode({"metadata": metadata})
    assert list(document["metadata"]) == ["a", "replaystack", "token"]
    ours = document["metadata"]["replaystack"]
    assert ours["session"] == "s-1"
    assert ours["note"] == f"password={M}"
    assert document["metadata"]["token"] == M
    assert ours["masking"] == {"policy": POLICY.hash, "rules": 1, "masked": 2}


@pytest.mark.parametrize("metadata", ["text", [1, 2], 5, {"replaystack": "mine"}, {"replaystack": None}])
def test_odd_metadata_still_carries_the_evidence(metadata: Any) -> None:
    """Whatever a user passes as metadata, the event says how it was masked."""
    document = _decode({"metadata": metadata})
    assert document["metadata"]["replaystack"]["masking"]["masked"] == 0
    if not isinstance(metadata, dict):
        assert document["metadata"]["value"] == metadata


def test_the_evidence_counts_what_was_masked() -> None:
    """The count is that of the first pass; what `before_send` adds is counted on top."""
    event = {"requestPayload": {"password": "x", "a": "token=y"}, "requestHeaders": {"cookie": "a=1"}}
    document = _decode(event)
    assert document["metadata"]["replaystack"]["masking"]["masked"] == 3
    document["responsePayload"] = {"token": "new"}
    again = _decode(document)
    assert again["metadata"]["replaystack"]["masking"]["masked"] == 4


def test_entries_of_lists_are_masked() -> None:
    """Breadcrumbs, logs and frames: texts as texts, metadata by key, all of it in order."""
    event = {
        "breadcrumbs": [
            {
                "message": "token=x",
                "category": "http",
                "metadata": {"token": "x", "replaystack": {"session": "s"}},
            },
            Breadcrumb("password: x", "2026-11-20T00:00:00.000Z", metadata={"pin": 1}),
            "password=x",
        ],
        "logs": (
            {"level": "info", "message": "m", "metadata": {"replaystack": {"isPii": False}}, "secret": "x"},
        ),
        "stackFrames": [
            {"functionName": "f", "fileName": "/a.py", "lineNumber": 3, "raw": "f(password='x')"}
        ],
    }
    document = _decode(event)
    assert document["breadcrumbs"] == [
        {
            "message": f"token={M}",
            "category": "http",
            "metadata": {"token": M, "replaystack": {"session": "s"}},
        },
        {
            "message": f"password: {M}",
            "timestamp": "2026-11-20T00:00:00.000Z",
            "category": None,
            "level": "info",
            "metadata": {"pin": M},
        },
        f"password={M}",
    ]
    assert document["logs"][0]["metadata"] == {"replaystack": {"isPii": False}}
    assert document["logs"][0]["secret"] == M
    assert document["stackFrames"][0] == {
        "functionName": "f",
        "fileName": "/a.py",
        "lineNumber": 3,
        "raw": f"f(password='{M}')",
    }


def test_texts_that_are_no_strings() -> None:
    """An exception, bytes or a number in the place of a text come out as what they are."""
    document = _decode(
        {"errorMessage": ValueError("pin=1"), "endpoint": b"/x", "traceId": 5, "method": ["token=x"]}
    )
    assert document["errorMessage"] == f"pin={M}"
    assert document["endpoint"] == "/x"
    assert document["traceId"] == 5
    assert document["method"] == [f"token={M}"]


# --- failing closed -----------------------------------------------------------------------------------


class _BoomError(Exception):
    pass


@pytest.fixture
def broken_masking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the masking of every text that holds `BOOM` fail, and the extension refuse everything."""
    native = _backend._Native
    monkeypatch.setattr(native, "_ask", lambda _self, _ask, instead: instead())
    monkeypatch.setattr(native, "text", lambda self, text, policy: self._python.text(text, policy))
    monkeypatch.setattr(native, "url", lambda self, url, policy: self._python.url(url, policy))
    original = texts.look

    def look(text: str, rules: Any) -> int:
        if "BOOM" in text:
            raise _BoomError(text)
        return original(text, rules)

    for module in (rules_module, texts):
        monkeypatch.setattr(module, "look", look)


@pytest.mark.usefixtures("broken_masking")
def test_a_part_whose_masking_fails_is_dropped_alone() -> None:
    """The raw value never leaves; its neighbours do, and the evidence counts the loss."""
    event = {
        "traceId": "t",
        "requestPayload": {"a": "BOOM raw"},
        "responsePayload": RawBody(b'{"a": "BOOM raw"}', "application/json", total_bytes=17),
        "requestHeaders": {"a": "BOOM raw"},
        "errorMessage": "BOOM raw",
        "requestUrl": "http://h/?a=BOOM+raw",
        "logs": [{"message": "BOOM raw"}],
        "breadcrumbs": [{"message": "fine"}],
        "own": "BOOM raw",
        "metadata": {"a": "BOOM raw", "replaystack": {"eventId": "e"}},
    }
    encoded = encode_event(event, POLICY)
    assert b"raw" not in encoded.data
    document = json.loads(encoded.data)
    dropped = {"__unmasked_dropped": True}
    assert document["traceId"] == "t"
    assert document["breadcrumbs"] == [{"message": "fine"}]
    for key in ("requestPayload", "responsePayload", "requestHeaders", "logs", "own"):
        assert document[key] == dropped
    assert document["errorMessage"] == M
    assert document["metadata"] == {**dropped, "replaystack": document["metadata"]["replaystack"]}
    assert document["metadata"]["replaystack"]["eventId"] == "e"
    assert document["metadata"]["replaystack"]["masking"]["dropped"] >= 7


@pytest.mark.usefixtures("broken_masking")
def test_the_public_functions_fail_closed_too() -> None:
    """`mask_value` and `mask_text` give a mark rather than the raw value."""
    assert mask_value({"a": "BOOM raw"}, POLICY) == {"__unmasked_dropped": True}
    assert mask_text("BOOM raw", POLICY) == M


def test_even_a_broken_event_gives_an_answer() -> None:
    """What is no mapping at all is dropped whole; nothing is raised."""
    for event in (None, 5, "password=x", object()):
        document = json.loads(encode_event(event, POLICY).data)  # type: ignore[arg-type]
        assert document["__unmasked_dropped"] is True
        assert document["metadata"]["replaystack"]["masking"]["dropped"] == 1


def test_a_deep_stack_of_the_caller_drops_rather_than_raises() -> None:
    """Near the recursion limit parts may be dropped, but nothing leaves raw and nothing is raised."""
    value: Any = {"password": "hunter2"}
    for _ in range(60):
        value = {"a": value}

    def dive() -> Masked | None:
        try:
            found = dive()
        except RecursionError:
            found = None
        return encode_event({"requestPayload": value}, POLICY) if found is None else found

    encoded = dive()
    assert encoded is not None
    assert b"hunter2" not in encoded.data


# --- Masked -----------------------------------------------------------------------------------------


def test_nobody_else_can_make_masked_bytes() -> None:
    """There is no constructor, pickle, subclass or attribute that forges `Masked`."""
    masked = encode_event({"traceId": "secret-id"}, POLICY)
    with pytest.raises(TypeError):
        Masked(b"x", object())
    with pytest.raises(TypeError):
        Masked(b"x")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        pickle.dumps(masked)
    with pytest.raises(TypeError):
        type("Forged", (Masked,), {})
    for name in ("_data", "data", "other"):
        with pytest.raises(AttributeError):
            setattr(masked, name, b"x")
        with pytest.raises(AttributeError):
            delattr(masked, name)
    assert copy.copy(masked) is masked
    assert copy.deepcopy(masked) is masked


def test_masked_shows_its_size_only() -> None:
    """Neither `str` nor `repr` show content, so a log line or a traceback may hold one."""
    masked = encode_event({"traceId": "secret-id"}, POLICY)
    size = len(masked.data)
    assert len(masked) == size
    assert str(masked) == repr(masked) == f"<Masked {size} bytes>"
    assert f"{masked}" == f"<Masked {size} bytes>"
    assert masked == encode_event({"traceId": "secret-id"}, POLICY)
    assert masked != masked.data
    assert len({masked, encode_event({"traceId": "secret-id"}, POLICY)}) == 1


def test_documents_of_masked_events() -> None:
    """A batch holds the same bytes; an event without bodies keeps everything else."""
    one = encode_event({"traceId": "1", "requestPayload": {"a": 1}, "responsePayload": {"b": 2}}, POLICY)
    two = encode_event({"traceId": "2"}, POLICY)
    assert bulk_document([one, two]).data == b'{"events":[' + one.data + b"," + two.data + b"]}"
    slim = json.loads(without_bodies(one).data)
    assert slim["traceId"] == "1"
    assert b'"a":1' not in without_bodies(one).data
    assert isinstance(without_bodies(one), Masked)


# --- Policy -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"mask_fields": "ssn"},
        {"mask_fields": b"ssn"},
        {"mask_fields": [""]},
        {"mask_fields": ["-_ "]},
        {"unmask_fields": [1]},
        {"remote_fields": None},
        {"mask_values": "yes"},
    ],
)
def test_a_bad_policy_names_the_option(options: dict[str, Any]) -> None:
    """A mistake in the configuration is a ValueError that says where and what."""
    [option] = options
    with pytest.raises(ValueError, match=option):
        Policy.build(**options)


def test_policies_are_values() -> None:
    """Spelling and order of names make no difference; what masks differently has another hash."""
    one = Policy.build(mask_fields=["tax_id", "b"], unmask_fields=("x",))
    two = Policy.build(mask_fields=iter(["B", "Tax-Id", "taxId"]), unmask_fields=["X"])
    assert one == two
    assert hash(one) == hash(two)
    assert one.hash == two.hash
    assert len(one.hash) == 12
    others = [
        Policy.build(),
        Policy.build(unmask_fields=["tax_id", "b"], mask_fields=("x",)),
        Policy.build(mask_values=False),
        Policy.build(remote_fields=["x"]),
        RECEIVER_POLICY,
    ]
    assert len({policy.hash for policy in [one, *others]}) == len(others) + 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.mask_values = False  # type: ignore[misc]


def test_the_hash_is_the_same_in_every_process() -> None:
    """Two processes with the same rules give the same evidence."""
    code = "from replaystack.sanitize import Policy; print(Policy.build(mask_fields=['a', 'b', 'c']).hash)"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {Policy.build(mask_fields=["a", "b", "c"]).hash}


def test_the_verdict_caches_hold_no_values_and_stay_small() -> None:
    """A million invented keys, and secrets in texts, leave nothing behind that grows or leaks."""
    policy = Policy.build()
    for start in range(0, 20_000, 1000):
        mask_value({f"key{number}": 1 for number in range(start, start + 1000)}, policy)
    mask_value({"note": "hunter2: x, hunter3=y", "ghp_" + "a1" * 20: 1, "k" * 100: 1}, policy)
    mask_url("https://hunter4:hunter5@h/?a=hunter6", policy)
    keyring = policy.keyring
    caches = [*keyring._walked, keyring._fields, keyring._parameters]
    assert max(map(len, caches)) <= 4096
    held = {key for cache in caches for key in cache}
    assert not any("hunter" in key or key.startswith("ghp_") or len(key) > 64 for key in held)
