"""There are two roads to the disk: the spool's, for `Masked`, and the log files', for entries made masked."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import replaystack

CORE = Path(replaystack.__file__).parent

# What makes, opens or fills a file. `open` itself is looked for by the test of the choke point.
CALLS = {
    "FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "copy_file_range", "fdopen",
    "ftruncate", "link", "memfd_create", "mkstemp", "mmap", "open", "pwrite", "pwritev", "rename", "replace",
    "sendfile", "symlink", "truncate", "write", "write_bytes", "write_text", "writelines", "writev",
}  # fmt: skip
MODULES = {"dbm", "mmap", "shutil", "sqlite3", "tempfile", "zipfile"}

# Where, and what for. `os.replace` and the like share their names with methods of texts and dataclasses.
ALLOWED = {
    "delivery/segments.py": {"os.ftruncate", "os.open", "os.pwrite"},
    "guards/shutdown.py": {"os.write"},  # one line on stderr
    # The files of `configure_domains`: entries of the log, each masked when it was made.
    "logs/domains/compression.py": {"os.open", "os.write"},
    "logs/domains/rotation.py": {"os.open", "os.write", "path.replace"},
    "logs/domains/sink.py": {"file.write"},  # a `RotatingFile`
    "logs/domains/slots.py": {"os.open"},
}
OWNERS = {"os", "io", "pathlib", "logging", "handlers", "codecs", "gzip", "path", "file", "Path"}


def roads(source: str) -> set[str]:
    """Return what a module names of all that, as `owner.name`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in CALLS:
            owner = node.value.id if isinstance(node.value, ast.Name) else ast.unparse(node.value)
            last = owner.rpartition(".")[2].lstrip("_")
            if last in OWNERS or node.attr in {"write_text", "write_bytes"}:
                found.add(f"{last}.{node.attr}")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = {alias.name for alias in node.names}
            if node.module.partition(".")[0] in MODULES:
                found.add(node.module)
            if node.module in {"os", "io", "posix"}:
                found |= {f"os.{name}" for name in names & CALLS}
    return found


@pytest.mark.parametrize(
    "path", [path.relative_to(CORE).as_posix() for path in sorted(CORE.rglob("*.py"))], ids=str
)
def test_only_the_spool_writes_files(path: str) -> None:
    """No other module of core opens a file to write to; helpers of tests (`testing`) aside."""
    if not path.startswith("testing/"):
        assert roads((CORE / path).read_text(encoding="utf-8")) <= ALLOWED.get(path, set())


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.open('x', 1)",
        "from os import pwrite",
        "import tempfile",
        "def f(path):\n    path.write_text('x')",
        "self._path.open('w')",
        "logging.handlers.RotatingFileHandler('x')",
    ],
)
def test_roads_are_found(source: str) -> None:
    """The search can fail."""
    assert roads(source)
