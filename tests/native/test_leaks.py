"""The extension keeps nothing: memory over many events, reference counts, threads, forks.

python -m tests.native.test_leaks grow 1000000    # what a million events leave behind, in bytes
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from tests.availability import missing
from tests.backends import masking_with

from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import Limits, Policy, _backend
from replaystack.sanitize._plain import key_text, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
EVENTS: Final = int(os.environ.get("LEAK_EVENTS", "100000"))
WARM_UP: Final = 20_000
"""Until then allocators, caches and the memory of verdicts have grown to what they need."""
BOUND_BYTES: Final = 3 << 20
"""Of growth after that: 32 bytes for each of a hundred thousand events, 3 for each of a million."""
PAGES: Final = Path("/proc/self/statm")
FORKS: Final = 40


def _event(number: int, foreign: object = None) -> dict[str, Any]:
    """Return a small event that differs from all others: texts, keys, a body, headers, foreign values."""
    body = f'{{"password":"hunter{number}","n":{number},"note{number % 5000}":"x"}}'.encode()
    return {
        "traceId": f"trace-{number}",
        "errorMessage": f"at {number}: password=hunter{number} refused",
        "requestUrl": f"/a/{number}?token=t{number}",
        "requestHeaders": RawHeaders(((b"Cookie", b"a=%d" % number), (b"X-Number", b"%d" % number))),
        "requestPayload": RawBody(body, "application/json", total_bytes=len(body)),
        "metadata": {f"key{number}": dt.date(2020, 1, 2), number: (1.5, b"pin=1", foreign)},
    }


# --- what runs in a child process ------------------------------------------------------------------


class _Load:
    """Everything that the extension does, again and again, with whatever a wrong one could keep."""

    def __init__(self) -> None:
        _backend.use("native")
        native = _backend._active
        assert isinstance(native, _backend._Native)
        self._native = native
        self._policy = Policy.build()

    def run(self, number: int) -> list[bytes]:
        if number % 200 == 0:
            self._policy = Policy.build(mask_fields=[f"own{number}"], mask_values=["email"])
        module, compiled = self._native._module, self._native._compiled(self._policy)
        encoder = self._native._encoder
        if number % 50 == 0:
            self._refused(encoder, compiled, number)
        if number % 20 == 0:
            text = f"{number}: password=hunter{number}\ud800"
            module.mask_text(compiled, text)
            module.mask_url(compiled, f"https://u:p{number}@h/?token={number}")
            module.mask_json(compiled, f'{{"password":{number}}}')
            module.mask_json_prefix(compiled, f'{{"password":{number}')
            module.encode_value(compiled, {text: [text, 10**50]}, 0, 1 << 62, plain, key_text)
            events = [_event(number), _event(number + 1)]
            return self._native.events(events, self._policy, Limits())
        return self._native.events([_event(number)], self._policy, Limits())

    def _refused(self, encoder: Any, compiled: object, number: int) -> None:
        """Let the encoder raise: for what it refuses, and for what comes out of Python."""
        body = RawBody(f"password={number}", "text/plain")  # type: ignore[arg-type]  # the point
        for event, function in (
            ({"requestPayload": body}, plain),
            ({"traceId": "t", "metadata": {"a": [_event(number, foreign=object())]}}, _failing),
        ):
            try:
                encoder.encode_event(compiled, "hash", 1000, event, function, key_text)
            except (TypeError, LookupError):
                continue
            raise AssertionError("it was not refused")


def _failing(value: object) -> object:
    raise LookupError(f"no {type(value).__name__}")


def _grow(count: int, keep: Callable[[list[bytes]], object]) -> dict[str, int]:
    """Return by how many bytes the memory of this process grew over `count` events."""
    load = _Load()
    for number in range(WARM_UP):
        load.run(number)
    before = _resident_bytes()
    for number in range(WARM_UP, WARM_UP + count):
        keep(load.run(number))
    return {"events": count, "before": before, "grown": _resident_bytes() - before}


def _resident_bytes() -> int:
    return int(PAGES.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _fork() -> dict[str, int]:
    """Fork while another thread encodes; return how many children encoded what they should."""
    load, stopped, rounds = _Load(), threading.Event(), [0]
    expected = load.run(7)
    large = [{"requestPayload": {"a": [f"password=hunter{i}" for i in range(500)]}} for _ in range(32)]

    def encode() -> None:
        while not stopped.is_set():
            load._native.events(large, load._policy, Limits())
            rounds[0] += 1

    thread = threading.Thread(target=encode)
    thread.start()
    right = 0
    try:
        for _ in range(FORKS):
            pid = os.fork()
            if pid == 0:
                signal.alarm(30)  # a child that hangs ends by it
                os._exit(0 if load.run(7) == expected else 1)
            right += os.waitpid(pid, 0)[1] == 0
    finally:
        stopped.set()
        thread.join()
    return {"forks": FORKS, "right": right, "rounds": rounds[0]}


def main() -> int:
    """Run one part in this process and write what it found."""
    part, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    kept: list[object] = []
    parts: dict[str, Callable[[], dict[str, int]]] = {
        "grow": lambda: _grow(count, lambda encoded: None),
        "keep": lambda: _grow(count, kept.append),
        "fork": _fork,
    }
    json.dump(parts[part](), sys.stdout)
    return 0


# --- tests -----------------------------------------------------------------------------------------


def _child(*arguments: object) -> dict[str, int]:
    """Return what a fresh process says of one part."""
    # From Python 3.12 on a fork beside a thread warns; that it works all the same is what is shown.
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tests.native.test_leaks"]
    done = subprocess.run(
        [*command, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.fixture
def native() -> Iterator[_backend._Native]:
    """Let the extension mask; skip (an error under CI) where it was not built."""
    with masking_with("native"):
        active = _backend._active
        assert isinstance(active, _backend._Native)
        yield active


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_memory_does_not_grow_with_the_events(native: object) -> None:
    """After a warm-up the process stays as large as it is, whatever is encoded, refused or dropped."""
    if not PAGES.exists():
        missing("no /proc here that tells how large a process is")
    found = _child("grow", EVENTS)
    assert found["events"] == EVENTS
    assert found["grown"] < BOUND_BYTES, found


@pytest.mark.slow
def test_memory_that_grows_is_seen(native: object) -> None:
    """The measure is good enough to see that the encoded events are kept."""
    if not PAGES.exists():
        missing("no /proc here that tells how large a process is")
    assert _child("keep", 15_000)["grown"] > BOUND_BYTES


def _objects_of(value: Any) -> Iterator[Any]:
    """Yield an object and those that it is made of."""
    yield value
    if type(value) is dict:
        for key, item in value.items():
            yield key
            yield from _objects_of(item)
    elif type(value) in (list, tuple):
        for item in value:
            yield from _objects_of(item)
    elif type(value) is RawBody:
        yield from (value.data, value.content_type, value.content_encoding)
    elif type(value) is RawHeaders:
        yield from _objects_of(value.items)


def test_reference_counts_stay(native: _backend._Native) -> None:
    """Nothing that was passed is referred to afterwards, whether it was encoded or refused."""
    policy = Policy.build(mask_fields=["own"])
    compiled, encoder, module = native._compiled(policy), native._encoder, native._module
    event = _event(12345, foreign={"a", "b"})
    event["responsePayload"] = {"a": [f"x{len(event)}", {1: 2.5}], "pin": 10**50}
    event["logs"] = [{"message": "password=1", "fields": {"a": 1}}]
    events = [event, _event(54321)]
    bad = {"requestPayload": RawBody(f"x{len(events)}", "text/plain")}  # type: ignore[arg-type]  # the point
    text = f"password=hunter{len(events)} \ud800"
    watched = [plain, key_text, _failing, policy, compiled, encoder, text]
    watched += [each for one in (*events, bad) for each in _objects_of(one)]
    # Those that live as long as the interpreter are referred to by others, or have no count.
    watched = [
        each
        for each in watched
        if each is not None
        and type(each) is not bool
        and not (type(each) is int and -5 <= each <= 256)
        and not (type(each) in (str, bytes) and len(each) < 2)
    ]

    def encode() -> None:
        encoder.encode_event(compiled, "hash", 1000, event, plain, key_text)
        encoder.encode_batch(compiled, "hash", 1 << 19, events, plain, key_text)
        module.encode_value(compiled, event["responsePayload"], 0, 100, plain, key_text)
        for function in (module.mask_text, module.mask_url, module.mask_json, module.mask_json_prefix):
            function(compiled, text)
        with pytest.raises(TypeError):
            encoder.encode_event(compiled, "hash", 1000, bad, plain, key_text)
        with pytest.raises(LookupError):
            encoder.encode_batch(compiled, "hash", 1000, events, _failing, key_text)

    encode()
    before = [sys.getrefcount(each) for each in watched]
    for _ in range(50):
        encode()
    after = [sys.getrefcount(each) for each in watched]
    # A constant of this file may be referred to by one frame more or less; what leaks, leaks 50 times.
    grown = [(each, a, b) for each, a, b in zip(watched, before, after, strict=True) if abs(b - a) > 5]
    assert not grown


def test_threads_share_one_policy(native: _backend._Native) -> None:
    """Whatever runs at once, each thread gets what it would have got alone."""
    policy, threads, each = Policy.build(mask_fields=["own"]), 6, 150
    alone = Policy.build(mask_fields=["own"])
    expected = [native.events([_event(number)], alone, Limits())[0] for number in range(each)]
    found: list[list[bytes]] = [[] for _ in range(threads)]
    start = threading.Barrier(threads)

    def encode(mine: list[bytes], step: int) -> None:
        start.wait(30)
        for number in range(each):
            if number % 10 == step:
                events = [_event(number), _event(number + 1)]
                assert native.events(events, policy, Limits())[0] == expected[number]
            mine += native.events([_event(number)], policy, Limits())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that one is stopped within `plain`, while another comes
    try:
        running = [threading.Thread(target=encode, args=(mine, step)) for step, mine in enumerate(found)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert [mine == expected for mine in found] == [True] * threads


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_beside_an_encoding_thread_encodes(native: object) -> None:
    """A child of a process whose other thread encodes gets the right bytes, and hangs at nothing."""
    found = _child("fork")
    assert found["right"] == found["forks"] == FORKS
    assert found["rounds"] > 0


if __name__ == "__main__":
    raise SystemExit(main())
