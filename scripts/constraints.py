"""Write `constraints.txt`: one version of everything, for every supported Python at once.

    .venv/bin/python scripts/constraints.py python3.10 python3.11 python3.12 python3.13

Asks the pip of each interpreter named what it would install today for `requirements-dev.txt`, without
installing it, and writes names and versions only. Where a newest release has dropped an older Python,
that Python keeps the last one that fits, behind an environment marker.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

HEADER = """\
# Names and versions of everything `requirements-dev.txt` brings, for Python {oldest} to {newest}.
# Written by scripts/constraints.py; read by scripts/bootstrap.py.
"""


def resolve(interpreter: str, folder: Path) -> tuple[str, dict[str, str]]:
    """Return the interpreter's "3.x" and what its pip chooses. Blocks for up to a minute; needs an index."""
    subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    minor = subprocess.run(
        [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    report = folder / "report.json"
    command = [str(python), "-m", "pip", "install", "--quiet", "--dry-run", "--report", str(report)]
    subprocess.run([*command, "-r", "requirements-dev.txt"], cwd=ROOT, check=True)
    chosen: dict[str, str] = {}
    for item in json.loads(report.read_text(encoding="utf-8"))["install"]:
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        if not name.startswith("replaystack"):
            chosen[name] = item["metadata"]["version"]
    return minor, chosen


def merge(resolved: dict[str, dict[str, str]]) -> list[str]:
    """Return the lines: one per name, or one per range of Pythons where they differ."""
    minors = sorted(resolved, key=_minor_number)
    lines: list[str] = []
    for name in sorted({name for chosen in resolved.values() for name in chosen}):
        ranges: list[tuple[str, str, str]] = []  # version, first Python, last Python
        for minor in minors:
            version = resolved[minor].get(name)
            if version is None:
                continue
            if ranges and ranges[-1][0] == version:
                ranges[-1] = (version, ranges[-1][1], minor)
            else:
                ranges.append((version, minor, minor))
        for position, (version, first, last) in enumerate(ranges):
            marks = [f'python_version >= "{first}"'] if position > 0 else []
            if position < len(ranges) - 1:
                marks.append(f'python_version < "3.{_minor_number(last) + 1}"')
            lines.append(f"{name}=={version}" + (f"; {' and '.join(marks)}" if marks else ""))
    return lines


def _minor_number(minor: str) -> int:
    return int(minor.partition(".")[2])


def main() -> int:
    """Resolve for every interpreter on the command line, then write the file."""
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    resolved: dict[str, dict[str, str]] = {}
    for interpreter in sys.argv[1:]:
        print(f"resolving for {interpreter} ...", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            minor, chosen = resolve(interpreter, Path(folder))
        resolved[minor] = chosen
    minors = sorted(resolved, key=_minor_number)
    lines = merge(resolved)
    header = HEADER.format(oldest=minors[0], newest=minors[-1])
    (ROOT / "constraints.txt").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} lines for Python {', '.join(minors)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
