"""Every item of the seeds' checklists has a test that says so, and that cannot be passed by."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ITEMS = {
    *(f"T{number}" for number in range(1, 19)),  # Timberlogs
    *(f"A{number}" for number in (*range(1, 10), 11)),  # Autoplay; A10, signed delivery, comes later
    *(f"P{number}" for number in range(1, 10)),  # PolyAI
    *(f"O{number}" for number in range(1, 15)),  # OCapistaine
}
PASSING_BY = {"skip", "skipif", "xfail"}


@pytest.fixture(scope="module")
def marked(root: Path) -> dict[str, list[str]]:
    """Return which tests carry which item, and which of them might be passed by."""
    found: dict[str, list[str]] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        for test, marks in functions_of(ast.parse(path.read_text(encoding="utf-8"))):
            for item in (item for name, items in marks if name == "checklist" for item in items):
                passed_by = any(name in PASSING_BY for name, _ in marks)
                found.setdefault(item, []).append(f"{path.name}::{test}{' (may be skipped)' * passed_by}")
    return found


def functions_of(module: ast.Module) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """Yield each test of a file with its marks and their texts."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name, [mark for decorator in node.decorator_list for mark in mark_of(decorator)]


def mark_of(decorator: ast.expr) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of a `pytest.mark` and the texts that it is given."""
    call = decorator if isinstance(decorator, ast.Call) else None
    name = call.func if call is not None else decorator
    if isinstance(name, ast.Attribute) and ast.unparse(name.value) == "pytest.mark":
        arguments = call.args if call is not None else []
        yield name.attr, [str(one.value) for one in arguments if isinstance(one, ast.Constant)]


def test_no_item_is_missing(marked: dict[str, list[str]]) -> None:
    """Each item has a test; no test claims an item that there is not."""
    assert set(marked) == ITEMS


def test_no_item_is_passed_by(marked: dict[str, list[str]]) -> None:
    """Each item has a test that neither skips nor is expected to fail."""
    assert not [item for item, tests in marked.items() if all("may be skipped" in test for test in tests)]
