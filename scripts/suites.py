"""The suite where it must hold as well: without the native wheel, and with it on other CPythons.

    .venv/bin/python scripts/suites.py absent [pytest arguments]     # the whole suite, no wheel installed
    .venv/bin/python scripts/suites.py pythons [pytest arguments]    # masking, one abi3 wheel, 3.10 to 3.13

`pythons` takes what it finds on PATH and under pyenv, and names what it did not find. Each gets an
environment of its own under `.pythons/`, kept for the next time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ROOT / ".pythons"
VERSIONS = ("3.10", "3.11", "3.12", "3.13")
MASKING = ("--numprocesses=2", "--dist=loadgroup", "-k", "native", "tests/native", "tests/core/sanitize")
PARALLEL = ("--numprocesses=3", "--dist=loadgroup")  # much of its time the suite waits
REQUIREMENTS = (
    "attrs",
    "django",
    "hypothesis",
    "msgspec",
    "orjson",
    "pydantic",
    "pytest",
    "pytest-randomly",
    "pytest-timeout",
    "pytest-xdist",
    "starlette",
    "tomli",
)


def absent(arguments: list[str]) -> int:
    """Run the suite with the wheel uninstalled, then put it back as it was."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "uninstall", "--yes", "replaystack-native"], cwd=ROOT, check=True)
    try:
        environment = {**os.environ, "TESTS_NATIVE": "absent"}  # see tests/backends.py
        command = [sys.executable, "-m", "pytest", *(arguments or PARALLEL)]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    finally:
        _forget_native()


def _forget_native() -> None:
    """Let the next `make` put the wheel back, from what cargo has kept."""
    stamp = ROOT / ".venv" / "bootstrap.json"
    noted = json.loads(stamp.read_text(encoding="utf-8"))
    kept = {name: text for name, text in noted.items() if not name.startswith("native")}
    stamp.write_text(json.dumps(kept), encoding="utf-8")


def pythons(arguments: list[str]) -> int:
    """Build one wheel with this Python; run the masking suite with it on every other one at hand."""
    wheel = _wheel()
    ran: list[str] = []
    missing: list[str] = []
    failed: list[str] = []
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for version in VERSIONS:
        if version == here:
            continue
        python = _interpreter(version)
        if python is None:
            missing.append(version)
            continue
        print(f"--- CPython {version}", flush=True)
        (ran if _suite(version, python, wheel, arguments) == 0 else failed).append(version)
    print(f"wheel of CPython {here}: passed on {_listed(ran)}; failed on {_listed(failed)}; ", end="")
    print(f"SKIPPED, not at hand: {_listed(missing)}")
    return 1 if failed else 0


def _wheel() -> Path:
    folder = ROOT / "native" / "target" / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    manifest = str(ROOT / "native" / "Cargo.toml")
    command = [sys.executable, "-m", "maturin", "build", "--quiet", "--release", "--locked", "-m", manifest]
    subprocess.run([*command, "--interpreter", sys.executable, "--out", str(folder)], check=True)
    (wheel,) = folder.glob("*-cp310-abi3-*.whl")
    return wheel


def _interpreter(version: str) -> str | None:
    """Return an interpreter that runs; version managers put names on PATH that do not."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *map(str, pyenv.glob(f"{version}.*/bin/python"))]
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        done = subprocess.run([candidate, "-c", probe], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def _suite(version: str, python: str, wheel: Path, arguments: list[str]) -> int:
    folder = PYTHONS / version
    inside = folder / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(inside), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    core = ["-e", "packages/replaystack-core", *REQUIREMENTS]
    subprocess.run([*pip, "-c", "constraints.txt", *core], cwd=ROOT, check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", str(wheel)], cwd=ROOT, check=True)
    environment = {**os.environ, "REPLAYSTACK_BACKEND": "native"}
    command = [str(inside), "-m", "pytest", *(arguments or MASKING)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _listed(versions: list[str]) -> str:
    return ", ".join(versions) or "none"


def main() -> int:
    """Run one of the two."""
    suites = {"absent": absent, "pythons": pythons}
    if len(sys.argv) < 2 or sys.argv[1] not in suites:
        print("usage: suites.py absent|pythons [pytest arguments]", file=sys.stderr)
        return 2
    return suites[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    raise SystemExit(main())
