"""Set up everything that demo, tests and checks need, in `.venv` in the root of the repository.

    python3 scripts/bootstrap.py            set up what is missing or has changed; seconds when nothing has
    python3 scripts/bootstrap.py --again    the same, after forgetting what earlier runs found out

Standard library only, because it runs before anything is installed. The Makefile calls it before each
target. It needs Python 3.10 or later, pip and git; cargo is used when it works.

What was done is remembered in `.venv/bootstrap.json`, which is written last: a run that was interrupted
leaves "started" behind, and the next one begins with an empty environment instead of a half-filled one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "bootstrap.json"
LOG = VENV / "bootstrap.log"
OLDEST = (3, 10)

# Without a terminal (CI, a pipe) one line now and then shows that the work goes on.
HEARTBEAT_SECONDS = 10.0


class BootstrapError(Exception):
    """The environment cannot be made; the text says why and what to do about it."""


# What the environment depends on -----------------------------------------------------------------


def base_python() -> str:
    """Return the interpreter to build on: never the one inside a `.venv` that may be about to go."""
    return getattr(sys, "_base_executable", None) or sys.executable


def python_identity() -> str:
    """Return what makes two interpreters different for an environment: version and place."""
    return f"{sys.version.split()[0]} {Path(sys.base_prefix).resolve()}"


def inputs_hash() -> str:
    """Return a hash over all that decides what is in `.venv`; the root too, since scripts name it."""
    files = [ROOT / "requirements-dev.txt", ROOT / "constraints.txt", Path(__file__).resolve()]
    files += sorted(ROOT.glob("packages/*/pyproject.toml"))
    digest = hashlib.sha256(f"{python_identity()}\0{ROOT}\0".encode())
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def read_stamp() -> dict[str, str]:
    """Return what the last run noted; empty when there was none or the note cannot be read."""
    try:
        noted = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in noted.items()} if isinstance(noted, dict) else {}


def write_stamp(noted: dict[str, str]) -> None:
    """Replace the note in one step, so that an interruption leaves the old or the new one."""
    part = STAMP.with_suffix(".part")
    part.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")
    part.replace(STAMP)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one bootstrap work in this tree at a time (`make -j`, two terminals); others wait."""
    try:
        import fcntl  # noqa: PLC0415 - absent on Windows, where two at a time is the user's affair
    except ImportError:
        yield
        return
    handle = os.open(ROOT, os.O_RDONLY)  # the folder itself is the lock: nothing to leave behind
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another bootstrap is at work in this folder; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


# Showing and running ------------------------------------------------------------------------------


def say(text: str) -> None:
    """Print one line for the person who waits."""
    print(f"bootstrap: {text}", flush=True)


