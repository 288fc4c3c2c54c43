"""Ingest a large JSONL file by the command line into a real server, and tell what it cost.

`python -m benchmarks.ingestion --lines 1000000`: seconds, logs per second, and the peak memory of the
sending process, beside that of the same command on a file of a thousandth of the lines.
`--write` puts the table into `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._results import RESULTS, commit, machine, write_section

__all__ = ["measure"]

_BIN = Path(sys.executable).parent
_SERVE = [str(_BIN / "replaystack-server"), "--port", "0", "--json"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/RESULTS.md")
    options = parser.parse_args()
    lines = options.lines
    rows: list[str] = []
    with tempfile.TemporaryDirectory(prefix="replaystack-") as directory:
        folder = Path(directory)
        server = subprocess.Popen(
            [*_SERVE, "--db", str(folder / "logs.sqlite3")], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            told = json.loads(server.stdout.readline())
            for count in (max(1000, lines // 1000), lines):
                file = folder / f"{count}.jsonl"
                write_lines(file, count)
                seconds, peak_mib = measure(file, told["url"], told["ingest_key"], count)
                size = file.stat().st_size / 2**20
                print(
                    f"{count:>9} lines, {size:7.1f} MiB: {seconds:7.1f} s, {count / seconds:7.0f}/s, "
                    f"peak memory of the sender {peak_mib:.0f} MiB",
                    flush=True,
                )
                figures = (
                    f"{size:.1f} MiB",
                    f"{seconds:.1f} s",
                    f"{count / seconds:.0f}",
                    f"{peak_mib:.0f} MiB",
                )
                rows.append(f"| {' | '.join((str(count), *figures))} |")
                file.unlink()
        finally:
            server.terminate()
            server.wait()
    if options.write:
        head = "| lines | file | time | logs/s | peak of the sender |\n| ---: | ---: | ---: | ---: | ---: |"
        note = (
            "`replaystack ingest` into `replaystack-server` beside it, each log masked on both sides, in the "
            f"full-text index and on disk before it counts. {machine()}, Python {platform.python_version()}, "
            f"commit {commit()}; method: `benchmarks/ingestion.py`."
        )
        table = "\n".join([head, *rows])
        write_section("ingestion", f"## Ingestion: JSON Lines by the command line\n\n{table}\n\n{note}")
        print(f"written: {RESULTS.name}")


def write_lines(file: Path, count: int) -> None:
    """Write a file of logs that differ, some with a secret in them."""
    with file.open("w") as out:
        for number in range(count):
            log = {
                "level": ("debug", "info", "warn", "error")[number % 4],
                "message": f"order {number} was checked in {number % 97} ms",
                "source": "shop",
                "environment": "production",
                "timestamp": 1_795_000_000_000 + number,
                "sessionId": f"session-{number % 1000}",
                "data": {"cart": number % 13, "password": f"hunter{number}", "path": f"/orders/{number}"},
            }
            out.write(json.dumps(log) + "\n")


def measure(file: Path, url: str, key: str, count: int) -> tuple[float, float]:
    """Run the command; return its seconds and the MiB that it held at most."""
    environment = {**os.environ, "REPLAYSTACK_ENDPOINT": url, "REPLAYSTACK_API_KEY": key}
    started = time.monotonic()
    child = subprocess.Popen(
        [str(_BIN / "replaystack"), "ingest", str(file), "--quiet"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    assert child.returncode == 0, said
    assert said.startswith(f"{count} logs in "), said
    return seconds, usage.ru_maxrss / 1024  # KiB on Linux


if __name__ == "__main__":
    main()
