"""The case table of `benchmarks/leaks.py`: where secrets are planted, and what must not be lost."""

from __future__ import annotations

from typing import Final

from . import bodies, decisions, findings, heads, instances, keys, review, safe, shapes, texts
from .case import Case, Event

__all__ = ["CASES", "LEAK_CASES", "SAFE_CASES", "Case", "Event"]

LEAK_CASES: Final[tuple[Case, ...]] = (
    *findings.CASES,
    *keys.CASES,
    *instances.CASES,
    *bodies.CASES,
    *heads.CASES,
    *texts.CASES,
    *shapes.CASES,
    *decisions.CASES,
    *review.CASES,
)
SAFE_CASES: Final[tuple[Case, ...]] = (*safe.CASES, *review.SAFE)
CASES: Final[tuple[Case, ...]] = (*LEAK_CASES, *SAFE_CASES)
