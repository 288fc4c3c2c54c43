"""Promises of the masking of log entries: the short way gives what the long way gives."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from replaystack.sanitize import Limits, Policy, encode_log_entry, mask_log_fields, mask_log_text
from replaystack.sanitize._keys import Place
from replaystack.sanitize._log_entries import _mask_all
from replaystack.sanitize._walk import Walker

NAMES = [
    "a",
    "order_id",
    "password",
    "session_id",
    "name",
    "value",
    "key",
    "loc",
    "input",
    "note",
    "token",
    "Secret-Id",
]
TEXTS = [
    "m",
    "password=hunter22",
    "4111 1111 1111 1111",
    "Bearer abcdefgh12345678",
    "password",
    "\ud800",
    "öä",
    "",
]
values = st.one_of(
    st.sampled_from(TEXTS), st.text(max_size=20), st.integers(), st.booleans(), st.none(),
    st.floats(allow_nan=True), st.just(4111111111111111), st.lists(st.integers(), max_size=2),
)  # fmt: skip
POLICY = Policy.build(mask_fields=["note"])


@given(st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), values, max_size=5))
def test_both_ways_give_the_same(fields: dict[str, Any]) -> None:
    """Known names or not, flat or not: the result is that of the walk over any value, at a log's place."""
    expected = Walker(POLICY).walk(fields, Place.LOG)
    _mask_all(fields, POLICY)  # from here on the names are known
    masked = mask_log_fields(fields, POLICY)
    assert repr(masked) == repr(expected)


@given(st.text(max_size=400), st.integers(30, 200), st.booleans())
def test_a_text_never_exceeds_its_limit(text: str, limit: int, keep_end: bool) -> None:  # noqa: FBT001 - a drawn value
    """Whatever is cut, the result fits."""
    assert len(mask_log_text(text, POLICY, limit, keep_end=keep_end)) <= max(limit, 5)


def test_an_entry_is_masked_on_its_way_out_too() -> None:
    """What is encoded is masked, whoever made it: envelope by value, fields by key and by value."""
    secret = "hunter2hunter2"
    envelope = {
        "level": "info",
        "message": f"password={secret}",
        "sessionId": "s-1",
        "tags": [f"token={secret}"],
    }
    masked = encode_log_entry(envelope, {"password": secret, "session_id": "s-1"}, POLICY, Limits())
    assert secret.encode() not in masked.data
    assert masked.data.count(b"s-1") == 2
