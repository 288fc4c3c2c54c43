"""Importing requests: once, in the sender's thread, and never while the process forks.

A child that was forked while another thread imported a module waits for ever when it imports
the same module: the lock of a module being imported is not given up by a fork.
"""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["after_fork", "after_fork_in_child", "before_fork", "import_requests"]

_FORK_WAITS_SECONDS = 5.0
"""Far more than the import takes. Beyond it the fork goes on, with the risk that it always had."""

# Held during the import, and by a thread that forks.
_importing = threading.Lock()
_is_held_for_fork = False
_is_done = False


def import_requests() -> Any:
    """Return `requests`, with all that a request of ours imports besides. Takes some 100 ms once."""
    global _is_done  # noqa: PLW0603 - modules are imported once per process
    if _is_done:
        import requests  # noqa: PLC0415 - it is there already

        return requests
    with _importing:
        import requests  # noqa: PLC0415 - lazily, so that importing replaystack stays cheap
        import requests.adapters  # noqa: PLC0415
        import urllib3.connectionpool  # noqa: PLC0415
        import urllib3.util  # noqa: PLC0415, F401

        _is_done = True
    return requests


def before_fork() -> None:
    """Wait for an import that is under way, and hold back the next one."""
    global _is_held_for_fork  # noqa: PLW0603
    if not _is_done and _importing.acquire(timeout=_FORK_WAITS_SECONDS):
        _is_held_for_fork = True


def after_fork() -> None:
    """Go on, in the parent."""
    global _is_held_for_fork  # noqa: PLW0603
    if _is_held_for_fork:
        _is_held_for_fork = False
        _importing.release()


def after_fork_in_child() -> None:
    """Go on, in the child, whoever held the lock."""
    global _importing, _is_held_for_fork
    _importing, _is_held_for_fork = threading.Lock(), False
