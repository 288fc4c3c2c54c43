"""Fixtures of the delivery tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.fakes import POLICY, Rig, ScriptedTransport

from replaystack.delivery import PumpSettings
from replaystack.delivery.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Return a maker of rigs over one spool directory; the ledger of each must add up at the end."""
    rigs: list[Rig] = []

    def build(
        durability: str = "on_failure", *, bulk: bool = False, max_bytes: int = 1 << 26, **settings: object
    ) -> Rig:
        rig: Rig
        rig = Rig(
            PumpSettings(durability=durability, **{"max_retries": 0, **settings}),  # type: ignore[arg-type]
            transport=ScriptedTransport(capabilities="bulk" if bulk else None),
            spool=lambda report: Spool(
                tmp_path / "spool",
                max_bytes=max_bytes,
                report=report,
                policy=POLICY,
                monotonic=lambda: rigs[-1].time.now if rigs else 1000.0,
            ),
        )
        rigs.append(rig)
        return rig

    yield build
    for rig in rigs:
        rig.check_law()
