"""Which client an integration or bridge speaks to: the one it was given, else the default of the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .registry import default_recorder

if TYPE_CHECKING:
    from .recorder import Recorder

__all__ = ["Client", "open_recorder"]


class Client(Protocol):
    """A `ReplayStackClient`, as far as an integration or bridge needs it."""

    @property
    def recorder(self) -> Recorder:
        """What captures."""


def open_recorder(client: Client | None) -> Recorder | None:
    """Return what captures now, or None: there is no client yet, or it is disabled or closed."""
    recorder = client.recorder if client is not None else default_recorder()
    return recorder if recorder is not None and recorder.is_open else None
