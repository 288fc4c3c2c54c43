"""Check that the public types of every distribution are complete: `pyright --verifytypes`.

A user's type checker sees only what the packages declare, so one symbol without a type makes everything
after it `Any`. pyright comes from the package index with its program inside; it needs node to run. Where
there is no node, this says so in one line and succeeds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = (
    "replaystack",
    "replaystack_django",
    "replaystack_fastapi",
    "replaystack_flask",
    "replaystack_sdk",
    "replaystack_server",
)


def complaints(package: str) -> list[str]:
    """Return one line per public symbol of `package` whose type is missing, unknown or ambiguous."""
    command = [sys.executable, "-m", "pyright", "--verifytypes", package, "--ignoreexternal", "--outputjson"]
    # With --verifytypes, pyright ignores --pythonpath and asks the first `python` on PATH for its packages.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    try:
        report: dict[str, Any] = json.loads(done.stdout)["typeCompleteness"]
    except (ValueError, KeyError):
        return [f"{package}: pyright gave no report: {(done.stdout + done.stderr).strip()[:500]}"]
    if not report["modules"]:  # otherwise a package that pyright cannot find would pass
        return [f"{package}: pyright found no module, or no py.typed"]
    incomplete = [s for s in report["symbols"] if s["isExported"] and not s["isTypeKnown"]]
    lines = [f"{s['name']}: {d['message']}" for s in incomplete for d in s["diagnostics"]]
    return lines or [f"{s['name']}: its type is not known" for s in incomplete]


def main() -> int:
    """Check all packages; 1 when anything is incomplete."""
    if shutil.which("node") is None:
        print("public types: SKIPPED, pyright needs node and there is none on PATH")
        return 0
    found = [line for package in PACKAGES for line in complaints(package)]
    for line in found:
        print(line)
    print(f"public types: {len(found)} incomplete in {len(PACKAGES)} packages")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
