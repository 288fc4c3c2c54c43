"""Which cells a run takes: pairwise for every day, all of them for `make faults`, or a shard of either."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.cells import Cell

__all__ = ["Pair", "pairs_of", "pairwise", "shard"]

Pair = tuple[str, str]


def _values(cell: Cell) -> tuple[str, str, str, str]:
    return (
        f"running {cell.running}",
        f"ending {cell.ending}",
        f"receiving {cell.receiving}",
        f"storing {cell.storing}",
    )


def pairs_of(cell: Cell) -> set[Pair]:
    """Return the pairs of values of two axes that stand together in `cell`."""
    return set(itertools.combinations(_values(cell), 2))


def pairwise(cells: Sequence[Cell]) -> list[Cell]:
    """Return few of `cells` such that every pair that any of them holds is in one that is returned.

    Greedy, so not the fewest there could be: again and again the cell that covers most of what is still
    missing. Of equals, the one whose values were chosen least so far, then the earliest: no chance
    anywhere, so that a name in a report is a name in the next run.
    """
    missing = set().union(*map(pairs_of, cells)) if cells else set()
    chosen: list[Cell] = []
    uses: dict[str, int] = {}
    while missing:
        best = max(cells, key=lambda cell: (len(pairs_of(cell) & missing), -_weight(cell, uses)))
        missing -= pairs_of(best)
        chosen.append(best)
        for value in _values(best):
            uses[value] = uses.get(value, 0) + 1
    return chosen


def _weight(cell: Cell, uses: dict[str, int]) -> int:
    return sum(uses.get(value, 0) for value in _values(cell))


def shard(cells: Sequence[Cell], which: str | None) -> list[Cell]:
    """Return the part `which` ("2/4": the second of four) of `cells`; all of them for None or "".

    Every n-th one, so that slow ways to run are spread evenly.

    Raises:
        ValueError: `which` is not of that form.

    """
    if not which:
        return list(cells)
    index, _, count = which.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise ValueError(f"SHARD must be i/n with 1 <= i <= n: got {which!r}")
    return list(cells)[int(index) - 1 :: int(count)]
