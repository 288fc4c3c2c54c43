"""asyncio: three tasks capture while a fourth measures that the loop goes on turning."""

from __future__ import annotations

import asyncio
import time

from tests.faults.work import HANG_GUARD_SECONDS, Work


async def run() -> None:
    """Capture two events in each of three tasks, end inside the running loop."""
    work = Work()
    work.guard_signals()
    longest = 0.0

    async def turn() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - before)

    async def capture(name: int) -> None:
        for number in range(2):
            work.capture(f"task-{name}-{number}", large=number == name % 3)
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await asyncio.gather(*(capture(name) for name in range(3)))
    work.ready()
    await asyncio.to_thread(work.wait_for_go)
    if longest > HANG_GUARD_SECONDS:
        work.say("surprise", text=f"the loop stood still for {longest} s")
    turning.cancel()
    work.end()


if __name__ == "__main__":
    asyncio.run(run())
