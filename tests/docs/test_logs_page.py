"""Promises of docs/logs.md."""

from __future__ import annotations

import importlib
import logging
import re
from typing import TYPE_CHECKING

import pytest
from logger_names import PAGE, own_loggers, page_with_table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.checklist("A2")
def test_the_table_of_loggers_is_that_of_the_code() -> None:
    """Every logger of ours is in the table, every name in the table exists, and is its module's path."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_table(page), "python scripts/logger_names.py"
    documented = set(re.findall(r"^\| `(replaystack[\w.]*)` \|", page, re.MULTILINE))
    assert documented == set(own_loggers())
    assert len(documented) > 5
    # Django's adapter speaks below the name that users of all adapters know.
    for name in documented - {"replaystack", "replaystack.django"}:
        assert importlib.import_module(name).__name__ == name
        assert name in logging.root.manager.loggerDict


def test_every_decision_names_a_test_that_exists(root: Path) -> None:
    """No decision on an open point is without its test."""
    named = re.findall(r"\| `(test_\w+)` \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("core/logs", "timberlogs")
        for path in (root / "tests" / folder).glob("test_*.py")
    )
    assert len(named) > 15
    assert [name for name in named if f"def {name}(" not in code] == []


def test_the_examples_run() -> None:
    """Each block of Python on the page runs as it stands."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {})
