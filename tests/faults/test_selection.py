"""The matrix itself: its cells, those that are played every day, and the truth of README.md."""

from __future__ import annotations

import itertools
import random
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.faults.cells import AXES, GONE, IMPOSSIBLE, RECEIVING, STUMBLING, UNANNOUNCED, Cell, all_cells
from tests.faults.promises import PROMISES, promise
from tests.faults.selection import pairs_of, pairwise, shard

README = Path(__file__).with_name("README.md").read_text(encoding="utf-8")


def _table(heading: str) -> list[list[str]]:
    """Return the rows of the first table below `heading`, without its head."""
    lines = README.split(f"## {heading}\n", 1)[1].splitlines()
    rows = itertools.takewhile(
        lambda line: line.startswith("|"), itertools.dropwhile(lambda line: not line.startswith("|"), lines)
    )
    return [[field.strip() for field in row.strip("|").split("|")] for row in rows][2:]


def test_every_possible_pair_of_values_is_in_the_daily_cells() -> None:
    """Pairwise: what two axes can do together is tried in some cell of `make test`."""
    chosen = pairwise(all_cells())
    assert set().union(*map(pairs_of, chosen)) == set().union(*map(pairs_of, all_cells()))
    assert len(chosen) < 100
    assert len({cell.id for cell in chosen}) == len(chosen)


def test_the_daily_cells_are_the_same_in_every_run() -> None:
    """The same names each time: a name in a report can be run again."""
    assert pairwise(all_cells()) == pairwise(list(all_cells()))


def test_a_cell_that_is_the_only_one_with_a_pair_is_chosen() -> None:
    """The selection is not a sample: take away any chosen cell's rivals, and it must be chosen."""
    chance = random.Random(5)
    for _ in range(20):
        some = chance.sample(all_cells(), 40)
        assert set().union(*map(pairs_of, pairwise(some))) == set().union(*map(pairs_of, some))


@pytest.mark.parametrize("count", [1, 3, 7])
def test_shards_are_all_of_it_and_share_nothing(count: int) -> None:
    """`SHARD=i/n` for every i: each cell once."""
    cells = all_cells()
    parts = [shard(cells, f"{index}/{count}") for index in range(1, count + 1)]
    assert sorted(cell.id for part in parts for cell in part) == sorted(cell.id for cell in cells)


@pytest.mark.parametrize("wrong", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_a_shard_that_does_not_exist_is_refused(wrong: str) -> None:
    """A typing error must not pass as a green run of nothing."""
    with pytest.raises(ValueError, match="SHARD must be"):
        shard(all_cells(), wrong)


def test_what_is_left_out_is_left_out_by_a_rule_with_a_reason() -> None:
    """Every rule excludes something, says why, and stands in README.md; all else is there."""
    everything = [Cell(*values) for values in itertools.product(*AXES)]
    for rule in IMPOSSIBLE:
        assert any(map(rule.excludes, everything)), rule.name
        assert rule.reason
        assert f"**{rule.name}**" in README
    excluded = [cell for cell in everything if any(rule.excludes(cell) for rule in IMPOSSIBLE)]
    assert len(all_cells()) + len(excluded) == len(everything)


def test_the_readme_says_what_each_promise_means() -> None:
    """The table of promises is the one that the tests use, word for word."""
    yes = {True: "yes", False: "no"}
    told = {name.strip("*"): rest[:4] for name, *rest in _table("What a promise means")}
    held = {
        name: [one.arrives, yes[one.line], yes[one.kept], yes[one.repeats]] for name, one in PROMISES.items()
    }
    assert told == held
    assert all(len(asdict(one)) == 4 for one in PROMISES.values())  # a new field needs a column


def test_the_readme_says_which_promise_holds_in_each_cell() -> None:
    """For every cell, the one row that fits names the promise that its test holds it to."""
    receivers = {"steady": set(RECEIVING) - GONE - STUMBLING, "stumbling": STUMBLING, "gone": GONE}
    rows = _table("Which promise holds")
    for cell in all_cells():
        kind = next(name for name, members in receivers.items() if cell.receiving in members)
        end = "without notice" if cell.ending in UNANNOUNCED else "in order"
        fitting = [
            name.strip("*")
            for receiver, ending, storing, name in rows
            if receiver == kind and ending in {"any", end} and storing in {"any", cell.storing}
        ]
        assert fitting == [promise(cell)], cell.id


def test_every_promise_is_given_somewhere() -> None:
    """A promise that no cell holds anybody to is none."""
    assert {promise(cell) for cell in all_cells()} == set(PROMISES)
