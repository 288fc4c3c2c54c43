"""`RESULTS.md`: one section per benchmark, between markers, so that each rewrites its own and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

__all__ = ["RESULTS", "write_section"]

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
_TITLE: Final = "# Results\n\nEach section is written by the benchmark that it names, with `--write`.\n"


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
