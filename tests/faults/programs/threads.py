"""Four threads capture at once, and are alive, waiting, when the main thread ends."""

from __future__ import annotations

import threading

from tests.faults.work import Work


def run() -> None:
    """Capture two events in each of four threads, then end."""
    work = Work()
    work.guard_signals()
    together = threading.Barrier(4)
    done = threading.Barrier(5)
    never = threading.Event()

    def capture(name: int) -> None:
        together.wait()
        for number in range(2):
            work.capture(f"thread-{name}-{number}", large=number == name % 3)
        done.wait()
        never.wait()

    for name in range(4):
        threading.Thread(target=capture, args=(name,), daemon=True).start()
    done.wait()
    work.ready()
    work.wait_for_go()
    work.end()


if __name__ == "__main__":
    run()
