"""Much work is masked without the lock of the interpreter, little is not (MASKING.md section 8)."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest
from tests.backends import masking_with

from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import Limits, Policy, encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY = Policy.build()
ATTEMPTS_MAX = 500
"""Another thread may be slow to wake, so it gets the chance again."""


def _event(number: int, size_bytes: int) -> dict[str, object]:
    """Return an exchange with a body of about that size, and things beside it that Python objects hold."""
    rows = ",".join(f'{{"id":{at},"password":"hunter{number}"}}' for at in range(size_bytes // 32))
    data = f'{{"rows":[{rows}],"n":{number}}}'.encode()
    return {
        "traceId": f"{number:032x}",
        "requestHeaders": RawHeaders(((b"authorization", b"Bearer abcdefgh12345678"), (b"accept", b"*/*"))),
        "requestPayload": RawBody(data, "application/json", total_bytes=len(data)),
        "responsePayload": {"token": "abc", "n": number, "when": {1, 2}},
        "metadata": {"number": number},
    }


LARGE = [_event(number, 60_000) for number in range(8)]
SMALL = [_event(number, 3_000) for number in range(8)]


@pytest.fixture
def no_switching() -> Iterator[None]:
    """Let threads take turns only where one gives the lock away."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(10_000)
    yield
    sys.setswitchinterval(before)


def _lets_others_run(events: list[dict[str, object]], attempts: int) -> bool:
    """Encode the events again and again, and tell whether a thread that waits for the lock ran meanwhile."""
    gate, ran = threading.Lock(), []
    gate.acquire()

    def wait() -> None:
        with gate:
            ran.append(True)

    other = threading.Thread(target=wait)
    other.start()
    gate.release()
    # From here on nothing but the masker gives the lock away.
    for _ in range(attempts):
        encode_batch(events, POLICY)
        if ran:
            break
    found = bool(ran)
    other.join(60)
    return found


@pytest.mark.usefixtures("no_switching")
def test_much_work_lets_other_threads_run() -> None:
    """Bodies of 256 KiB and more together are masked while others have the lock."""
    with masking_with("native"):
        encode_batch(LARGE, POLICY)
        assert _lets_others_run(LARGE, ATTEMPTS_MAX)


@pytest.mark.usefixtures("no_switching")
def test_little_work_keeps_the_lock() -> None:
    """Who gives it away may wait long for it, so a batch of usual exchanges does not."""
    with masking_with("native"):
        encode_batch(SMALL, POLICY)
        assert not _lets_others_run(SMALL, 20)


def test_what_is_masked_outside_is_the_same() -> None:
    """One by one, together and in Python: the same bytes, cut bodies and broken ones among them."""
    data = b'{"password":"x","rows":[' + b"1," * 300_000 + b"1]}"
    events = [
        *LARGE,
        {"traceId": "cut", "requestPayload": RawBody(data, "application/json", total_bytes=len(data))},
        {"traceId": "text", "responsePayload": RawBody(b"pin=1234 " * 40_000, "text/plain", total_bytes=0)},
        {"traceId": "bad", "logs": RawBody(data, "application/json", total_bytes=len(data))},
    ]
    limits = Limits()
    with masking_with("python"):
        wanted = [one.data for one in encode_batch(events, POLICY, limits)]
    with masking_with("native"):
        together = [one.data for one in encode_batch(events, POLICY, limits)]
        alone = [encode_batch([event], POLICY, limits)[0].data for event in events]
    assert together == wanted
    assert alone == wanted
    assert b"hunter" not in b"".join(wanted)


def test_threads_share_a_policy_while_the_lock_is_released() -> None:
    """Each gets its own memory: what several write at once is what each would write alone."""
    failures: list[int] = []
    with masking_with("native"):
        wanted = [one.data for one in encode_batch(LARGE, POLICY)]

        def encode(turn: int) -> None:
            for round_number in range(10):
                events = LARGE[turn:] + LARGE[:turn]
                found = [one.data for one in encode_batch(events, POLICY)]
                if found != wanted[turn:] + wanted[:turn]:
                    failures.append(round_number)

        threads = [threading.Thread(target=encode, args=(turn,)) for turn in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert not failures


def test_an_event_that_changes_meanwhile_is_masked_as_it_then_stands() -> None:
    """Another thread puts another body in its place: that one is masked, no other one leaves."""
    stop = threading.Event()
    event = dict(LARGE[0])
    first, second = LARGE[1]["requestPayload"], LARGE[2]["requestPayload"]

    def swap() -> None:
        while not stop.is_set():
            event["requestPayload"] = first
            event["requestPayload"] = second

    with masking_with("native"):
        expected = {
            encode_batch([{**event, "requestPayload": body}], POLICY)[0].data
            for body in (LARGE[0]["requestPayload"], first, second)
        }
        other = threading.Thread(target=swap)
        other.start()
        try:
            found = {encode_batch([event, *LARGE[3:]], POLICY)[0].data for _ in range(50)}
        finally:
            stop.set()
            other.join(60)
    assert found <= expected
