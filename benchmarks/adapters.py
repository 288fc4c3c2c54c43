"""What an adapter costs the application: processor time per request, throughput, latency.

    python -m benchmarks.adapters [--framework fastapi] [--contender ours-native] [--rounds 5] [--write]

Each run is a server process of its own, pinned to one core; the load (wrk) and the receiver share the
other. Contenders take turns within a round. Every request is a POST with a JSON body of about 1 kB that is
answered by another; ours captures both. A run of ours counts only if every request was delivered, and its
clock runs until the ledger is empty: what the sender costs is in every figure. Others are measured the same
way; Sentry sends nothing here (errors only), OpenTelemetry a span without bodies.

First figure: processor time that a request costs more than on the bare application, sender included; the
server has one core, so its inverse is the throughput that a machine with nothing else to do would show.
Second: requests per second at 16 connections. Third: the median at one connection. All against the bare run
of the same round. Fails if ours misses a bound.

Needs wrk (Debian: apt-get install wrk) and two cores; contenders that are not installed are named and skipped
(`benchmarks/requirements-peers.txt`; with uvloop and httptools from there, uvicorn uses them).
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
from benchmarks._results import commit, machine, write_section

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
FRAMEWORKS: Final = ("fastapi", "flask", "django")
CONTENDERS: Final = ("bare", "noop", "ours-native", "ours-python", "sentry", "opentelemetry")
BOUNDS: Final = {
    ("fastapi", "ours-native"): 0.85,
    ("flask", "ours-native"): 0.90,
    ("django", "ours-native"): 0.90,
    ("fastapi", "ours-python"): 0.55,
    ("flask", "ours-python"): 0.70,
    ("django", "ours-python"): 0.70,
}
"""How much of the bare application's throughput has to be left."""
NEEDED: Final = {
    "ours-native": "replaystack_native",
    "sentry": "sentry_sdk",
    "opentelemetry": "opentelemetry.instrumentation.{framework}",
}
SERVER_CORE: Final = "0"
LOAD_CORE: Final = "1"
CONNECTIONS: Final = 16
DRAIN_SECONDS: Final = 60.0
"""A guard: a sender that has not emptied its queue after a minute loses the run."""

LUA: Final = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
wrk.body = %s
done = function(summary, latency, requests)
  local e = summary.errors
  local wrong = e.connect + e.status + e.read + e.write + e.timeout
  io.write(string.format("RESULT %%d %%d\\n", wrong, latency:percentile(50)))
end
"""
ORDER: Final = {
    "customer": "ada",
    "email": "ada@example.org",
    "password": "correct horse battery staple",
    "note": "please ring twice, the bell is broken and the dog is not",
    "items": [
        {
            "sku": f"TEA-{number:03d}",
            "name": "first flush, single estate",
            "quantity": number,
            "unit_price_cents": 450,
        }
        for number in range(1, 9)
    ],
    "card": {"card_number": "4111 1111 1111 1111", "cvv": "123"},
}


@dataclass(frozen=True)
class Run:
    """What one server process did under load."""

    per_second: float
    cpu_us: float
    p50_us: float
    is_complete: bool
    """Whether every request was delivered; always true of who delivers no requests."""


@contextmanager
def process(core: str, module: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a module pinned to a core; ended at the end."""
    command = ["taskset", "-c", core, sys.executable, "-m", module, *arguments]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()


@contextmanager
def serving(framework: str, contender: str, receiver: str) -> Iterator[str]:
    """Run the application with the contender around it; yields its base URL."""
    name, _, backend = contender.partition("-")
    module = "benchmarks._adapter_sites"
    environment = {"RECEIVER": receiver, "REPLAYSTACK_BACKEND": backend or "auto"}
    with process(SERVER_CORE, module, framework, name, **environment) as child:
        said = []
        assert child.stderr is not None
        for line in child.stderr:
            said.append(line)
            if found := re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", line):
                yield found[1]
                return
        raise RuntimeError(f"{framework} with {contender} did not start: {''.join(said[-20:])}")


def ledger(base_url: str) -> dict[str, Any]:
    """Ask the application for its counts; waits for an application that just begins to listen."""
    for attempt in itertools.count():
        try:
            answer = httpx.get(f"{base_url}/internal/ledger", timeout=30, trust_env=False)
            counts: dict[str, Any] = answer.json()
            return counts
        except httpx.ConnectError:
            if attempt == 50:
                raise
            time.sleep(0.1)
    raise AssertionError


