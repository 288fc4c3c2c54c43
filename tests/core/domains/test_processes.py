"""Several processes that write into one folder, across rotations: no line is lost, and none is torn."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.core.domains.writing import entry

from replaystack.logs.domains import configure_domains

ROOT = Path(__file__).resolve().parents[3]
HANG_GUARD_SECONDS = 110
PROCESSES = 4
LINES = int(os.environ.get("DOMAIN_LINES", "4000"))
"""`DOMAIN_LINES=50000` plays the whole of it; docs/domains.md has the command."""


def read(folder: Path, domain: str) -> list[dict[str, Any]]:
    """Return every line of every file of a domain, parsed."""
    found = []
    for path in folder.iterdir():
        if re.fullmatch(rf"{domain}(@\d+)?\.log(\.\d+)?(\.gz)?", path.name):
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            assert data.endswith(b"\n")
            found += [json.loads(line) for line in data.splitlines()]
    return found


def start(folder: Path, mark: str, *, lines: int, max_bytes: int, die: bool = False) -> subprocess.Popen[str]:
    """Start a writer and wait until it is about to write."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **({"DIE": "1"} if die else {})}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.core.domains.writing",
            str(folder),
            str(lines),
            str(max_bytes),
            "999",
            mark,
        ],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def finish(process: subprocess.Popen[str]) -> int:
    """Give the word, and wait for the end."""
    process.communicate("go\n", timeout=HANG_GUARD_SECONDS)
    return process.returncode


@pytest.mark.checklist("O7", "O13")
def test_no_line_is_lost_or_torn(tmp_path: Path) -> None:
    """Four processes with two threads each, a set of files each, a score of rotations each."""
    max_bytes = LINES * 150 // 20
    processes = [
        start(tmp_path, str(number), lines=LINES, max_bytes=max_bytes) for number in range(PROCESSES)
    ]
    for process in processes:  # all at once
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=HANG_GUARD_SECONDS)
        assert process.returncode == 0
    written = Counter(
        (line["context"]["mark"], line["context"]["number"]) for line in read(tmp_path, "agents")
    )
    assert written == Counter((str(mark), number) for mark in range(PROCESSES) for number in range(LINES))
    names = {path.name for path in tmp_path.iterdir()}
    assert {"agents.log", "agents@1.log", "agents@2.log", "agents@3.log"} <= names
    rolled = [name for name in names if re.search(r"\.log\.\d+", name)]
    assert len(rolled) > PROCESSES * 10
    assert all(name.endswith(".gz") for name in rolled)
    assert not [name for name in names if name.endswith(".part")]


def test_a_killed_process_leaves_its_files_to_the_next(tmp_path: Path) -> None:
    """What was written is there; the next process goes on in the same files, behind a torn line too."""
    assert finish(start(tmp_path, "first", lines=100, max_bytes=10**6, die=True)) == -9
    with (tmp_path / "agents.log").open("ab") as file:
        file.write(b'{"half a li')
    assert finish(start(tmp_path, "second", lines=100, max_bytes=10**6)) == 0
    lines = (tmp_path / "agents.log").read_bytes().splitlines()
    assert lines[100] == b'{"half a li'
    marks = Counter(json.loads(line)["context"]["mark"] for line in lines[:100] + lines[101:])
    assert marks == {"first": 100, "second": 100}
    assert not list(tmp_path.glob("agents@*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
def test_a_forked_child_has_files_of_its_own(tmp_path: Path) -> None:
    """Parent and child write side by side; the parent's slot stays the parent's."""
    sink = configure_domains(tmp_path, console=False)
    sink.emit(entry("of the parent"))
    script = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.core.domains.writing import entry
from replaystack.logs.domains import configure_domains
sink = configure_domains({str(tmp_path / "forks")!r}, console=False)
sink.emit(entry("parent before"))
child = os.fork()
if child == 0:
    sink.emit(entry("child"))
    os._exit(0)
os.waitpid(child, 0)
sink.emit(entry("parent after"))
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=HANG_GUARD_SECONDS)
    own, child = (tmp_path / "forks" / "agents.log"), (tmp_path / "forks" / "agents@1.log")
    assert [line.rpartition(" - ")[2] for line in own.read_text().splitlines()] == [
        "parent before",
        "parent after",
    ]
    assert child.read_text().endswith(" - child\n")
