"""`RESULTS.md`: one section per benchmark, between markers, so that each rewrites its own and no other."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["PICTURES", "RESULTS", "commit", "machine", "write_section"]

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
PICTURES: Final = RESULTS.parents[1] / "docs" / "images"
_TITLE: Final = "# Results\n\nEach section is written by the benchmark that it names, with `--write`.\n"


def commit() -> str:
    """Return the commit that is measured, short; with `+` if the tree holds more than it."""
    root = RESULTS.parents[1]
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        )
        changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changes.stdout.strip() else "")


def machine() -> str:
    """Return the processor's name and how many of it there are."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    name = found[1].strip() if found else platform.processor() or platform.machine()
    return f"{os.cpu_count()} x {name}"


def write_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace the section `name` of the file by `text` (Markdown), or add it at the end.

    Everything outside of the section stays byte for byte; the file is made if it does not exist.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    before = path.read_text(encoding="utf-8") if path.exists() else _TITLE
    found = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if found.search(before):
        after = found.sub(lambda _: section, before, count=1)
    else:
        after = f"{before.rstrip()}\n\n{section}\n"
    path.write_text(after, encoding="utf-8")
