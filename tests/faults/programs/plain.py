"""A script: captures six events in the main thread, ends."""

from __future__ import annotations

from tests.faults.work import Work

if __name__ == "__main__":
    work = Work()
    work.guard_signals()
    for number in range(6):
        work.capture(f"plain-{number}", large=number % 3 == 0)
    work.ready()
    work.wait_for_go()
    work.end()
