"""Retention: files that have rolled and are too old are deleted, whichever process wrote them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["delete_old_backups"]


def delete_old_backups(folder: Path, domains: Iterable[str], older_than: float) -> list[Path]:
    """Delete the backups of `domains` in `folder` last written before `older_than` (seconds since the epoch).

    Of every set of files, so also of processes that are no more; the files that are being written
    to never. Returns what was deleted. What cannot be read or deleted is left.
    """
    names = "|".join(map(re.escape, domains))
    backups = re.compile(rf"(?:{names})(?:@\d+)?\.log\.\d+(?:\.gz)?")
    deleted: list[Path] = []
    try:
        found = list(folder.iterdir())
    except OSError:
        return deleted
    for path in found:
        if backups.fullmatch(path.name) is None:
            continue
        try:
            if path.lstat().st_mtime < older_than:
                path.unlink()
                deleted.append(path)
        except OSError:
            continue  # another process was quicker, or it is not ours to delete
    return deleted
