"""Who may import whom: the contracts in the root pyproject.toml hold, and cover every module."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "packages/replaystack-core/src/replaystack"

# The one place for each third-party module that core may import at all, and for our own extension.
ALLOWED_IN_CORE = {
    "requests": "delivery/",
    "urllib3": "delivery/",  # the inside of requests
    "replaystack_native": "sanitize/_backend.py",
    "pytest": "testing/plugin.py",  # imported by pytest itself only
    # Imported by who has the library, and says so by importing the integration.
    "apscheduler": "integrations/apscheduler.py",
    "celery": "integrations/celery.py",
    "rq": "integrations/rq.py",
}


def _imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the top-level name and line of each absolute import, `if TYPE_CHECKING:` blocks left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0], node.lineno
        yield from _imports(node)


def _strangers(source: str, where: str) -> list[str]:
    """Return the imports in `source` that are neither standard library, ours, nor allowed at `where`."""
    found = []
    for name, line in _imports(ast.parse(source)):
        allowed = name in ALLOWED_IN_CORE and where.startswith(ALLOWED_IN_CORE[name])
        if name not in sys.stdlib_module_names and name != "replaystack" and not allowed:
            found.append(f"{where}:{line} imports {name}")
    return found


def test_import_contracts_hold() -> None:
    """import-linter passes: layers, adapters apart, core alone, the server behind its three doors."""
    command = (
        "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    )
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "KEPT" in done.stdout


def test_core_imports_nothing_third_party() -> None:
    """No module of core names a third-party package, lazily or not, except the sender its `requests`."""
    found: list[str] = []
    for path in CORE.rglob("*.py"):
        where = path.relative_to(CORE).as_posix()
        found += _strangers(path.read_text(encoding="utf-8"), where)
    assert found == []


@pytest.mark.parametrize(
    "source",
    ["import orjson", "def f():\n  from starlette import types", "try:\n  import requests\nfinally: pass"],
)
def test_strangers_are_found_at_any_depth(source: str) -> None:
    """The search for third-party imports can fail: it sees imports in functions and blocks too."""
    assert len(_strangers(source, "http/tap.py")) == 1


def test_no_drawer_for_leftovers() -> None:
    """House rule 1: no module or folder of ours is called utils, helpers, common, misc or manager."""
    # `replaystack_sdk.utils` is an import path of 1.1.3 and must keep working; it only re-exports.
    kept = {"packages/replaystack-sdk/src/replaystack_sdk/utils.py"}
    found = [
        path.relative_to(ROOT).as_posix()
        for top in ("packages", "native/python", "native/src", "tests", "scripts", "benchmarks", "examples")
        for path in (ROOT / top).rglob("*")
        if path.stem.strip("_") in {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
        and "__pycache__" not in path.parts
    ]
    assert set(found) - kept == set()
