"""A process that writes numbered lines into domain files: `python -m tests.core.domains.writing ...`."""

from __future__ import annotations

import os
import sys
import threading
import time

from replaystack.logs import LogEntry
from replaystack.logs.domains import configure_domains


def entry(message: str, *, logger: str = "agents", level: str = "info", **parts: object) -> LogEntry:
    """Return an entry of now."""
    return LogEntry("id", time.time(), level, message, logger, **parts)  # type: ignore[arg-type]  # a test's own


def write(folder: str, lines: int, max_bytes: int, backup_count: int, mark: str) -> None:
    """Write from two threads, wait for the word to go first."""
    sink = configure_domains(
        folder, console=False, max_bytes=max_bytes, backup_count=backup_count, format="json"
    )
    sink.path_of("agents")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()

    def run(thread: int) -> None:
        for number in range(thread, lines, 2):
            sink.emit(entry("x" * (number % 97), fields={"mark": mark, "number": number}))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sink.wait(120)
    if os.environ.get("DIE"):
        os.kill(os.getpid(), 9)


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
