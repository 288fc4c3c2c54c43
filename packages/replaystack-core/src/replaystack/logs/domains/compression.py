"""Compression: files that have rolled become gzip files, while others may roll on."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .rotation import RotatingFile

__all__ = ["compress_backups"]

_CHUNK_BYTES = 256 * 1024
_GZIP = 31
"""zlib's window bits for the format of gzip."""


def compress_backups(file: RotatingFile) -> None:
    """Compress the backups of `file` that are not yet. Blocks for as long as that takes; one thread per file.

    A crash in the middle leaves a `.part` file, which the next call replaces, and the original.

    Raises:
        OSError: the disk refuses. The backup stays as it is.

    """
    for number in range(file.backup_count, 0, -1):
        with file.lock:
            seen = file.rotations
            source = _open(file.backup(number))
        if source is None:
            continue
        part = file.path.with_name(f"{file.path.name}.gz.part")
        try:
            _compress(source, part)
        finally:
            os.close(source)
        with file.lock:
            now = number + file.rotations - seen  # it may have moved up meanwhile, or out
            plain = file.backup(now)
            if now > file.backup_count or not plain.exists():
                part.unlink()
                continue
            stat = plain.stat()
            os.utime(part, (stat.st_atime, stat.st_mtime))  # its age is that of its lines
            part.replace(f"{plain}.gz")
            plain.unlink()


def _open(path: Path) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return None


def _compress(source: int, part: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    target = os.open(part, flags, 0o640)
    try:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        while chunk := os.read(source, _CHUNK_BYTES):
            _write(target, squeeze.compress(chunk))
        _write(target, squeeze.flush())
    finally:
        os.close(target)


def _write(target: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(target, left) :]
