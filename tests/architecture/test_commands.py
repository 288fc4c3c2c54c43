"""The commands: one list of checks for people, pre-commit and CI; a bootstrap that needs nothing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def _prerequisites(target: str) -> list[str]:
    found = re.search(rf"^{target}:([^#\n]*)", MAKEFILE, re.MULTILINE)
    assert found is not None, f"no target {target}"
    return found[1].split()


def test_make_alone_lists_every_target() -> None:
    """`make` without a target explains each of them and changes nothing."""
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    named = {line.split()[1] for line in listed.stdout.splitlines()}
    assert named == set(_prerequisites(".PHONY"))


@pytest.mark.parametrize(
    "target",
    [
        "demo",
        "test",
        "test-absent",
        "test-pythons",
        "test-oldest",
        "bench",
        "format",
        "lint",
        "types",
        "contracts",
        "native",
    ],
)
def test_every_target_sets_up_first(target: str) -> None:
    """No target needs another step before it, in a fresh clone."""
    assert _prerequisites(target) == ["setup"]


def test_pre_commit_runs_exactly_what_make_check_runs() -> None:
    """The hooks call the targets of `make check`, no more and no fewer."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    called = re.findall(r"entry: make --no-print-directory (\w+)", hooks)
    assert called == _prerequisites("check")
    assert hooks.count("repo:") == hooks.count("repo: local") == 1


def test_ci_runs_test_and_check() -> None:
    """`.ci/run` adds nothing of its own to the targets, and can be executed."""
    script = ROOT / ".ci/run"
    assert "for target in test test-absent test-pythons test-oldest check; do" in script.read_text(
        encoding="utf-8"
    )
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.parametrize("name", ["bootstrap.py", "native.py"])
def test_what_runs_before_the_installation_needs_no_installation(name: str) -> None:
    """The bootstrap imports the standard library and its neighbour only, in syntax that Python 3.10 reads."""
    tree = ast.parse((ROOT / "scripts" / name).read_text(encoding="utf-8"), feature_version=(3, 10))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    tops = {module.partition(".")[0] for module in imported}
    assert tops - set(sys.stdlib_module_names) - {"native"} == set()


def test_constraints_are_names_and_versions() -> None:
    """`constraints.txt` pins everything that is asked for, and says nothing about where it comes from."""
    pin = re.compile(r'([a-z0-9-]+)==[0-9][0-9a-z.]*(; (python_version (<|>=) "3\.\d+"( and )?)+)?')
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {found[1] for line in lines if (found := pin.fullmatch(line))}
    assert [line for line in lines if not line.startswith("#") and not pin.fullmatch(line)] == []
    asked = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    assert {line for line in asked if re.match(r"[a-z]", line)} - pinned == set()
