"""The Rust half of the house: whether cargo works here, and what it is asked to do with `native/`.

`native/` is optional. On a machine where cargo is missing, broken, offline or too old, every command
here says so in one line and succeeds; the project then runs in pure Python. Standard library only:
the bootstrap imports this before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROOT", "cargo_environment", "cargo_identity", "preflight", "source_hash"]

ROOT = Path(__file__).resolve().parent.parent
CRATE = ROOT / "native"
MANIFEST = ("--locked", "--manifest-path", str(CRATE / "Cargo.toml"))

# Long enough to fetch an index over a slow line, short enough for somebody who waits.
PREFLIGHT_SECONDS = 90.0

TESTS = (("test", *MANIFEST, "--no-default-features"),)
LINTS = (
    ("fmt", "--check", "--manifest-path", str(CRATE / "Cargo.toml")),
    ("clippy", *MANIFEST, "--all-targets", "--", "-D", "warnings", "-W", "clippy::pedantic"),
    ("clippy", *MANIFEST, "--all-targets", "--no-default-features", "--", "-D", "warnings"),
)


def cargo_environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return `base` for use with cargo: no toolchain installs itself, no endless retries."""
    environment = dict(base)
    environment["RUSTUP_AUTO_INSTALL"] = "0"
    environment.setdefault("CARGO_NET_RETRY", "1")
    environment.setdefault("CARGO_HTTP_TIMEOUT", "20")
    environment["PYO3_PYTHON"] = sys.executable
    return environment


def _ask(arguments: tuple[str, ...]) -> tuple[bool, str]:
    """Run cargo quietly; return whether it succeeded and its first line of output or complaint."""
    cargo = shutil.which("cargo")
    if cargo is None:
        return False, "no cargo on PATH"
    try:
        done = subprocess.run(
            [cargo, *arguments],
            env=cargo_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PREFLIGHT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"cargo {arguments[0]} gave no answer within {PREFLIGHT_SECONDS:.0f} s"
    except OSError as problem:
        return False, f"cargo cannot be started: {problem}"
    if done.returncode == 0:
        return True, done.stdout[:200].partition("\n")[0]
    complaint = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
    errors = [line for line in complaint if line.startswith("error")]
    return False, (errors or complaint)[0].removeprefix("error: ")[:120]


def cargo_identity() -> str | None:
    """Return what `cargo --version` says, or None where cargo does not run. Takes milliseconds."""
    works, version = _ask(("--version",))
    return version if works else None


def preflight() -> str | None:
    """Return why `native/` cannot be built here, in a few words, or None when it looks possible.

    `cargo metadata` resolves the locked dependencies, so it finds a missing toolchain, a cargo that
    is too old for the lock file and an index that cannot be reached, all before a long build starts.
    """
    works, answer = _ask(("metadata", "--format-version", "1", *MANIFEST))
    return None if works else answer


def source_hash() -> str:
    """Return a hash over everything that the extension is built from."""
    digest = hashlib.sha256()
    tops = ["Cargo.toml", "Cargo.lock", "pyproject.toml"]
    files = [CRATE / name for name in tops] + sorted((CRATE / "src").rglob("*.rs"))
    for path in files:
        digest.update(path.relative_to(CRATE).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _main(arguments: list[str]) -> int:
    """Run `test` or `lint` with cargo; 0 where cargo does not work, after saying so."""
    commands = {"test": TESTS, "lint": LINTS}
    if len(arguments) != 1 or arguments[0] not in commands:
        print("usage: native.py test|lint", file=sys.stderr)
        return 2
    problem = preflight()
    if problem is not None:
        print(f"native: cargo {arguments[0]} SKIPPED, cargo does not work here ({problem})")
        return 0
    for command in commands[arguments[0]]:
        print("cargo", *(part.replace(str(ROOT), ".") for part in command), flush=True)
        code = subprocess.run(["cargo", *command], env=cargo_environment(), check=False).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    raise SystemExit(_main(sys.argv[1:]))
