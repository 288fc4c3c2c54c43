"""The tap: a bounded copy that never costs more than its limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from replaystack.http.tap import HEAD_BYTES, BodyTap


@given(st.lists(st.binary(max_size=40_000), max_size=12), st.integers(1, 60_000))
def test_what_is_kept_is_a_beginning_and_within_the_limit(chunks: list[bytes], limit: int) -> None:
    """Under the limit all of it; over it at most the first 16 KiB; the size is always right."""
    tap = BodyTap(limit)
    for chunk in chunks:
        tap.feed(chunk)
        assert tap.held_bytes <= limit
    tap.complete = True
    whole = b"".join(chunks)
    body = tap.body("text/plain", None)
    assert tap.seen_bytes == len(whole)
    if body is None:
        assert not whole
        return
    assert body.total_bytes == len(whole)
    assert body.complete is (len(whole) <= limit)
    expected = whole if len(whole) <= limit else whole[: min(limit, HEAD_BYTES)]
    assert body.data == expected


def test_a_buffer_that_may_change_is_copied_and_bytes_are_not() -> None:
    """Bytes are kept by reference; a bytearray of the application's own may be reused by it."""
    reused = bytearray(b"first")
    tap = BodyTap(100)
    tap.feed(reused)
    reused[:] = b"other"
    tap.feed(memoryview(b"!"))
    body = tap.body(None, None)
    assert body is not None
    assert body.data == b"first!"


def test_a_declared_length_over_the_limit_holds_only_the_head() -> None:
    """A body that says that it is too large is never held whole, and its size is the declared one."""
    tap = BodyTap(524_288, declared_bytes=10_000_000)
    tap.feed(b"z" * 100_000)
    body = tap.body(None, None)
    assert body is not None
    assert (len(body.data), body.total_bytes, body.complete) == (HEAD_BYTES, 10_000_000, False)


def test_a_discarded_tap_measures_and_keeps_nothing() -> None:
    """A streamed body is counted, not held."""
    tap = BodyTap(100)
    tap.feed(b"one")
    tap.discard()
    tap.feed(b"two")
    assert (tap.held_bytes, tap.seen_bytes) == (0, 6)
