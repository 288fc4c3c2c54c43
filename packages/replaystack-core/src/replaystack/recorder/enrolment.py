"""A client's recorder becomes known to its process: to module-level calls, to forks, to the exit."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from ..delivery import after_fork, after_fork_in_child, before_fork
from .process_end import forget_exit, watch_exit, watch_recorder
from .registry import remember

if TYPE_CHECKING:
    from .recorder import Recorder

__all__ = ["register"]

_known: dict[int, weakref.ref[Recorder]] = {}  # closed ones too: a fork concerns all
_forks_are_watched = False


def register(recorder: Recorder) -> None:
    """Enrol an open recorder. The first one registers the hooks of the process; importing does not."""
    global _forks_are_watched  # noqa: PLW0603 - one hook per process
    remember(recorder)
    watch_recorder(recorder)
    watch_exit()
    key = id(recorder)
    _known[key] = weakref.ref(recorder, lambda _: _known.pop(key, None))
    if not _forks_are_watched and hasattr(os, "register_at_fork"):
        _forks_are_watched = True
        os.register_at_fork(before=before_fork, after_in_parent=after_fork, after_in_child=_begin_again)


def _begin_again() -> None:
    """Give every recorder of a forked child a delivery of its own. Takes no lock, logs nothing."""
    after_fork_in_child()
    forget_exit()
    for reference in list(_known.values()):
        recorder = reference()
        try:
            if recorder is not None:
                recorder.begin_again()
        except Exception:  # noqa: BLE001 - the next one must begin again all the same
            continue
