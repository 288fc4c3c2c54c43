"""What every test of logs shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from replaystack.logs import local_sinks, remove_sink

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def no_sink_is_left() -> Iterator[None]:
    """Let no sink outlive its test: sinks belong to the process."""
    before = local_sinks()
    yield
    for sink in local_sinks():
        if not any(sink is known for known in before):
            remove_sink(sink)
