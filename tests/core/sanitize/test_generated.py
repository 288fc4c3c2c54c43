"""The laws of `tests/laws` on generated inputs; `python -m tests.laws` runs them on as many as wanted."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.laws.laws import LAWS

if TYPE_CHECKING:
    from collections.abc import Callable

INPUTS = 1500  # of each law; takes some seconds in all


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_holds_on_generated_inputs(law: Callable[[random.Random], None]) -> None:
    """Every law of masking holds for inputs that differ from run to run."""
    seed = random.randrange(10**9)  # repeated by pytest-randomly's own
    for number in range(INPUTS):
        try:
            law(random.Random(f"{seed}/{number}"))
        except Exception as error:
            raise AssertionError(f"{law.__name__} does not hold for seed {seed}/{number}: {error}") from error
