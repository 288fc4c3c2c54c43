"""A process with a spool, for tests that end processes: `python -m ...spool_child MODE DIRECTORY ...`.

It says what it did on stdout, one line at a time, and does the next thing when stdin says so (or at
once, where the mode says so). What it says is what it promised: a test that kills it holds it to that.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.core.delivery.spools import Bench


def say(*words: object) -> None:
    """Write one line, past all buffers."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def append(bench: Bench, first: str) -> None:
    """Append batches of 1 to 7 events for ever; say the number after the last one that is on disk."""
    number = int(first)
    while True:
        size = 1 + number % 7
        assert bench.put(*range(number, number + size), padding=number % 900) == size
        number += size
        say(number)


def adopt(bench: Bench) -> None:
    """Wait for a line, adopt, say what came in, and hold it until the next line."""
    say("ready")
    sys.stdin.readline()
    count = bench.spool.adopt()
    say(count, *bench.peek(100_000))
    sys.stdin.readline()


def work(bench: Bench, first: str, log: str) -> None:
    """Append, adopt, deliver (a line in `log`), settle, for ever; say what is on disk."""
    number = int(first)
    delivered = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    while True:
        assert bench.put(*range(number, number + 10), padding=number % 3000) == 10
        number += 10
        say(number)
        bench.spool.adopt()
        found = bench.peek(8)
        os.write(delivered, "".join(f"{item}\n" for item in found).encode())
        bench.spool.settle(len(found))


def fork(bench: Bench) -> None:
    """Append and fork; the child forgets and lives until the end of stdin, the parent until it is killed."""
    bench.put(1, 2, 3)
    if os.fork() == 0:
        bench.spool.forget()
        assert bench.spool.events == 0
        bench.put(100)
        say("child", *bench.peek())
        bench.spool.settle(1)
        sys.stdin.read()
        os._exit(0)
    say("parent", *bench.peek())
    signal.pause()


MODES = {function.__name__: function for function in (append, adopt, work, fork)}

if __name__ == "__main__":
    MODES[sys.argv[1]](Bench(Path(sys.argv[2])), *sys.argv[3:])
