"""The page about bridges runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import replaystack.logs.bridges
from replaystack.logs.bridges import otlp

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "bridges.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
KEEP = """
from replaystack.logs import add_sink as _add
class _Keep:
    accepts_pii = False
    def emit(self, entry): print(entry.logger, entry.level, entry.message, dict(entry.fields).get("order"))
_add(_Keep())
"""


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "billing warning paid 3 7"),
        (1, "structlog info paid 7"),
        (2, "__main__ info paid 7"),
        (3, "py.warnings warning old None"),
        (4, ""),
        (5, ""),
    ],
)
def test_each_block_runs(number: int, expected: str) -> None:
    """Inwards, the entry is there; outwards, the sink is."""
    done = subprocess.run(
        [sys.executable, "-c", KEEP + BLOCKS[number]], capture_output=True, text=True, timeout=60, check=True
    )
    assert expected in done.stdout


def test_every_bridge_is_named() -> None:
    """The page leaves none out, and its numbers are those of the code."""
    assert [
        name for name in replaystack.logs.bridges.__all__ if name != "OtlpStats" and name not in PAGE
    ] == []
    assert len(BLOCKS) == 6
    assert all(f"{status}" in PAGE for status in otlp._RETRYABLE)
