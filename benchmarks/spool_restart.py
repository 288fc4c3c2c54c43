"""A million events through a crash of the receiver, with the spool: each of them is there once.

A child process captures small events as fast as its own queue is emptied; when a third of them is through,
the receiver (it advertises bulk) is killed, ten seconds later it is started again on the same port. The ids
that it took are compared with the number of captures. What was acknowledged in the moment of the crash may be
sent again under its id, which a real receiver knows; such repeats are counted and shown.

`python -m benchmarks.spool_restart [--events N] [--away SECONDS] [--write]`. Fails if an event is missing,
if there is one too many, or if anything is left on disk or in the ledger.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._memory import peak_rss_bytes
from benchmarks._results import RESULTS, write_section
from benchmarks._sink import Sink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replaystack import ReplayStackClient

PACE_BYTES = 8 * 1024 * 1024
"""Half of the queue's bound: the benchmark is about the spool, not about what a full queue drops."""
SAY_EVERY_SECONDS = 1.0
DRAIN_SECONDS = 900.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the figures; 1 if an event is missing, doubled or left over."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spool_restart")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--away", type=float, default=10.0, help="seconds between crash and restart")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/RESULTS.md")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        return _capture(options.events, *options.child)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Sink(capabilities="bulk", ids=folder / "ids") as sink:
            started = time.monotonic()
            told = _run(sink, folder / "spool", options.events, options.away)
            seconds = time.monotonic() - started
            taken = sink.taken()
        left = [path.name for path in (folder / "spool").rglob("*") if path.is_file() and path.stat().st_size]
    once = len(set(taken))
    table = "\n".join(
        [
            "| what | figure |",
            "| --- | ---: |",
            f"| events captured | {options.events} |",
            f"| different events that the receiver took | {once} |",
            f"| of those, sent twice under one id (in flight at the crash) | {len(taken) - once} |",
            f"| receiver away | {options.away:.0f} s |",
            f"| most events on disk at once | {told['most_spooled']} |",
            f"| dropped | {told['dropped']} |",
            f"| left on disk | {len(left)} |",
            f"| whole run | {seconds:.0f} s, {options.events / seconds:.0f} events/s |",
            f"| peak memory of the process | {int(told['rss']) / 1e6:.0f} MB |",
        ]
    )
    print(table)
    is_good = once == options.events and not left and told["dropped"] == "0"
    print("each event once" if is_good else f"MISSED: {told}, left on disk: {left}")
    if options.write:
        machine = f"Python {platform.python_version()}, {platform.machine()}"
        note = f"{machine}; method: `benchmarks/spool_restart.py`."
        title = f"## Spool: {options.events} events through a crash of the receiver"
        write_section("spool_restart", f"{title}\n\n{table}\n\n{note}")
        print(f"written: {RESULTS.name}")
    return 0 if is_good else 1


def _run(sink: Sink, spool: Path, events: int, away: float) -> dict[str, str]:
    """Play the child and the crash; return what the child said last."""
    command = [sys.executable, "-m", "benchmarks.spool_restart", "--events", str(events)]
    crashed_at: float | None = None
    told: dict[str, str] = {}
    with subprocess.Popen(
        [*command, "--child", sink.origin, str(spool)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            told = dict(word.split("=") for word in line.split())
            print(f"  {line.strip()}", flush=True)
            if crashed_at is None and int(told["delivered"]) >= events // 3:
                sink.kill()
                crashed_at = time.monotonic()
                print("  the receiver is killed", flush=True)
            elif crashed_at is not None and not sink.is_running and time.monotonic() - crashed_at >= away:
                sink.start()
                print("  the receiver is back", flush=True)
    assert child.returncode == 0, f"the capturing process failed: {child.returncode}"
    assert crashed_at is not None, "the receiver was never killed: too few events"
    return told


def _capture(events: int, origin: str, spool: str) -> int:
    """Be the child: capture, and say now and then how far it is."""
    from replaystack import ReplayStackClient  # noqa: PLC0415 - the parent measures nothing of it

    client = ReplayStackClient(
        api_key="k", endpoint=origin, spool_path=spool, batch_max_events=100, timeout_seconds=5
    )
    most_spooled = 0
    said = 0.0

    def look() -> Any:
        nonlocal most_spooled, said
        stats = client.stats()
        most_spooled = max(most_spooled, stats.spooled)
        if time.monotonic() - said >= SAY_EVERY_SECONDS:
            said = time.monotonic()
            _say(client, most_spooled)
        return stats

    for number in range(events):
        client.capture_event(endpoint="/orders", metadata={"n": number})
        if number % 200 == 0:
            while look().queued_bytes > PACE_BYTES:
                time.sleep(0.005)
    give_up = time.monotonic() + DRAIN_SECONDS
    while (stats := look()).delivered < events and time.monotonic() < give_up:
        client.flush(1)
        time.sleep(0.05)
    assert stats.captured == events
    client.close()
    _say(client, most_spooled)
    return 0 if client.stats().delivered == events else 1


def _say(client: ReplayStackClient, most_spooled: int) -> None:
    stats = client.stats()
    dropped = sum(stats.dropped.values())
    print(
        f"captured={stats.captured} delivered={stats.delivered} queued={stats.queued} spooled={stats.spooled}"
        f" dropped={dropped} most_spooled={most_spooled} rss={peak_rss_bytes()}",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
