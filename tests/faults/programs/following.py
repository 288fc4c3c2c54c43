"""The next process: a spool of its predecessors, a receiver that is up; captures one event, ends."""

from __future__ import annotations

from tests.faults.work import Work


def run() -> None:
    """Capture one event; wait until it and all that was left are delivered."""
    work = Work()
    work.capture("following")

    def is_done() -> bool:
        stats = work.client.stats()
        return all(one and one.queued == one.in_flight == one.spooled == 0 for one in (stats, stats.logs))

    work.wait_for(lambda: work.client.flush(5) and is_done(), "the spool to be empty")
    work.ready()


if __name__ == "__main__":
    run()
