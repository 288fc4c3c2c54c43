"""Trace ids: which candidate wins, and which text may be reflected."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack.http.trace import choose_trace_id, parse_traceparent
from replaystack.wire import is_trace_id

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("value", "trace_id"),
    [
        (PARENT, "0af7651916cd43dd8448eb211c80319c"),
        (f" {PARENT} ", "0af7651916cd43dd8448eb211c80319c"),
        (PARENT.replace("00-", "cc-", 1) + "-more", "0af7651916cd43dd8448eb211c80319c"),
        (PARENT + "-more", None),
        (PARENT.replace("00-", "ff-", 1), None),
        (PARENT.upper(), None),
        ("00-" + "0" * 32 + "-b7ad6b7169203331-01", None),
        ("00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01", None),
        ("", None),
        ("00-0af7-b7-01", None),
    ],
)
def test_traceparent(value: str, trace_id: str | None) -> None:
    """W3C Trace Context, level 1: what is valid, and what a later version may add."""
    assert parse_traceparent(value) == trace_id


HEX = st.text("0123456789abcdef", min_size=1)


@given(
    st.text("0123456789abcdef", min_size=32, max_size=32).filter(lambda text: int(text, 16) != 0),
    st.text("0123456789abcdef", min_size=16, max_size=16).filter(lambda text: int(text, 16) != 0),
)
def test_every_valid_traceparent_is_understood(trace_id: str, parent_id: str) -> None:
    """No valid id is refused."""
    assert parse_traceparent(f"00-{trace_id}-{parent_id}-00") == trace_id


@given(st.binary(max_size=300), st.binary(max_size=80))
def test_whatever_is_sent_the_trace_id_may_be_reflected(sent: bytes, parent: bytes) -> None:
    """No caller can put anything into our response header but a short, plain id."""
    chosen = choose_trace_id(None, {b"x-trace-id": sent, b"traceparent": parent})
    assert is_trace_id(chosen)
    assert set(chosen) <= set(string.ascii_letters + string.digits + "._:-")


def test_the_first_valid_candidate_wins() -> None:
    """get_trace_id, x-trace-id, traceparent, a new one."""
    headers = {b"x-trace-id": b"sent", b"traceparent": PARENT.encode()}
    assert choose_trace_id("asked", headers) == "asked"
    assert choose_trace_id("not valid", headers) == "sent"
    assert choose_trace_id(7, headers) == "sent"
    assert choose_trace_id(None, {b"traceparent": PARENT.encode()}) == "0af7651916cd43dd8448eb211c80319c"
    assert len(choose_trace_id(None, {})) == 36
    assert choose_trace_id(None, {}) != choose_trace_id(None, {})


def test_the_current_opentelemetry_span_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application that is traced by OpenTelemetry has its id in both."""
    import sys
    from types import ModuleType, SimpleNamespace

    module = ModuleType("opentelemetry.trace")
    context = SimpleNamespace(trace_id=0xABC, is_valid=True)
    span = SimpleNamespace(get_span_context=lambda: context)
    module.get_current_span = lambda: span  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", module)
    assert choose_trace_id(None, {}) == f"{0xABC:032x}"
    context.is_valid = False
    assert len(choose_trace_id(None, {})) == 36
