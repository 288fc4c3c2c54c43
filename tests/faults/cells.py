"""The cells of the fault matrix: four axes, and the combinations that cannot exist, each with its reason."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AXES", "IMPOSSIBLE", "Cell", "Ending", "Receiving", "Rule", "Running", "Storing", "all_cells"]

Running = Literal[
    "plain",
    "threads",
    "asyncio",
    "gunicorn-preload",
    "gunicorn-gevent",
    "uvicorn-2-workers",
    "multiprocessing",
    "celery-prefork",
]
Ending = Literal["return", "sys.exit", "exception", "SIGTERM", "kill-9", "os._exit"]
Receiving = Literal[
    "up",
    "down-then-up",
    "refusing",
    "hanging",
    "dripping",
    "429-retry-after",
    "500-bursts",
    "413",
    "reset-mid-body",
    "rubbish",
]
Storing = Literal["none", "spool"]

RUNNING: Final[tuple[Running, ...]] = (
    "plain",
    "threads",
    "asyncio",
    "gunicorn-preload",
    "gunicorn-gevent",
    "uvicorn-2-workers",
    "multiprocessing",
    "celery-prefork",
)
ENDINGS: Final[tuple[Ending, ...]] = ("return", "sys.exit", "exception", "SIGTERM", "kill-9", "os._exit")
RECEIVING: Final[tuple[Receiving, ...]] = (
    "up",
    "down-then-up",
    "refusing",
    "hanging",
    "dripping",
    "429-retry-after",
    "500-bursts",
    "413",
    "reset-mid-body",
    "rubbish",
)
STORING: Final[tuple[Storing, ...]] = ("none", "spool")
AXES: Final = (RUNNING, ENDINGS, RECEIVING, STORING)

GONE: Final = frozenset({"refusing", "hanging", "dripping", "rubbish"})
"""Receivers that take nothing while the process lives; the others take everything in time."""
STUMBLING: Final = frozenset({"down-then-up", "429-retry-after", "500-bursts", "reset-mid-body"})
"""Receivers that take everything after some attempts that failed."""
SERVERS: Final = frozenset({"gunicorn-preload", "gunicorn-gevent", "uvicorn-2-workers"})
UNANNOUNCED: Final = frozenset({"kill-9", "os._exit"})
"""Endings that leave the process no moment to do anything."""

Durability = Literal["on_failure", "always", "sync"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination: how the application runs, how it ends, what the receiver does, what keeps events."""

    running: Running
    ending: Ending
    receiving: Receiving
    storing: Storing

    @property
    def id(self) -> str:
        """The name of the cell, also of its test."""
        return f"{self.running}/{self.ending}/{self.receiving}/{self.storing}"

    @property
    def is_gone(self) -> bool:
        """Whether the receiver takes nothing while the process lives."""
        return self.receiving in GONE

    @property
    def stumbles(self) -> bool:
        """Whether attempts fail before the receiver takes everything."""
        return self.receiving in STUMBLING

    @property
    def has_spool(self) -> bool:
        return self.storing == "spool"

    @property
    def is_unannounced(self) -> bool:
        """Whether the process gets no moment to do anything at its end."""
        return self.ending in UNANNOUNCED

    @property
    def _parity(self) -> int:
        return RUNNING.index(self.running) + ENDINGS.index(self.ending) + RECEIVING.index(self.receiving)

    @property
    def capabilities(self) -> str | None:
        """What the receiver advertises: half of the cells send single events, half batches and logs."""
        return "bulk, gzip, drops, logs" if self._parity % 2 else None

    @property
    def takes_logs(self) -> bool:
        """Whether log entries go to `/v1/logs`; else they travel inside of their events."""
        return self.capabilities is not None

    @property
    def durability(self) -> Durability:
        """Which of the three ways of spooling the cell uses. `sync` is about calls, not about exchanges."""
        ways: tuple[Durability, ...] = ("on_failure", "always", "sync")
        way = ways[self._parity % 3]
        return "always" if way == "sync" and self.running == "uvicorn-2-workers" else way


@dataclass(frozen=True, slots=True)
class Rule:
    """Combinations that are left out, and why nobody can ever be in them."""

    name: str
    reason: str
    excludes: Callable[[Cell], bool]


IMPOSSIBLE: Final = (
    Rule(
        "a server survives the exceptions of its application",
        "gunicorn and uvicorn answer an unhandled exception with a 500 and celery books a failed task: the"
        " process goes on, so an exception is no way to end there",
        lambda cell: cell.ending == "exception" and cell.running in {*SERVERS, "celery-prefork"},
    ),
    Rule(
        "uvicorn answers sys.exit with a 500",
        "uvicorn catches BaseException around the application, SystemExit too; its workers end by a signal or"
        " by their limit of requests only",
        lambda cell: cell.ending == "sys.exit" and cell.running == "uvicorn-2-workers",
    ),
)


def all_cells() -> list[Cell]:
    """Return every possible cell, always in the same order."""
    cells = (Cell(*values) for values in itertools.product(*AXES))
    return [cell for cell in cells if not any(rule.excludes(cell) for rule in IMPOSSIBLE)]
