"""The frameworks' own test suites, bare and with our adapter around every application: no new failure.

    .venv/bin/python scripts/compat.py [starlette ...] [--again]

Each suite comes out of the sdist of the version that constraints.txt has, and runs in an environment of
its own under `.compat/`, kept for the next time, like what failed bare (`--again` runs that anew). Needs
a package index and some minutes. A suite that its sdist does not ship is skipped, visibly. Also fails if
the adapter captured nothing, lost an event, or met an error of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path
from xml.etree import ElementTree as ET

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".compat"
PLUGIN = ROOT / "tests" / "compat"
DESELECTED = PLUGIN / "deselected.toml"
HANG_GUARD_SECONDS = 3600
DJANGO_PARTS = (
    "admin_changelist",
    "admin_custom_urls",
    "admin_docs",
    "admin_inlines",
    "admin_utils",
    "admin_views",
    "admin_widgets",
    "asgi",
    "async",
    "auth_tests",
    "builtin_server",
    "cache",
    "conditional_processing",
    "contenttypes_tests",
    "context_processors",
    "csrf_tests",
    "decorators",
    "file_storage",
    "file_uploads",
    "flatpages_tests",
    "generic_inline_admin",
    "generic_views",
    "handlers",
    "httpwrappers",
    "i18n",
    "logging_tests",
    "messages_tests",
    "middleware",
    "middleware_exceptions",
    "proxy_models",
    "redirects_tests",
    "requests_tests",
    "responses",
    "servers",
    "sessions_tests",
    "shortcuts",
    "signed_cookies_tests",
    "sitemaps_tests",
    "sites_tests",
    "staticfiles_tests",
    "syndication_tests",
    "template_tests",
    "test_client",
    "test_client_regress",
    "test_utils",
    "timezones",
    "urlpatterns_reverse",
    "view_tests",
    "wsgi",
)
"""What of Django's suite serves a request, by its test client or a server, or handles one by hand. The rest,
databases above all, serves none and takes an hour."""


@dataclass(frozen=True)
class Suite:
    """Where the tests lie, what they need, and what is put around their applications."""

    around: str
    """What tests/compat/surround.py patches."""
    member: str
    """The adapter's distribution."""
    needs: tuple[str, ...]
    options: tuple[str, ...] = ()
    """For pytest."""
    tests: str = "tests"


SUITES = {
    "starlette": Suite(
        "starlette",
        "fastapi",
        ("starlette[full]", "httpx2", "pytest", "trio", "opentelemetry-sdk", "blockbuster"),
    ),
    "fastapi": Suite(
        "starlette",
        "fastapi",
        (
            "fastapi[all]",
            "httpx2",
            "pytest",
            "pytest-timeout",
            "pytest-xdist",
            "anyio[trio]",
            "dirty-equals",
            "flask",
            "inline-snapshot",
            "pwdlib[argon2]",
            "pyjwt",
            "pyyaml",
            "sqlmodel",
            "a2wsgi",
            "typer",
        ),
        # Tutorials need a dozen packages more; the benchmarks are none of ours.
        options=("--ignore=tests/test_tutorial", "--ignore=tests/benchmarks"),
    ),
    "flask": Suite("flask", "flask", ("flask[async]", "pytest<9", "python-dotenv", "greenlet")),
    "django": Suite("django", "django", ("django", "jinja2", "tblib", "pyyaml", "docutils")),
    "djangorestframework": Suite(
        "django",
        "django",
        ("djangorestframework", "pytest", "pytest-django", "dj-database-url", "importlib-metadata", "pytz"),
    ),
}


@dataclass(frozen=True)
class Outcome:
    """What a run of a suite came to."""

    count: int
    failed: frozenset[str]
    seconds: float


def main() -> int:
    """Run the suites that are named, else all; 1 if something new failed."""
    names = [name for name in sys.argv[1:] if name != "--again"] or list(SUITES)
    if not set(names) <= set(SUITES):
        print(f"usage: compat.py [{'|'.join(SUITES)} ...] [--again]", file=sys.stderr)
        return 2
    problems = [problem for name in names for problem in check(name, again="--again" in sys.argv)]
    for problem in problems:
        print(f"compat: {problem}")
    print(f"compat: {len(problems)} problems")
    return 1 if problems else 0


def check(name: str, *, again: bool) -> list[str]:
    """Run one suite twice; return what is new with the adapter."""
    suite, version = SUITES[name], version_of(name)
    folder = FOLDER / f"{name}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    source = _unpacked(name, version, folder)
    if source is None or not (source / suite.tests).is_dir():
        print(f"compat: SKIPPED {name} {version}: its sdist has no {suite.tests}/")
        return []
    python = _environment(name, version, suite, folder)
    kept = folder / "bare.json"
    if again or not kept.exists():
        bare = _run(name, suite, python, source, folder, surrounded=False)
        kept.write_text(json.dumps([bare.count, sorted(bare.failed), bare.seconds]), encoding="utf-8")
    count, failed, seconds = json.loads(kept.read_text(encoding="utf-8"))
    bare = Outcome(count, frozenset(failed), seconds)
    surrounded = _run(name, suite, python, source, folder, surrounded=True)
    return _compared(name, version, bare, surrounded, folder)


