"""The rules know ASCII classes only: no locale and no version of Unicode changes a verdict."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

from replaystack import sanitize

MODULES = [module.name for module in pkgutil.iter_modules(sanitize.__path__)]
PATTERNS = [
    (name, key, value)
    for name in MODULES
    for key, value in vars(importlib.import_module(f"replaystack.sanitize.{name}")).items()
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
]


@pytest.mark.parametrize(("name", "key", "pattern"), PATTERNS, ids=lambda part: str(part)[:40])
def test_a_pattern_with_classes_is_of_ascii(name: str, key: str, pattern: re.Pattern[str]) -> None:
    """What asks for blanks, words, digits or case does so in ASCII; Rust has others."""
    has_class = re.search(r"\\[sSwWdDbB]", re.sub(r"\\\\", "", pattern.pattern)) is not None
    if has_class or pattern.flags & re.IGNORECASE:
        assert pattern.flags & re.ASCII, f"{name}.{key}"


def test_the_patterns_are_found() -> None:
    """The test above looks at something."""
    assert len(PATTERNS) > 40
