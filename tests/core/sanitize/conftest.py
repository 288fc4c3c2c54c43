"""Every test of this folder runs once per implementation: ids `[python]` and `[native]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.backends import BACKENDS, masking_with

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let one implementation mask while the test runs."""
    with masking_with(request.param):
        yield request.param
