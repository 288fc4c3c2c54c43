"""No configuration of log files outlives its test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from replaystack.logs.domains import configuration
from replaystack.logs.sinks import remove_sink

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """End the configuration of a test with it."""
    yield
    current = configuration._current
    if current is not None:
        remove_sink(current)
        current.close()
        configuration._current = None