def run(label: str, command: Sequence[str], environment: dict[str, str]) -> None:
    """Run `command` in the root, keep its output in the log, show that it lives; raise when it fails."""
    started = time.monotonic()
    say(f"{label} ...")
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        child = subprocess.Popen(
            list(command),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if child.stdout is None:  # cannot be: PIPE was asked for
            raise BootstrapError(f"{label}: no output to read")
        try:
            tail = _follow(child.stdout, log, started)
            code = child.wait()
        except BaseException:  # Ctrl-C above all: do not leave pip running behind our back
            child.terminate()
            child.wait()
            raise
    if code != 0:
        raise BootstrapError("\n".join([f"{label} failed (exit {code}); whole output: {LOG}", *tail]))
    say(f"{label}: done in {time.monotonic() - started:.0f} s")


def _follow(output: IO[str], log: IO[str], started: float) -> list[str]:
    """Copy a child's output into the log while showing progress; return its last lines."""
    tail: list[str] = []
    terminal = sys.stdout.isatty()
    shown = started
    for line in output:
        log.write(line)
        tail = [*tail[-24:], line.rstrip()]
        now = time.monotonic()
        if terminal:
            width = max(20, shutil.get_terminal_size().columns - 1)
            print("\r" + f"  {now - started:4.0f} s  {line.strip()}"[:width].ljust(width), end="", flush=True)
        elif now - shown >= HEARTBEAT_SECONDS:
            shown = now
            print(f"  {now - started:4.0f} s  {line.strip()[:90]}", flush=True)
    if terminal:
        print("\r\x1b[K", end="", flush=True)
    return tail


def clean_environment() -> dict[str, str]:
    """Return the environment for pip and the tools, without what would lead them out of `.venv`."""
    environment = dict(os.environ)
    for name in ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX"):
        environment.pop(name, None)
    environment.update(
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_NO_INPUT="1",
        PIP_USER="0",
        PIP_REQUIRE_VIRTUALENV="0",
        VIRTUAL_ENV=str(VENV),
        PATH=os.pathsep.join([str(VENV_PYTHON.parent), environment.get("PATH", os.defpath)]),
    )
    return environment


# The steps ------------------------------------------------------------------------------------------


def venv_fits() -> bool:
    """Tell whether `.venv` exists, runs, has pip and was made by this Python."""
    if not VENV_PYTHON.exists():
        return False
    probe = "import pip, sys; print(sys.version.split()[0], sys.base_prefix, sep='\\n')"
    try:
        answer = subprocess.run(
            [str(VENV_PYTHON), "-I", "-c", probe], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    version, _, prefix = answer.stdout.strip().partition("\n")
    return f"{version} {Path(prefix).resolve()}" == python_identity()


def make_venv() -> None:
    """Make `.venv` anew; where `ensurepip` is missing, with the pip of the interpreter outside."""
    if VENV.is_symlink() or (VENV.exists() and not VENV.is_dir()):
        raise BootstrapError(f"{VENV} is in the way: it is a link or a file; remove it and try again")
    say(f"making .venv with Python {sys.version.split()[0]}")
    # The standard library's venv refuses a path with the path separator in it, with a clear message.
    with_pip = importlib.util.find_spec("ensurepip") is not None
    if not with_pip and importlib.util.find_spec("pip") is None:
        raise BootstrapError(
            "this Python has neither `ensurepip` nor `pip`, so no environment can be filled.\n"
            "On Debian and Ubuntu: apt-get install python3-venv (or python3-pip)."
        )
    environment = clean_environment()
    command = [base_python(), "-m", "venv", "--clear", *([] if with_pip else ["--without-pip"]), str(VENV)]
    made = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise BootstrapError(f"`{' '.join(command)}` failed:\n{made.stdout}{made.stderr}".rstrip())
    if not with_pip:
        outside = [base_python(), "-m", "pip", "--python", str(VENV_PYTHON), "install", "pip"]
        run("fetching pip for .venv (this Python has no ensurepip)", outside, environment)


def install() -> None:
    """Install all members, editable, and the tools, with one pip call."""
    command = [str(VENV_PYTHON), "-m", "pip", "install", "--progress-bar", "off"]
    command += ["-r", "requirements-dev.txt", "-c", "constraints.txt"]
    run("installing members and tools", command, clean_environment())


def set_up_native(noted: dict[str, str], *, again: bool) -> dict[str, str]:
    """Build the native extension if that is possible; return what to note about it. Never raises for it.

    A failure is noted together with the cargo that failed, and not repeated until the sources or that
    cargo change (or `again`); what was built stays in use also where cargo has gone since.
    """
    import native  # noqa: PLC0415 - beside this file; needs a Python that was checked first

    sources = native.source_hash()
    if noted.get("native") == "built" and noted.get("native_sources") == sources:
        return {"native": "built", "native_sources": sources}
    identity = native.cargo_identity() or "none"
    key = f"{sources} {identity}"
    problem: str | None
    if noted.get("native_key") == key and not again:
        problem = noted.get("native", "")
    else:
        problem = native.preflight() or _build_native(native.cargo_environment(clean_environment()))
    if problem is None:
        return {"native": "built", "native_sources": sources}
    if noted.get("native") == "built":  # built from other sources: better none than a stale one
        run(
            "removing the outdated native extension",
            _pip("uninstall", "-y", "replaystack-native"),
            clean_environment(),
        )
    say(f"native extension not built ({problem}); carrying on in pure Python")
    return {"native": problem, "native_key": key}


def _pip(*arguments: str) -> list[str]:
    return [str(VENV_PYTHON), "-m", "pip", *arguments]


def _build_native(environment: dict[str, str]) -> str | None:
    """Build and load the extension; return what went wrong in a few words, or None."""
    environment["PYO3_PYTHON"] = str(VENV_PYTHON)
    build = [str(VENV_PYTHON), "-m", "maturin", "develop", "--release", "--locked", "-m", "native/Cargo.toml"]
    load = [str(VENV_PYTHON), "-c", "import replaystack_native as n; print(n.contract_version())"]
    try:
        run("building the native extension", build, environment)
        run("loading the native extension", load, environment)
    except BootstrapError:
        return f"the build failed, see {LOG.relative_to(ROOT)}; --again tries again"
    return None


def bootstrap(*, again: bool) -> None:
    """Bring `.venv` up to date; raise `BootstrapError` when it cannot be."""
    noted = read_stamp()
    wanted, here = inputs_hash(), str(ROOT)
    if again or noted.get("inputs") != wanted or not VENV_PYTHON.exists():
        moved = noted.get("root", here) != here  # the scripts and links in .venv name the old place
        if noted.get("state") == "started" or moved or not venv_fits():
            make_venv()
            noted = {}
        LOG.write_text("", encoding="utf-8")
        write_stamp({"state": "started"})
        install()
    result = {"state": "ready", "root": here, "inputs": wanted, **set_up_native(noted, again=again)}
    if result != read_stamp():
        write_stamp(result)


def newer_python() -> str | None:
    """Return a Python on PATH that is new enough, for machines whose `python3` is an old one."""
    test = f"import sys; sys.exit(sys.version_info < {OLDEST})"
    for minor in range(19, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        # Run it: version managers put names on PATH for interpreters that are not chosen here.
        if found and subprocess.run([found, "-c", test], capture_output=True, check=False).returncode == 0:
            return found
    return None


def main() -> int:
    """Parse the command line, set up, translate failures into an exit status."""
    if sys.version_info < OLDEST:
        found = newer_python()
        if found is not None:
            os.execv(found, [found, *sys.argv])  # noqa: S606 - the same script, by a newer interpreter
        version = sys.version.split()[0]
        print(f"bootstrap: needs Python 3.10 or later, this is {version}; try `make PYTHON=python3.12`")
        return 1
    parser = argparse.ArgumentParser(description="Set up .venv for demo, tests and checks.")
    parser.add_argument("--again", action="store_true", help="forget what earlier runs found out")
    options = parser.parse_args()
    try:
        with one_at_a_time():
            bootstrap(again=options.again)
    except BootstrapError as problem:
        print(f"bootstrap: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbootstrap: interrupted; the next run starts over", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
