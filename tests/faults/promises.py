"""What the SDK promises in each cell. README.md says the same as a table; a test compares the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from tests.faults.cells import Cell

__all__ = ["PROMISES", "Promise", "promise"]

Arrival = Literal["all", "some", "none"]


@dataclass(frozen=True, slots=True)
class Promise:
    """What must be true of the events of a process that ended as its cell says."""

    arrives: Arrival
    """Which events the receiver has when the process is gone: each of them once, in every case."""
    line: bool = False
    """Exactly one line on stderr with the exact number, if the number is not 0. Else no line at all."""
    kept: bool = False
    """The next process delivers what is missing, and leaves nothing on disk."""
    repeats: bool = False
    """An event may be sent again, under the same id, because its acknowledgement died with the process."""


PROMISES: Final = {
    "delivered": Promise("all"),
    "delivered or kept": Promise("some", kept=True, repeats=True),
    "kept": Promise("none", kept=True),
    "cut off": Promise("some"),
    "cut off, kept": Promise("some", kept=True, repeats=True),
    "lost, counted": Promise("none", line=True),
    "lost, unseen": Promise("none"),
}


def promise(cell: Cell) -> str:
    """Return the name of what the SDK promises in `cell`: a key of `PROMISES`."""
    if cell.is_unannounced:
        if cell.has_spool:
            return "kept" if cell.is_gone else "cut off, kept"
        return "lost, unseen" if cell.is_gone else "cut off"
    if not cell.is_gone:
        # An exit does not wait for the end of an outage once the events are on disk.
        return "delivered or kept" if cell.has_spool and cell.stumbles else "delivered"
    return "kept" if cell.has_spool else "lost, counted"
