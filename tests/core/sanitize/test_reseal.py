"""Events that come back from a file: masked again, or proved to be the same; never believed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack.exchange import RawBody
from replaystack.sanitize import Limits, Masked, Policy, encode_event, prove, reseal

POLICY = Policy.build()
LAX = Policy.build(unmask_fields=["pin"])

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(payload=JSON_VALUES, metadata=st.dictionaries(st.text(), JSON_VALUES, max_size=3), note=st.text())
def test_what_was_masked_comes_back_the_same(payload: object, metadata: object, note: str) -> None:
    """Byte for byte, so that a retry from disk is the same event, with the same id."""
    event = encode_event(
        {"traceId": "t", "errorMessage": note, "requestPayload": payload, "metadata": metadata}, POLICY
    )
    assert reseal(event.data, POLICY) == event


@pytest.mark.parametrize("size", [10, 5000, 600_000, 3_000_000])
def test_what_was_limited_is_not_limited_again(size: int) -> None:
    """Cut bodies keep what they say about their first size."""
    limits = Limits(max_payload_bytes=4096)
    event = encode_event(
        {"traceId": "t", "requestPayload": "x" * size, "responsePayload": ["y" * size]}, POLICY, limits
    )
    assert reseal(event.data, POLICY, limits) == event


def test_raw_bodies_keep_their_values() -> None:
    """Only the spelling of numbers, white space and repeated keys may differ."""
    data = b'{"a": 1.50, "n": [1e2], "pad": " "}'
    body = RawBody(data, "application/json", total_bytes=len(data))
    event = encode_event({"traceId": "t", "requestPayload": body}, POLICY)
    again = reseal(event.data, POLICY)
    assert type(again) is Masked
    assert json.loads(again.data) == json.loads(event.data)
    assert reseal(again.data, POLICY) == again


def test_secrets_in_a_file_do_not_pass() -> None:
    """Neither by key nor by value, wherever in the event, whoever wrote it."""
    written = {
        "traceId": "t",
        "requestHeaders": {"authorization": "Bearer s3cr3t-s3cr3t"},
        "requestPayload": {"password": "s3cr3t-s3cr3t", "p\u0061ss": ["s3cr3t-s3cr3t"]},
        "errorMessage": "password=s3cr3t-s3cr3t",
        "unheard-of": {"api_key": "s3cr3t-s3cr3t"},
    }
    twice = '{"password": "s3cr3t-s3cr3t", "password": "[MASKED]"}'
    data = json.dumps(written)[:-1] + f', "responsePayload": {twice}}}'
    again = reseal(data.encode(), POLICY)
    assert again is not None
    assert b"s3cr3t" not in again.data


def test_the_policy_of_the_sender_counts() -> None:
    """What another process left unmasked, and this one's client must not send, is masked now."""
    event = encode_event({"traceId": "t", "requestPayload": {"shape": "round"}}, POLICY)
    again = reseal(event.data, Policy.build(mask_fields=["shape"]))
    assert again is not None
    assert json.loads(again.data)["requestPayload"] == {"shape": "[MASKED]"}


def test_proved_bytes_are_sealed_as_they_are() -> None:
    """What this process masked, under whatever policy, is not masked a second time."""
    lax = encode_event({"traceId": "t", "requestPayload": {"note": "x" * 50, "pin": 1234}}, LAX)
    assert reseal(lax.data, POLICY, proof=prove(lax)) == lax
    assert reseal(lax.data, POLICY) != lax


@given(at=st.integers(0, 200), change=st.integers(1, 255), length=st.integers(0, 12))
def test_a_proof_is_for_these_bytes_only(at: int, change: int, length: int) -> None:
    """One bit more or less, in bytes or proof, and the event is masked like any other."""
    lax = encode_event({"traceId": "t", "requestPayload": {"pin": 1234, "note": "x" * 50}}, LAX)
    proof = prove(lax)
    data = bytearray(lax.data)
    at %= len(data)
    data[at] ^= change
    changed = reseal(bytes(data), POLICY, proof=proof)
    assert changed is None or changed == reseal(bytes(data), POLICY)
    wrong = bytearray(proof)
    wrong[at % len(wrong)] ^= change
    assert reseal(lax.data, POLICY, proof=bytes(wrong)) == reseal(lax.data, POLICY)
    short = (proof + b"more")[:length]
    assert (reseal(lax.data, POLICY, proof=short) == lax) == (short == proof)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"7", b"null", b'"{}"', b"{", b"{}x", b"\xff", b"[" * 100_000, b'{"a":' * 50_000]
)
def test_what_is_no_event_is_none(data: bytes) -> None:
    """Not an error: the caller counts it."""
    assert reseal(data, POLICY) is None
