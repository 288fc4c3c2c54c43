"""What the tests of the drop-in share: a receiver on loopback and an environment of their own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Take every variable of ours away, so that a test sees only what it sets."""
    for name in list(os.environ):
        if name.startswith("REPLAYSTACK_"):
            monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver for one test."""
    with Receiver() as running:
        yield running
