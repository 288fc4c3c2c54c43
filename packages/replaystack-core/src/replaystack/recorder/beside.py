"""Blocking work beside an event loop, on a thread that neither the loop nor its end waits for."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["beside_the_loop"]

T = TypeVar("T")


async def beside_the_loop(work: Callable[[], T]) -> T:
    """Run `work` on a daemon thread and return what it returns, or raise what it raises.

    Not in the loop's default executor: the application may have filled that, and `asyncio.run`
    waits for it at its end, so that a cancelled flush would still hold the end up. Where the
    interpreter gives no new thread any more, the loop itself has to wait; that is bounded too.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # a T where there is no error

    def run() -> None:
        result, failure = None, None
        try:
            result = context.run(work)
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:  # the loop was closed: nobody awaits any more
            pass

    try:
        threading.Thread(target=run, name="replaystack-flush", daemon=True).start()
    except RuntimeError:  # at the interpreter's end, or at a limit of threads
        return work()
    return await done
