"""multiprocessing: the parent captures two events, then has one child by fork and one by spawn.

The children end as the cell says; the parent waits for them and returns.
"""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

from tests.faults.work import Work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

inherited: Work | None = None
"""The parent's, in a forked child; None in a spawned one, which imports this module anew."""


def child(name: str, go: Connection) -> None:
    """Capture three events, wait for the word, end."""
    work = inherited
    if work is None:
        work = Work()
        work.guard_signals()
    else:
        work.in_forked_child()
    for number in range(3):
        work.capture(f"{name}-{number}", large=number == 1)
    work.ready()
    go.recv()
    work.end()


def run() -> None:
    """Be the parent."""
    global inherited  # noqa: PLW0603 - what a forked child finds, as in any application with a global client
    work = inherited = Work()
    work.guard_signals()
    for number in range(2):
        work.capture(f"parent-{number}")
    children = []
    for context in (multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")):
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=child, args=(context.get_start_method(), receiving))
        process.start()
        receiving.close()
        children.append((process, sending))
    work.ready()
    work.wait_for_go()
    for _, sending in children:
        sending.send("go")
    for process, _ in children:
        process.join()
        work.say("exitcode", child=process.pid, code=process.exitcode)
    work.account("end")


if __name__ == "__main__":
    run()
