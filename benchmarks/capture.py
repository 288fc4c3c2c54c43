"""What one `capture_event` of 2.5 kB costs its caller, beside what others do for the same.

Every contender runs in a child process of its own, against a receiver in another process that takes all of
it; the rounds alternate between them. The calls come one a millisecond, as from an application at work, so
that senders do their part in between. All get the same many documents of 2.5 kB.

- deque: `append` of a reference: the floor under any queue, and what nobody may do who wants a snapshot.
- json: `json.dumps` and `append`: a snapshot by the standard library, nothing masked.
- replaystack: `capture_event(request_payload=...)`: masked and encoded in the call.
- sentry-sdk: `capture_event` with the document as `extra`; defaults (its scrubber looks at the first level).
- opentelemetry logs: `emit` with the document as body, batch processor, OTLP over HTTP; masks nothing, keeps
  a reference and encodes later.

Peers that are not installed (`benchmarks/requirements-peers.txt`) are named and skipped.
`python -m benchmarks.capture [--calls N] [--rounds N] [--write]`. Aims, at p50: 15 us native, 60 us Python.
"""

from __future__ import annotations

import argparse
import array
import importlib
import importlib.metadata
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from benchmarks._masking_corpus import documents
from benchmarks._results import RESULTS, write_section
from benchmarks._sink import Sink

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Call = Callable[[dict[str, Any]], object]

PAUSE_SECONDS = 0.001
WARM_UP = 300
AIM_US = {"native": 15.0, "python": 60.0}


def _deque(_: str) -> tuple[str, Call]:
    queue: deque[object] = deque(maxlen=1000)
    return "", queue.append


def _json(_: str) -> tuple[str, Call]:
    queue: deque[object] = deque(maxlen=1000)
    return "", lambda document: queue.append(json.dumps(document))


def _replaystack(origin: str) -> tuple[str, Call]:
    import replaystack  # noqa: PLC0415 - only this child loads it

    client = replaystack.ReplayStackClient(api_key="k", endpoint=origin)
    return replaystack.native_status().backend, lambda document: client.capture_event(
        endpoint="/orders", request_payload=document
    )


def _sentry(origin: str) -> tuple[str, Call]:
    import sentry_sdk  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - optional

    sentry_sdk.init(dsn=origin.replace("//", "//public@") + "/1")
    return importlib.metadata.version("sentry-sdk"), lambda document: sentry_sdk.capture_event(
        {"message": "order", "level": "info", "extra": {"request_payload": document}}
    )


def _opentelemetry(origin: str) -> tuple[str, Call]:
    api = importlib.import_module("opentelemetry._logs")
    sdk = importlib.import_module("opentelemetry.sdk._logs")
    export = importlib.import_module("opentelemetry.sdk._logs.export")
    otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http._log_exporter")
    provider = sdk.LoggerProvider()
    exporter = otlp.OTLPLogExporter(endpoint=f"{origin}/v1/logs")
    provider.add_log_record_processor(export.BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("benchmark")
    record = api.LogRecord
    return importlib.metadata.version("opentelemetry-sdk"), lambda document: logger.emit(
        record(timestamp=time.time_ns(), body=document, attributes={"endpoint": "/orders"})
    )


CONTENDERS: dict[str, Callable[[str], tuple[str, Call]]] = {
    "deque": _deque,
    "json": _json,
    "replaystack, native": _replaystack,
    "replaystack, python": _replaystack,
    "sentry-sdk": _sentry,
    "opentelemetry logs": _opentelemetry,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Time every contender and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capture")
    parser.add_argument("--calls", type=int, default=2000, help="timed calls in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/RESULTS.md")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        return _time(options.child[0], options.child[1], options.calls)
    absent: set[str] = set()
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    with Sink(capabilities="bulk") as sink:
        for number in range(options.rounds):
            for name in CONTENDERS:
                told = None if name in absent else _child(name, sink.origin, options.calls)
                if told is None:
                    absent.add(name)
                else:
                    rounds[name].append(told)
            print(f"round {number + 1} of {options.rounds}", flush=True)
    table = _table({name: told for name, told in rounds.items() if told})
    print(table)
    for name in sorted(absent):
        print(f"skipped: {name} is not installed (benchmarks/requirements-peers.txt)")
    if options.write:
        note = (
            f"Python {platform.python_version()}, {platform.machine()}, {options.rounds} rounds of"
            f" {options.calls} calls, one a millisecond; medians of the rounds."
            " Method: `benchmarks/capture.py`."
        )
        if absent:
            note += f" Not installed: {', '.join(sorted(absent))}."
        title = "## Capture: one event of 2.5 kB, in the caller"
        write_section("capture", f"{title}\n\n{table}\n\n{note}")
        print(f"written: {RESULTS.name}")
    return 0


def _child(name: str, origin: str, calls: int) -> dict[str, Any] | None:
    """Return what a contender's child measured; None if the contender is not installed."""
    command = [sys.executable, "-m", "benchmarks.capture", "--calls", str(calls), "--child", name, origin]
    environment = {**os.environ, "REPLAYSTACK_BACKEND": name.partition(", ")[2] or "auto"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if "ModuleNotFoundError" in done.stderr or "replaystack-native is not installed" in done.stderr:
        return None
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _time(name: str, origin: str, calls: int) -> int:
    """Be a child: call, pause, call; print percentiles in microseconds as JSON."""
    label, call = CONTENDERS[name](origin)
    trees = itertools.cycle([document.tree for document in documents(256, 2500)])
    times = array.array("d")
    for number, tree in enumerate(trees):
        started = time.perf_counter()
        call(tree)
        took = time.perf_counter() - started
        if number >= WARM_UP:
            times.append(took * 1e6)
            if len(times) == calls:
                break
        time.sleep(PAUSE_SECONDS)
    cuts = statistics.quantiles(times, n=100)
    print(json.dumps({"label": label, "p50": cuts[49], "p99": cuts[98]}))
    return 0


def _table(rounds: dict[str, list[dict[str, Any]]]) -> str:
    lines = ["| contender | | p50 us | p99 us | aim |", "| --- | --- | ---: | ---: | --- |"]
    for name, told in rounds.items():
        p50, p99 = (statistics.median(one[key] for one in told) for key in ("p50", "p99"))
        label = told[0]["label"]
        aim = ""
        if label in AIM_US:
            aim = f"p50 <= {AIM_US[label]:.0f} us: {'met' if p50 <= AIM_US[label] else 'MISSED'}"
        lines.append(f"| {name} | {label} | {p50:.1f} | {p99:.1f} | {aim} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
