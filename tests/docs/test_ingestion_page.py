"""docs/ingestion.md names what can be sent, what each format does, and every decision that has a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from replaystack.logs.formats import FORMAT_CONTENT_TYPES, FORMATS
from replaystack.logs.ingestion import IngestReport

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ingestion.md").read_text(encoding="utf-8")
TESTS = (ROOT / "tests" / "core" / "logs_formats" / "test_mapping.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_explained(name: str) -> None:
    """With its content type, in one row."""
    assert re.search(rf"^\| `{name}` \| `{re.escape(FORMAT_CONTENT_TYPES[name])}` \|", PAGE, re.MULTILINE)  # type: ignore[index]  # one of the names


def test_the_report_is_explained() -> None:
    """What a caller can read."""
    for field in IngestReport.__dataclass_fields__:
        assert f"`{field}`" in PAGE or f".{field}" in PAGE


def test_decisions_have_tests() -> None:
    """No fewer tests than decisions on the page, and each says that it is one."""
    tests = re.findall(r'def test_decision_\w+\([^"]*"""\[\?\]', TESTS)
    assert len(tests) == len(re.findall(r"def test_decision_", TESTS))
    assert len(tests) >= PAGE.count("[?]") - 2  # the sentence that explains the mark, and personal data


def test_the_samples_of_errors_are_real() -> None:
    """Both shapes stand on the page as the parsers make them."""
    for text in (
        '"error": "Failed to parse line 3: invalid JSON"',
        '"code": "PARSE_ERROR"',
        '"error": "Validation error"',
    ):
        assert text in PAGE
