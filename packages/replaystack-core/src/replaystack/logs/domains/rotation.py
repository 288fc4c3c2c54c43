"""Rotation: one file that rolls to `.1`, `.2` ... when it would grow too large."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["RotatingFile"]

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_MODE = 0o640
"""The owner writes, the group (a log shipper's, mostly) reads; the umask takes from that."""


class RotatingFile:
    """Appends whole lines, each by one call of the system: what was written outlives the process.

    Any thread. Opens the file at the first line. One process writes one file (`Slot`).
    """

    def __init__(
        self, path: Path, *, max_bytes: int, backup_count: int, on_rotated: Callable[[RotatingFile], None]
    ) -> None:
        self.path = path
        self.max_bytes = max_bytes
        self.backup_count = backup_count
        self.rotations: int = 0
        """How often it has rolled; tells where a file that was `.1` at some time is now."""
        self._on_rotated = on_rotated
        self._descriptor: int | None = None
        self._size = 0
        self._is_torn = False  # the last write was cut short: the next line must not continue it
        # Guards the descriptor and the names of the backups: renaming and writing are one at a time.
        self.lock: AbstractContextManager[object] = threading.RLock()

    def write(self, line: bytes) -> None:
        """Append `line`, which ends with a newline. One that is larger than `max_bytes` has its own file.

        Raises:
            OSError: the disk refuses. What was written of the line stays, on a line of its own.

        """
        rotated = False
        with self.lock:
            if self._descriptor is None:
                self._open()
            if self._size and self._size + len(line) > self.max_bytes > 0:
                self._roll()
                rotated = True
            self._append(line)
        if rotated:
            self._on_rotated(self)

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self.lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def backup(self, number: int) -> Path:
        """Return the name of the `number`-th youngest file that has rolled."""
        return self.path.with_name(f"{self.path.name}.{number}")

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self.path, _FLAGS, _MODE)
        self._size = os.fstat(self._descriptor).st_size
        # A process that was killed, or a full disk, may have left half a line.
        self._is_torn = self._size > 0 and os.pread(self._descriptor, 1, self._size - 1) != b"\n"

    def _append(self, line: bytes) -> None:
        descriptor = self._descriptor
        if descriptor is None:  # cannot be: opened above
            return
        if self._is_torn:
            line = b"\n" + line
        self._is_torn = True
        while line:
            written = os.write(descriptor, line)
            self._size += written
            line = line[written:]  # nearly always nothing: a file takes a line in one piece
        self._is_torn = False

    def _roll(self) -> None:
        """Make room: the oldest backup goes, each other one moves up by one, and so does the file."""
        self.close()
        if self.backup_count <= 0:
            self.path.unlink(missing_ok=True)
        else:
            for number in range(self.backup_count, 0, -1):
                for ending in ("", ".gz"):
                    old = Path(f"{self.backup(number)}{ending}")
                    try:
                        if number == self.backup_count:
                            old.unlink()
                        else:
                            old.replace(f"{self.backup(number + 1)}{ending}")
                    except FileNotFoundError:
                        continue
            self.path.replace(self.backup(1))
        self.rotations += 1
        self._open()
