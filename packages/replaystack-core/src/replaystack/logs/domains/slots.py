"""Which set of files a process writes: the lowest one that no other process has.

A process holds a lock (`flock`) on the slot's file for as long as it lives; the kernel gives it
back however the process ends. So a process that is started again goes on in the files of the
one before, and workers of one server have a set each.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Slot"]

_MAX_SLOTS = 1000
"""More processes than this in one directory are told apart by their number."""


class Slot:
    """One process's claim. `suffix` goes behind a domain's name: nothing, `@1`, `@2` ..."""

    __slots__ = ("_descriptor", "suffix")

    def __init__(self, suffix: str, descriptor: int | None) -> None:
        self.suffix: str = suffix
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> Slot:
        """Claim the lowest free slot of `folder`, which must exist. Never blocks.

        Where files cannot be locked (Windows, some network shares) the process's number is its
        slot, always.
        """
        try:
            import fcntl  # noqa: PLC0415 - absent on Windows
        except ImportError:
            return cls(f"@{os.getpid()}", None)
        for number in range(_MAX_SLOTS):
            descriptor = os.open(
                folder / f".slot-{number}.lock",
                os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0),
                0o640,
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            except OSError:
                os.close(descriptor)
                break
            return cls(f"@{number}" if number else "", descriptor)
        return cls(f"@{os.getpid()}", None)

    def release(self) -> None:
        """Give the claim back. In a forked child: forget it, it is the parent's for as long as that lives."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
