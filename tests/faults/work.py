"""The application's side of a cell: what every program in `programs/` does, in its own way to run.

It makes a client, captures, says line by line what it did into the cell's pipe, and ends as it is told.
A line is one write of less than PIPE_BUF bytes: whole, in order, and there even if the process is killed
at once afterwards.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from tests.faults.cells import Cell

import replaystack
from replaystack import ReplayStackClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from replaystack.delivery import Stats

__all__ = ["Work"]

HANG_GUARD_SECONDS = 40.0
LARGE = {"note": "a large body, " * 500}
"""More than the 4 kB that the receiver of the 413 cells takes."""


class OwnError(Exception):
    """What the application itself raises in the cells that end with an exception."""


class Work:
    """One process's part of a cell. In a forked child the same object goes on under the child's pid."""

    def __init__(self) -> None:
        self.plan: dict[str, Any] = json.loads(os.environ["FAULTS_PLAN"])
        self.cell: Cell = Cell(**self.plan["cell"])
        self._pipe = os.open(self.plan["pipe"], os.O_WRONLY)
        self._surprises: list[str] = []
        # Before the client: handlers run in the opposite order, so this one sees what the flush left.
        atexit.register(self._say_last_account)
        self.client: ReplayStackClient = ReplayStackClient(
            on_error=lambda error: self.say("error", text=type(error).__name__), **self.plan["options"]
        )

    def say(self, what: str, **more: Any) -> None:
        """Write one line for the harness."""
        line = json.dumps({"pid": os.getpid(), "say": what, **more}) + "\n"
        os.write(self._pipe, line.encode())

    # -- capturing ------------------------------------------------------------------------------

    def capture(self, mark: str, *, large: bool = False) -> None:
        """Log and capture, to be told by `mark`, and note whether the application felt it."""
        self.log(mark)
        before = time.monotonic()
        try:
            answer: object = self.client.capture_event(
                endpoint=f"/task/{mark}", request_payload=LARGE if large else {"mark": mark}
            )
        except BaseException as error:
            self._surprises.append(f"capture_event raised {error!r}")
            raise
        if answer is not None:
            self._surprises.append(f"capture_event returned {answer!r}")
        if time.monotonic() - before > HANG_GUARD_SECONDS:
            self._surprises.append("capture_event took too long")
        self.captured(mark)

    def log(self, mark: str) -> None:
        """Log one entry that can be told by `mark`, and note whether the application felt it.

        Before its event, which takes it along where nobody takes it by itself. Where a kill must not
        lose it, it returns once that is so: an entry is never written inside of its call.
        """
        before = time.monotonic()
        try:
            self.client.log.info(f"about to capture {mark}", mark=mark)
        except BaseException as error:
            self._surprises.append(f"log.info raised {error!r}")
            raise
        if time.monotonic() - before > HANG_GUARD_SECONDS:
            self._surprises.append("log.info took too long")
        if self.cell.has_spool and self.cell.is_unannounced:
            self.wait_for(lambda: is_safe(self.client.stats().logs), "every log entry to be on disk")

    def captured(self, mark: str) -> None:
        """Say that `mark` is the SDK's now; where a kill must not lose it, only once it is safe."""
        self.until_safe()
        self.say("mark", mark=mark, stats=stats_of(self.client))

    def until_safe(self) -> None:
        """With a spool and an end without notice: wait until the account says that nothing can be lost.

        Not for `sync`: there a captured event is on disk when the call returns.
        """
        if not (self.cell.has_spool and self.cell.is_unannounced) or self.cell.durability == "sync":
            return
        self.wait_for(lambda: is_safe(self.client.stats()), "everything to be on disk")

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Look every few milliseconds; a cell that waits too long fails by name."""
        give_up = time.monotonic() + HANG_GUARD_SECONDS
        while not condition():
            if time.monotonic() > give_up:
                self.say("surprise", text=f"waited in vain for {what}: {self.client.stats()}"[:2000])
                raise TimeoutError(what)
            time.sleep(0.005)

    # -- ending ---------------------------------------------------------------------------------

    def account(self, when: str) -> None:
        """Say what the ledger holds now, and what the application felt until now."""
        stats = stats_of(self.client)
        self.say("stats", when=when, stats=stats)
        for surprise in self._surprises:
            self.say("surprise", text=surprise[:2000])
        self._surprises.clear()

    def ready(self) -> None:
        """Say that this process has captured its share."""
        self.account("captured")
        self.say("ready")

    def guard_signals(self) -> None:
        """Do what an application without a server does, so that SIGTERM flushes."""
        if self.cell.ending == "SIGTERM":
            replaystack.install_replaystack_process_guards(
                self.client,
                uncaught_exception=False,
                thread_exception=False,
                unraisable_exception=False,
                asyncio_unhandled_rejection=False,
            )

    def wait_for_go(self) -> None:
        """Block until the harness writes a line to stdin."""
        sys.stdin.readline()

    def end(self) -> None:
        """End this process as the cell says. Returns for `return` only."""
        self.account("end")
        self.say("ending")
        ending = self.cell.ending
        if ending == "sys.exit":
            sys.exit(3)
        if ending == "exception":
            raise OwnError("the application's own error")
        if ending == "os._exit":
            self.end_at_once()
        if ending in {"SIGTERM", "kill-9"}:
            while True:  # in short sleeps: a signal just before one is only seen after it
                time.sleep(0.05)

    def end_at_once(self) -> NoReturn:
        """End without notice; nothing of Python runs any more."""
        os._exit(7)

    def in_forked_child(self) -> None:
        """See to the last account of a child that multiprocessing forked: atexit does not run there."""
        from multiprocessing import util

        # The lowest comes last: behind the SDK's own flush.
        util.Finalize(None, self._say_last_account, exitpriority=-1000)

    def _say_last_account(self) -> None:
        """Say the last account, after the SDK's own flush at exit."""
        try:
            self.account("exit")
        except OSError:  # the harness is gone: nobody to tell
            pass


def is_safe(stats: Stats | None) -> bool:
    """Tell whether an account says that nothing in it can be lost any more."""
    assert stats is not None
    safe = stats.delivered + stats.carried + stats.spooled + sum(stats.dropped.values())
    return stats.encode_lag_seconds == 0 and safe == stats.captured + stats.adopted


def stats_of(client: ReplayStackClient) -> dict[str, Any]:
    """Return the account as JSON can carry it."""
    return _as_json(client.stats())


def _as_json(stats: Stats) -> dict[str, Any]:
    values = {field: getattr(stats, field) for field in stats.__dataclass_fields__}
    logs = values.pop("logs")
    return {
        **{name: dict(value) if name in {"dropped", "skipped"} else value for name, value in values.items()},
        "logs": logs and _as_json(logs),
    }
