"""Run every benchmark beside this file, one child process each: `python -m benchmarks [name ...]`.

A benchmark is a script that prints its figures with their units, and exits with a status other than 0
when a bound that the project promises was missed. New ones are found by being here.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main() -> int:
    """Run the benchmarks named on the command line, or all; 1 if any of them failed."""
    found = {path.stem: path for path in sorted(FOLDER.glob("[!_]*.py"))}
    unknown = [name for name in sys.argv[1:] if name not in found]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(found) or 'none yet'}")
        return 2
    failed: list[str] = []
    for name in sys.argv[1:] or list(found):
        print(f"== {name}", flush=True)
        started = time.monotonic()
        module = [sys.executable, "-m", f"benchmarks.{name}"]
        if subprocess.run(module, cwd=FOLDER.parent, check=False).returncode != 0:
            failed.append(name)
        print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
