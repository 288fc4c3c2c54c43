"""How many events of 2 kB a process delivers in a second, beside one `requests.post` for each.

The receiver is a process of its own that takes everything. Ours masks and encodes as well; the posts send
the same documents as `json.dumps` wrote them, masked by nobody. "pump" is the sender alone: the events are
encoded before the clock starts, as they are when `capture_event` has returned.

`python -m benchmarks.throughput [--events N] [--rounds N] [--write]`. Fails if the pump with batches is not
faster than one post per event.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import statistics
import time
from typing import TYPE_CHECKING, Any

import requests
from benchmarks._masking_corpus import documents
from benchmarks._results import RESULTS, write_section
from benchmarks._sink import Sink

from replaystack import ReplayStackClient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WAIT_SECONDS = 300.0
BODY_BYTES = 1500  # with what every event carries: 2 kB


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every way in alternating rounds, print the table; 1 if the pump is slower than posts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput")
    parser.add_argument("--events", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/RESULTS.md")
    options = parser.parse_args(arguments)
    trees = [one.tree for one in documents(256, BODY_BYTES)]
    bodies = list(itertools.islice(itertools.cycle(trees), options.events))
    rates: dict[str, list[float]] = {}
    for number in range(options.rounds):
        for name, (capabilities, way) in WAYS.items():
            with Sink(capabilities=capabilities) as sink:
                seconds = way(sink.origin, bodies)
            rates.setdefault(name, []).append(options.events / seconds)
        print(f"round {number + 1} of {options.rounds}", flush=True)
    base = statistics.median(rates[POST])
    lines = ["| way | events/s | against one post each |", "| --- | ---: | ---: |"]
    for name, found in rates.items():
        lines.append(f"| {name} | {statistics.median(found):.0f} | {statistics.median(found) / base:.1f}x |")
    table = "\n".join(lines)
    print(table)
    is_good = statistics.median(rates[PUMP]) > base
    print("every bound met" if is_good else "MISSED: the pump is slower than one post per event")
    if options.write:
        note = (
            f"Python {platform.python_version()}, requests {requests.__version__}, {platform.machine()};"
            f" {options.rounds} rounds of {options.events} events, medians."
            " Method: `benchmarks/throughput.py`."
        )
        write_section("throughput", f"## Throughput: events of 2 kB, one process\n\n{table}\n\n{note}")
        print(f"written: {RESULTS.name}")
    return 0 if is_good else 1


def _client(origin: str) -> ReplayStackClient:
    return ReplayStackClient(api_key="k", endpoint=origin, queue_max_bytes=1 << 30, timeout_seconds=30)


def _finish(client: ReplayStackClient, count: int) -> None:
    assert client.flush(WAIT_SECONDS), client.stats()
    assert client.stats().delivered == count, client.stats()


def _end_to_end(origin: str, bodies: list[dict[str, Any]]) -> float:
    """Capture and deliver; masking and encoding in the caller, while the pump sends."""
    with _client(origin) as client:
        started = time.perf_counter()
        for body in bodies:
            client.capture_event(endpoint="/orders", request_payload=body)
        _finish(client, len(bodies))
        return time.perf_counter() - started


def _pump(origin: str, bodies: list[dict[str, Any]]) -> float:
    """Deliver what is encoded already: the pump stands still, by its ownership lock, until all is there."""
    with _client(origin) as client:
        ownership = client.recorder.lifetime.delivery.pump.ownership
        with ownership:
            for body in bodies:
                client.capture_event(endpoint="/orders", request_payload=body)
            started = time.perf_counter()
        _finish(client, len(bodies))
        return time.perf_counter() - started


def _posts(post: Callable[..., requests.Response], origin: str, bodies: list[dict[str, Any]]) -> float:
    url = origin + "/api/v1/ingest/events"
    started = time.perf_counter()
    for body in bodies:
        answer = post(url, json={"endpoint": "/orders", "requestPayload": body}, timeout=30)
        assert answer.status_code == 200, answer.status_code
    return time.perf_counter() - started


def _post_each(origin: str, bodies: list[dict[str, Any]]) -> float:
    return _posts(requests.post, origin, bodies)


def _session_each(origin: str, bodies: list[dict[str, Any]]) -> float:
    with requests.Session() as session:
        return _posts(session.post, origin, bodies)


POST = "requests.post for each"
PUMP = "pump, batches"
WAYS: dict[str, tuple[str, Callable[[str, list[dict[str, Any]]], float]]] = {
    POST: ("", _post_each),
    "one requests.Session, a post for each": ("", _session_each),
    "pump, single events": ("", _pump),
    PUMP: ("bulk", _pump),
    "pump, batches and gzip": ("bulk, gzip", _pump),
    "capture to delivery, single events": ("", _end_to_end),
    "capture to delivery, batches": ("bulk", _end_to_end),
}


if __name__ == "__main__":
    raise SystemExit(main())
