"""Whether the spool's directory can be used, and what waits in it. Changes nothing, takes no lock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..delivery.records import find
from ..delivery.segments import SegmentDirectory
from .findings import counted, note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config import Config
    from .findings import Finding

__all__ = ["check_spool"]


def check_spool(config: Config) -> Iterator[Finding]:
    """Look at the rights by the spool's own rules, at the free space, and count what waits."""
    if config.spool_path is None:
        text = "none: events that cannot be delivered wait in memory, and end with the process"
        yield ok("spool", f"{text} (spool_path, REPLAYSTACK_SPOOL_PATH)")
        return
    path = Path(config.spool_path).absolute()
    facts: dict[str, Any] = {"path": str(path)}
    try:
        with SegmentDirectory(path).opened() as directory:
            names = _names(directory)
            mode = os.fstat(directory).st_mode & 0o777
    except FileNotFoundError:
        yield _missing(path)
        return
    except OSError as error:
        yield problem("spool", f"{path} cannot be used: {error.strerror or type(error).__name__}", **facts)
        return
    if not os.access(path, os.W_OK | os.X_OK):
        yield problem("spool", f"{path} cannot be written to by this user", **facts)
        return
    events, size, damaged = _count(path, names)
    facts.update(mode=f"{mode:04o}", files=len(names), events=events, bytes=size)
    text = f"{counted(events, 'event')} in {counted(len(names), 'file')}, {size} bytes"
    yield ok("spool", f"{path}: {text}", **facts)
    if damaged:
        text = f"{counted(damaged, 'file')} cannot be read, or with damaged records"
        yield note("spool", text, damaged=damaged)
    yield from _check_room(path, config.spool_max_bytes - size)


def _missing(path: Path) -> Finding:
    """Tell whether the directory could be made: its nearest parent that is there must be writable."""
    parent = next(parent for parent in path.parents if parent.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return ok("spool", f"{path} is not there yet; it is made with the first event", path=str(path))
    return problem("spool", f"{path} is not there, and {parent} cannot be written to", path=str(path))


def _names(directory: int) -> list[str]:
    return sorted(name for name in os.listdir(directory) if name.endswith(".spool1"))


def _count(path: Path, names: list[str]) -> tuple[int, int, int]:
    """Return unsettled events, bytes of files, and how many files are damaged. Reads every file once."""
    events = size = damaged = 0
    for name in names:
        try:
            data = (path / name).read_bytes()
        except OSError:  # its owner may have deleted it meanwhile
            damaged += (path / name).exists()
            continue
        size += len(data)
        start, waiting, is_sound = 0, 0, True
        while (place := find(data, start)) is not None:
            is_sound = is_sound and place.start == start
            waiting = 0 if place.is_settled else waiting + 1  # a mark settles all before it
            start = place.end
        events += waiting
        damaged += not is_sound or start < len(data)
    return events, size, damaged


def _check_room(path: Path, need_bytes: int) -> Iterator[Finding]:
    found = os.statvfs(path)
    free = found.f_bavail * found.f_frsize
    if free < need_bytes:
        text = f"{free} bytes are free, and spool_max_bytes allows {need_bytes} more"
        yield note("spool", f"{text}: when the disk is full, events wait in memory", free=free)
