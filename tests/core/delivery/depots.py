"""What the tests of pump and spool together share: the account of a rig, and the end of its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.core.delivery.fakes import Rig

    from replaystack.delivery import Stats

__all__ = ["REFUSED", "books", "end"]

REFUSED = ConnectionRefusedError("refused")


def books(rig: Rig) -> Stats:
    """Return the account."""
    rig.check_law()
    return rig.backlog.stats(errors=0, skipped={})


def end(rig: Rig) -> None:
    """End the process that the rig stands for, as a kill would: locks go, files stay."""
    assert rig.pump.depot is not None
    rig.pump.depot._spool.close()
