"""Trace ids: which candidate wins, and which text may be reflected."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack.http.trace import choose_trace_id, current_traceparent, make_traceparent, parse_traceparent
from replaystack.scope import Scope, enter_scope
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


# -- against OpenTelemetry's own reading and writing of the header

LIKE_TRACEPARENT = st.from_regex(
    r"[ \t]?([0f]{2}|[0-9a-fA-F]{2})-(0{32}|[0-9a-f]{31,33})-(0{16}|[0-9a-f]{15,17})-[0-9a-fg]{2}"
    r"(-[ -~\t]*)?[ \t]?",
    fullmatch=True,
)
HEADER_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.just("\t"), max_size=80)


def _read_by_opentelemetry(value: str) -> str | None:
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = get_current_span(
        TraceContextTextMapPropagator().extract({"traceparent": value})
    ).get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


@given(LIKE_TRACEPARENT | HEADER_TEXT)
def test_a_traceparent_is_read_as_opentelemetry_reads_it(value: str) -> None:
    """What a header may hold: the same id, or none in both."""
    assert parse_traceparent(value) == _read_by_opentelemetry(value)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.integers(0, 255))
def test_what_opentelemetry_writes_is_read(trace_id: int, span_id: int, flags: int) -> None:
    """Each traceparent that it injects is understood; within its span ours is the same."""
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    context = SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(flags))
    with use_span(NonRecordingSpan(context)):
        TraceContextTextMapPropagator().inject(carrier)
        assert current_traceparent() == carrier["traceparent"]
        assert choose_trace_id(None, {}) == f"{trace_id:032x}"
    assert parse_traceparent(carrier["traceparent"]) == f"{trace_id:032x}"


@given(st.uuids().map(str) | st.text("0123456789abcdef", min_size=32, max_size=32) | HEADER_TEXT)
def test_what_we_write_opentelemetry_reads(trace_id: str) -> None:
    """An id that fits is passed on, whole; one that does not is not cut to fit."""
    made = make_traceparent(trace_id)
    digits = trace_id.replace("-", "").lower()
    fits = is_trace_id(trace_id) and len(trace_id) in {32, 36} and len(digits) == 32
    if made is None:
        assert not fits or not set(digits) <= set("0123456789abcdef") or set(digits) == {"0"}
    else:
        assert fits
        assert _read_by_opentelemetry(made) == parse_traceparent(made) == digits


def test_the_traceparent_for_an_outgoing_call() -> None:
    """The running request's trace goes on, each call with a parent id of its own; outside there is none."""
    assert current_traceparent() is None
    before = enter_scope(Scope(choose_trace_id(None, {b"traceparent": PARENT.encode()})))
    try:
        first, second = current_traceparent(), current_traceparent()
    finally:
        enter_scope(before)
    assert first is not None
    assert second is not None
    assert parse_traceparent(first) == parse_traceparent(second) == "0af7651916cd43dd8448eb211c80319c"
    assert first != second
    before = enter_scope(Scope("order-7"))
    try:
        assert current_traceparent() is None
    finally:
        enter_scope(before)