def _compared(name: str, version: str, bare: Outcome, surrounded: Outcome, folder: Path) -> list[str]:
    expected = tomllib.loads(DESELECTED.read_text(encoding="utf-8")).get(name, {})
    new = surrounded.failed - bare.failed
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    print(
        f"compat: {name} {version}: {surrounded.count} tests, {len(bare.failed)} fail bare, {len(new)} more "
        f"with us, {len(expected)} of them expected; {told['captured']} events captured, {told['delivered']} "
        f"delivered; {bare.seconds:.0f} s bare, {surrounded.seconds:.0f} s with us",
        flush=True,
    )
    problems = [f"{name}: {test} fails with the adapter only" for test in sorted(new - set(expected))]
    problems += [f"{name}: {test} is expected to fail, and does not" for test in sorted(set(expected) - new)]
    problems += [f"{name}: error of the SDK: {error}" for error in sorted(set(told["errors"]))]
    if surrounded.count != bare.count:
        problems.append(f"{name}: {surrounded.count} tests ran instead of {bare.count}")
    # An answer that a test never closed ends where the garbage collector finds it: inside of the sender
    # it is dropped, and counted.
    accounted = told["delivered"] + told["dropped"].get("reentrant", 0)
    if not told["captured"] or told["captured"] != accounted:
        problems.append(
            f"{name}: {told['captured']} captured, {told['delivered']} delivered, {told['dropped']}"
        )
    return problems


def _unpacked(name: str, version: str, folder: Path) -> Path | None:
    """Return the unpacked sdist; None where there is none."""
    source = folder / "source"
    if not source.exists():
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        command = [
            *pip,
            "download",
            "--no-binary",
            ":all:",
            "--no-deps",
            "-d",
            str(folder),
            f"{name}=={version}",
        ]
        if subprocess.run(command, check=False).returncode != 0:
            return None
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(source, filter="data")
    return next(source.iterdir(), None)


def _environment(name: str, version: str, suite: Suite, folder: Path) -> Path:
    python = folder / "venv" / "bin" / "python"
    ready, made_for = folder / "ready", repr((suite, DJANGO_PARTS))
    if not ready.exists() or ready.read_text(encoding="utf-8") != made_for:
        print(f"compat: {name} {version}: making its environment ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder / "venv")], check=True)
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        members = [word for part in ("core", suite.member) for word in ("-e", f"packages/replaystack-{part}")]
        pins = ["-c", str(PLUGIN / "constraints.txt")] if (PLUGIN / "constraints.txt").exists() else []
        subprocess.run([*pip, *pins, *members, f"{name}=={version}", *suite.needs], cwd=ROOT, check=True)
        ready.write_text(made_for, encoding="utf-8")
        (folder / "bare.json").unlink(missing_ok=True)
    return python


def _run(name: str, suite: Suite, python: Path, source: Path, folder: Path, *, surrounded: bool) -> Outcome:
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("REPLAYSTACK_")}
    environment |= {"COMPAT_AROUND": suite.around, "COMPAT_REPORT": str(report), "PYTHONPATH": str(PLUGIN)}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1"}
    started = time.monotonic()
    print(f"compat: {name}: running {'with us' if surrounded else 'bare'} ...", flush=True)
    with (folder / f"{'with-us' if surrounded else 'bare'}.log").open("w", encoding="utf-8") as log:
        if name == "django":
            settings = "surrounded_settings" if surrounded else "test_sqlite"
            command = ["runtests.py", f"--settings={settings}", "--parallel=1", "--noinput", *DJANGO_PARTS]
            where = source / "tests"
        else:
            plugin = ["-p", "surround"] if surrounded else []
            junit = folder / "junit.xml"
            command = [
                "-m",
                "pytest",
                "-q",
                "--continue-on-collection-errors",
                *plugin,
                *suite.options,
                f"--junitxml={junit}",
                suite.tests,
            ]
            where = source
        subprocess.run(
            [str(python), *command],
            cwd=where,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=HANG_GUARD_SECONDS,
            check=False,
        )
    count, failed = _read_django(Path(log.name)) if name == "django" else _read_junit(junit)
    return Outcome(count, failed, time.monotonic() - started)


def _read_junit(path: Path) -> tuple[int, frozenset[str]]:
    cases = list(ET.parse(path).getroot().iter("testcase"))  # noqa: S314 - pytest wrote it a moment ago
    failed = {
        f"{case.get('classname')}::{case.get('name')}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }
    return len(cases), frozenset(failed)


def _read_django(log: Path) -> tuple[int, frozenset[str]]:
    text = log.read_text(encoding="utf-8", errors="replace")
    ran = re.search(r"^Ran (\d+) tests", text, re.MULTILINE)
    if ran is None:
        raise RuntimeError(f"the suite did not come to its end: {log}")
    return int(ran[1]), frozenset(re.findall(r"^(?:FAIL|ERROR): (.+)$", text, re.MULTILINE))


if __name__ == "__main__":
    raise SystemExit(main())
