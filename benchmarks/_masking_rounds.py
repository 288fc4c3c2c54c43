"""Rounds: each times every contender of every case once, in an order of its own, and gives one ratio.

Ratios are taken within a round, between passes that ran next to each other, and the median of them counts: a
machine that is busy for a while slows both sides of a ratio. Time is the processor's, not the clock's.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks._masking_cases import Case, Work

__all__ = ["Figures", "run_rounds"]

_PASS_SECONDS: Final = 0.003  # shorter passes are repeated: far above what reading the time costs


@dataclass(slots=True)
class Figures:
    """The seconds per item of each contender, round by round."""

    work: Work
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def microseconds(self, contender: str) -> float:
        """Return the median time for one item."""
        return statistics.median(self.seconds[contender]) * 1e6

    def ratios(self, contender: str) -> list[float]:
        """Return the contender's time by the first floor's, of each round, in ascending order."""
        floor = self.seconds[next(iter(self.work.floors))]
        return sorted(own / base for own, base in zip(self.seconds[contender], floor, strict=True))

    def ratio(self, contender: str) -> float:
        """Return the median of the rounds' ratios."""
        return statistics.median(self.ratios(contender))


def run_rounds(cases: Sequence[Case], works: Mapping[str, Work], seed: int) -> dict[str, Figures]:
    """Time the cases; `works` holds each one prepared, by name."""
    chance = random.Random(seed)  # noqa: S311 - an order, nothing else
    figures = {case.name: Figures(works[case.name]) for case in cases}
    passes = {case.name: works[case.name].floors | works[case.name].backends for case in cases}
    repeats = {name: {who: _repeats(run) for who, run in runs.items()} for name, runs in passes.items()}
    gc.collect()
    # The collector runs, as it does in an application, but not over the corpora. They stay until the end.
    gc.freeze()
    for number in range(max((case.rounds for case in cases), default=0)):
        for case in chance.sample(cases, len(cases)):
            if number >= case.rounds:
                continue
            contenders = list(passes[case.name])
            for who in chance.sample(contenders, len(contenders)):
                taken = _seconds(passes[case.name][who], number, repeats[case.name][who])
                items = works[case.name].items / works[case.name].parts
                figures[case.name].seconds.setdefault(who, []).append(taken / items)
    return figures


def _seconds(run: Callable[[int], object], number: int, repeats: int) -> float:
    """Return the processor time of one pass."""
    started = time.process_time()
    for _ in range(repeats):
        run(number)
    return (time.process_time() - started) / repeats


def _repeats(run: Callable[[int], object]) -> int:
    """Return how many passes make one measurement."""
    taken = _seconds(run, 0, 1)
    if taken < _PASS_SECONDS:
        taken = _seconds(run, 0, 1)  # the first pass also warmed up
    return max(1, round(_PASS_SECONDS / max(taken, 1e-9)))
