"""The adapters' suites with the oldest version of each framework that its distribution allows.

    .venv/bin/python scripts/oldest.py [flask ...] [-- pytest arguments]

The newest is what constraints.txt has and `make test` runs. Each framework gets an environment of its
own under `.pythons/`, kept for the next time.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ROOT / ".pythons"
SERVING = "tests/adapters/test_serving.py"
"""What all adapters must pass; skips the frameworks that are not installed."""
GUNICORN = "tests/adapters/test_gunicorn.py"
"""The same for those on WSGI."""
COMMON = ("gunicorn", "hypothesis", "opentelemetry-api", "pytest", "pytest-randomly", "pytest-timeout")


@dataclass(frozen=True)
class Oldest:
    """What is installed instead of what constraints.txt says, and what runs with it."""

    pins: tuple[str, ...]
    """The oldest versions; what the framework did not need then is not there either."""
    tests: tuple[str, ...]
    more: tuple[str, ...] = ()
    """What these tests need besides."""
    options: tuple[str, ...] = ()
    """For pytest."""


OLDEST = {
    # The oldest Starlette that the distribution allows, with a FastAPI, an anyio and an httpx of its time.
    "fastapi": Oldest(
        pins=(
            "starlette==0.27.0",
            "fastapi==0.100.0",
            "anyio==3.7.1",
            "httpx==0.27.2",
            "pydantic==2.10.6",
            "pydantic-core==2.27.2",
        ),
        tests=("tests/fastapi", SERVING),
        more=("a2wsgi", "opentelemetry-api", "python-multipart", "uvicorn", "websockets"),
        options=("-W", "ignore"),  # of that time, about what came later
    ),
    # With the asgiref that it asked for, and a REST framework of its time.
    "django": Oldest(
        pins=("django==4.2", "asgiref==3.6.0", "djangorestframework==3.15.0"),
        tests=("tests/django", SERVING, GUNICORN),
        more=("uvicorn", "werkzeug"),
        options=("-W", "ignore::DeprecationWarning"),  # of that time, about what came later
    ),
    # Without blinker, which Flask needs since 2.3: the adapter does without signals there.
    "flask": Oldest(
        pins=("flask==2.2.0", "werkzeug==2.2.0"),
        tests=("tests/flask", "tests/core/http", SERVING, GUNICORN),
        more=("asgiref",),
    ),
}


def run(name: str, arguments: list[str]) -> int:
    """Run the suite of one adapter; return pytest's exit code."""
    oldest = OLDEST[name]
    folder = PYTHONS / f"oldest-{name}"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    constraints = folder / "constraints.txt"
    constraints.write_text(_constraints(oldest), encoding="utf-8")
    members = [f"packages/replaystack-{part}" for part in ("core", name)]
    editable = [word for member in members for word in ("-e", member)]
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    command = [*pip, "-c", str(constraints), *editable, *oldest.pins, *COMMON, *oldest.more]
    subprocess.run(command, cwd=ROOT, check=True)
    print(f"--- {name}: {', '.join(oldest.pins)}", flush=True)
    tests = arguments or list(oldest.tests)
    return subprocess.run(
        [str(python), "-m", "pytest", *oldest.options, *tests], cwd=ROOT, check=False
    ).returncode


def _constraints(oldest: Oldest) -> str:
    """Return constraints.txt without the lines that the pins replace."""
    replaced = {re.split("[=<>]", pin)[0] for pin in oldest.pins}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition("==")[0] not in replaced]
    return "\n".join([*kept, *oldest.pins]) + "\n"


def main() -> int:
    """Run those that are named, else all."""
    given = sys.argv[1:]
    split = given.index("--") if "--" in given else len(given)
    names, arguments = given[:split] or list(OLDEST), given[split + 1 :]
    if not set(names) <= set(OLDEST):
        print(f"usage: oldest.py [{'|'.join(OLDEST)} ...] [-- pytest arguments]", file=sys.stderr)
        return 2
    failed = [name for name in names if run(name, arguments) != 0]
    print(f"oldest: failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