def drained(base_url: str) -> dict[str, Any]:
    """Return the counts once nothing waits any more, or as they are after a minute."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        counts = ledger(base_url)
        if not counts["events"] or not counts["events"]["waiting"] or time.monotonic() > deadline:
            return counts
        time.sleep(0.01)


def load(base_url: str, script: Path, connections: int, seconds: float) -> tuple[int, float]:
    """Run wrk; return the number of answers that were wrong, and the median in microseconds."""
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    ended = subprocess.run(
        [*command, "-s", str(script), f"{base_url}/orders"], capture_output=True, text=True, check=True
    )
    found = re.search(r"RESULT (\d+) (\d+)", ended.stdout)
    if found is None:
        raise RuntimeError(f"wrk said: {ended.stdout}{ended.stderr}")
    return int(found[1]), float(found[2])


def measure(framework: str, contender: str, script: Path, seconds: float) -> Run:
    """Run one server: warm up, 16 connections until the ledger is empty, then one connection."""
    with process(LOAD_CORE, "benchmarks._adapter_receiver") as sink:
        assert sink.stdout is not None
        receiver = f"http://127.0.0.1:{sink.stdout.readline().strip()}"
        with serving(framework, contender, receiver) as base_url:
            ledger(base_url)
            load(base_url, script, CONNECTIONS, 1)
            before = drained(base_url)
            started = time.monotonic()
            wrong, _ = load(base_url, script, CONNECTIONS, seconds)
            after = drained(base_url)
            elapsed = time.monotonic() - started
            wrong_alone, p50_us = load(base_url, script, 1, max(1.0, seconds / 2))
            counts = drained(base_url)
        arrived = httpx.get(f"{receiver}/count", trust_env=False).json()["events"]
    requests = after["handled"] - before["handled"]
    if wrong or wrong_alone or not requests:
        raise RuntimeError(f"{framework} with {contender}: {wrong + wrong_alone} wrong answers of {requests}")
    delivered = counts["events"]["delivered"] if counts["events"] else 0
    return Run(
        per_second=requests / elapsed,
        cpu_us=(after["cpu_seconds"] - before["cpu_seconds"]) / requests * 1e6,
        p50_us=p50_us,
        is_complete=not contender.startswith("ours") or delivered == arrived == counts["handled"],
    )


def is_installed(framework: str, contender: str) -> bool:
    """Tell whether what the contender needs can be imported."""
    needed = NEEDED.get(contender, "json").format(framework=framework)
    try:
        return importlib.util.find_spec(needed) is not None
    except ModuleNotFoundError:
        return False


def report(framework: str, runs: dict[str, list[Run]]) -> tuple[list[str], list[str]]:
    """Return the table of one framework, and what missed its bound."""
    lines = [
        f"### {framework}",
        "",
        "| contender | added CPU us/request | x bare by CPU | req/s (16) | x bare | added p50 us | runs |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    missed = []
    bare = runs["bare"]
    for contender, all_runs in runs.items():
        complete = [run for run in all_runs if run.is_complete]
        of_all = f"{len(complete)} of {len(all_runs)}"
        if len(complete) < len(all_runs):
            missed.append(f"{framework} {contender}: only {of_all} runs delivered every request")
        if not complete:
            lines.append(f"| {contender} | - | - | - | - | - | {of_all} |")
            continue
        # Round by round: what else the machine does changes from one to the next.
        pairs = [(run, other) for run, other in zip(all_runs, bare, strict=True) if run.is_complete]
        cpu = statistics.median(run.cpu_us - other.cpu_us for run, other in pairs)
        by_cpu = statistics.median(other.cpu_us / run.cpu_us for run, other in pairs)
        share = statistics.median(run.per_second / other.per_second for run, other in pairs)
        p50 = statistics.median(run.p50_us - other.p50_us for run, other in pairs)
        lines.append(
            f"| {contender} | {cpu:+.0f} | {by_cpu:.2f} | {_median(complete, 'per_second'):,.0f} "
            f"| {share:.2f} | {p50:+.0f} | {of_all} |"
        )
        bound = BOUNDS.get((framework, contender))
        if bound is not None and share < bound:
            missed.append(f"{framework} {contender}: {share:.2f} of the bare throughput, not {bound:.2f}")
    spent, alone = _median(bare, "cpu_us"), _median(bare, "p50_us")
    lines += ["", f"Bare: {spent:.0f} us of processor time per request, p50 {alone:.0f} us.", ""]
    return lines, missed


def _median(runs: list[Run], figure: str) -> float:
    return float(statistics.median(getattr(run, figure) for run in runs))


def main() -> int:
    """Measure, print a table per framework; 1 if a bound was missed."""
    parser = argparse.ArgumentParser(description="What an adapter costs the application.")
    parser.add_argument("--framework", action="append", choices=FRAMEWORKS)
    parser.add_argument("--contender", action="append", choices=CONTENDERS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    options = parser.parse_args()
    missing = [tool for tool in ("wrk", "taskset") if shutil.which(tool) is None]
    if missing or (os.cpu_count() or 1) < 2:
        print(f"SKIPPED: needs two cores and {' and '.join(missing) or 'nothing else'} (apt-get install wrk)")
        return 0
    text, missed = [], []
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "order.lua"
        script.write_text(LUA % json.dumps(json.dumps(ORDER)), encoding="utf-8")
        for framework in options.framework or FRAMEWORKS:
            wanted = ["bare", *(name for name in CONTENDERS[1:] if name in (options.contender or CONTENDERS))]
            there = [name for name in wanted if is_installed(framework, name)]
            skipped = [name for name in wanted if name not in there]
            if skipped:
                print(f"skipped: {', '.join(skipped)} not installed", flush=True)
            runs: dict[str, list[Run]] = {name: [] for name in there}
            for number in range(options.rounds):
                turn = number % len(there)  # so that nobody always comes after the same neighbour
                for name in there[turn:] + there[:turn]:
                    run = measure(framework, name, script, options.seconds)
                    runs[name].append(run)
                    print(
                        f"{framework} {name:<13} {run.per_second:7,.0f} req/s {run.cpu_us:6.0f} us "
                        f"p50 {run.p50_us:6.0f} us{'' if run.is_complete else '  NOT COMPLETE'}",
                        flush=True,
                    )
            lines, faults = report(framework, runs)
            print("\n" + "\n".join(lines), flush=True)
            text += lines
            missed += faults
    for fault in missed:
        print(f"MISSED: {fault}")
    if options.write:
        title = ["## Adapters: what a request costs more", ""]
        end = (
            f"Commit {commit()}, Python {sys.version.split()[0]}, {machine()}, load average "
            f"{os.getloadavg()[2]:.0f} (2 would be the benchmark itself), {options.rounds} rounds; "
            "method: `benchmarks/adapters.py`."
        )
        write_section("adapters", "\n".join([*title, *text, end]))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
