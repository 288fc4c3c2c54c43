"""The matrix: in each cell, what the application and the receiver see is what README.md promises."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.faults.cells import Cell, all_cells
from tests.faults.selection import pairwise, shard
from tests.faults.stage import Run, play
from tests.faults.verdict import complaints

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 4
"""Cells that are played at the same time: most of their time they wait for a bound to be over."""

CELLS = all_cells() if os.environ.get("FAULTS") == "all" else pairwise(all_cells())
SELECTED = shard(CELLS, os.environ.get("SHARD"))


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Run]]]:
    """Play the cells of this session, in the order of the tests, some at once."""
    folder = tmp_path_factory.mktemp("cells")
    asked = [
        item.callspec.params["cell"]
        for item in request.session.items
        if hasattr(item, "callspec") and isinstance(item.callspec.params.get("cell"), Cell)
    ]
    executor = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="cell")
    try:
        yield {cell.id: executor.submit(play, cell, folder / cell.id.replace("/", "_")) for cell in asked}
    finally:
        executor.shutdown(cancel_futures=True)


@pytest.mark.xdist_group("faults")  # each process of a parallel run would play all cells
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watching processes that are not ours needs Linux")
@pytest.mark.parametrize("cell", SELECTED, ids=lambda cell: cell.id)
def test_cell(cell: Cell, runs: dict[str, Future[Run]]) -> None:
    """The promise of the cell holds: events, ledger, exit, stderr; the application noticed nothing."""
    found = complaints(runs[cell.id].result())
    assert not found, "\n".join(found)
