"""What a test does when a tool that it needs is not on this machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["missing"]


def missing(what: str) -> NoReturn:
    """Skip the test because `what` is missing here; under CI, where all must be there, fail it."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{what}; under CI it must be there")
    pytest.skip(what)
