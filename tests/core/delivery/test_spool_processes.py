"""Spools of real processes: killed, racing for the same orphans, forked."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.spools import Bench, files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def child(root: Path, mode: str, *words: object) -> Iterator[subprocess.Popen[str]]:
    """Start `spool_child`; it is gone when the block ends."""
    command = [sys.executable, "-m", "tests.core.delivery.spool_child", mode, *map(str, words)]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> list[str]:
    """Return the words of the next line that the child says."""
    assert process.stdout is not None
    words = process.stdout.readline().split()
    assert words, "the child ended"
    return words


def tell(process: subprocess.Popen[str]) -> None:
    """Let the child go on."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def killed(process: subprocess.Popen[str]) -> list[str]:
    """Kill the child and return all that it still said, but for a last line that it did not finish."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    return process.stdout.read().rpartition("\n")[0].splitlines()


@pytest.mark.parametrize("lines", [1, 2, 40, 700])
def test_kill_9_loses_nothing_that_was_appended(tmp_path: Path, root: Path, lines: int) -> None:
    """All events that `append` had answered for are there, in order, each once; perhaps one batch more."""
    with child(root, "append", tmp_path / "spool", 0) as process:
        said = [line(process) for _ in range(lines)]
        more = killed(process)
    promised = int(more[-1]) if more else int(said[-1][0])
    heir = Bench(tmp_path / "spool")
    count = heir.spool.adopt()
    assert promised <= count <= promised + 7
    assert heir.drain() == list(range(count))
    assert files(tmp_path / "spool") == []


def test_each_orphan_goes_to_exactly_one_process(tmp_path: Path, root: Path) -> None:
    """Six processes adopt at the same moment: together they have everything, no event twice."""
    directory = tmp_path / "spool"
    expected = []
    for number in range(60):
        bench = Bench(directory)
        bench.put(2 * number, 2 * number + 1)
        bench.die()
        expected += [2 * number, 2 * number + 1]
    with ExitStack() as stack:
        adopters = [stack.enter_context(child(root, "adopt", directory)) for _ in range(6)]
        for process in adopters:
            assert line(process) == ["ready"]
        for process in adopters:
            tell(process)
        shares = [list(map(int, line(process))) for process in adopters]
        assert all(share[0] == len(share) - 1 for share in shares)
        assert sorted(number for share in shares for number in share[1:]) == expected
        late = Bench(directory)
        assert late.spool.adopt() == 0
    assert late.spool.adopt() == 120  # they ended without settling: everything is an orphan again
    assert late.drain() == expected


def test_a_storm_of_kills_loses_nothing(tmp_path: Path, root: Path) -> None:
    """Processes that append, adopt, deliver and are killed at any moment, three at a time, 12 in all.

    What was on disk is delivered in the end, by whomever. Twice only what a process was delivering when
    it was killed: at most one batch for each kill, which the receiver tells by the event id.
    """
    directory, log = tmp_path / "spool", tmp_path / "delivered"
    promised: set[int] = set()
    with ExitStack() as stack:
        running: list[tuple[int, subprocess.Popen[str]]] = []
        for life in range(12):
            first = life * 1_000_000
            running.append((first, stack.enter_context(child(root, "work", directory, first, log))))
            if len(running) == 3:
                start, process = running.pop(0)
                said = [line(process)[0] for _ in range(1 + life % 4)]
                last = int((said + killed(process))[-1])
                promised.update(range(start, last))
        for start, process in running:
            last = int(([line(process)[0], *killed(process)])[-1])
            promised.update(range(start, last))
    heir = Bench(directory)
    rest: list[int] = []
    while heir.spool.adopt():
        rest += heir.drain()
    times = Counter([*map(int, log.read_text().split()), *rest])
    assert promised <= set(times)
    assert sum(count - 1 for count in times.values()) <= 12 * 8
    assert files(directory) == []
    # The system ends a write of who is killed between two pages, now and then: what nobody was promised is
    # torn off, told, and in nobody's way.
    assert all("torn off" in str(error) for error, _ in heir.reports), heir.reports


def test_a_forked_child_neither_sends_nor_frees_what_its_parent_has(tmp_path: Path, root: Path) -> None:
    """The parent's files stay locked while it lives, and are free when it ends, though the child lives on."""
    directory = tmp_path / "spool"
    with child(root, "fork", directory) as process:
        said = {(words := line(process))[0]: words[1:] for _ in range(2)}
        assert said == {"child": ["100"], "parent": ["1", "2", "3"]}
        other = Bench(directory)
        assert other.spool.adopt() == 0
        process.kill()  # the parent; its child waits for the end of stdin
        process.wait()
        assert other.spool.adopt() == 3
        assert other.drain() == [1, 2, 3]
        assert process.stdin is not None
        process.stdin.close()
        assert process.stdout is not None
        assert process.stdout.read() == ""  # the child has ended


def test_a_program_that_is_started_inherits_no_lock(tmp_path: Path) -> None:
    """`subprocess` takes no descriptor of the spool along, so a daemon started here keeps no file locked."""
    bench = Bench(tmp_path / "spool")
    bench.put(1)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as sleeper:
        bench.die()
        heir = Bench(tmp_path / "spool")
        assert heir.spool.adopt() == 1
        assert sleeper.poll() is None
        assert sleeper.stdin is not None
        sleeper.stdin.close()
