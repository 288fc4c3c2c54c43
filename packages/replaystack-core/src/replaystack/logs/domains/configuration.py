"""`configure_domains`: from here on every logger of ours writes files."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import TYPE_CHECKING, Literal

from ..sinks import add_sink, remove_sink
from .settings import checked_settings
from .sink import Domains

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["STANDARD_DOMAINS", "configure_domains"]

_log = logging.getLogger(__name__)

STANDARD_DOMAINS: tuple[str, ...] = (
    "agents",
    "services",
    "scheduler",
    "providers",
    "mockup",
    "adapters",
    "data",
    "presentation",
)
"""The domains of the seed; `domains=STANDARD_DOMAINS` allows these and no others."""

_lock = threading.RLock()  # guards which configuration is in force
_current: Domains | None = None
_is_watched = False


def configure_domains(
    log_dir: str | os.PathLike[str] = "logs",
    *,
    domains: Iterable[str] | None = None,
    level: str | int = "DEBUG",
    console: bool = True,
    format: Literal["text", "json"] = "text",
    max_bytes: int = 10 * 1024 * 1024,
    backup_count: int = 5,
    compress: bool = True,
    retention_days: float | None = 30,
    accept_pii: bool = False,
) -> Domains:
    """Let each logger of ours write to `<log_dir>/<its name>.log`, and errors to `errors.log` as well.

    Opens nothing before the first entry. The same configuration again changes nothing; another one
    takes the place of the first, with one WARNING that names both directories.

    Args:
        log_dir: made where it is missing.
        domains: the names that have files; all others share `other.log`. None: every name.
        level: what is less grave is neither written nor printed.
        console: print each entry to stderr, too.
        format: "text" lines for people, or one JSON object per line.
        max_bytes: a file rolls before it grows beyond.
        backup_count: how many rolled files of a domain are kept; 0 keeps none.
        compress: gzip rolled files, on a thread that lives as long as that takes.
        retention_days: rolled files that were last written to longer ago are deleted: at a
            file's first entry, at each rotation, and once a day. None keeps them.
        accept_pii: also write and print entries that are marked as personal data.

    Returns:
        The sink. `close()` ends it; at exit nothing is needed, every line is written at once.

    Raises:
        ConfigError: (a `ValueError`) an argument cannot work.

    """
    global _current, _is_watched  # noqa: PLW0603 - one configuration per process
    settings = checked_settings(
        log_dir,
        domains=domains,
        level=level,
        console=console,
        format=format,
        max_bytes=max_bytes,
        backup_count=backup_count,
        compress=compress,
        retention_days=retention_days,
        accept_pii=accept_pii,
    )
    with _lock:
        before = _current
        if before is not None and not before.is_closed:
            if before.settings == settings:
                return before
            _log.warning(
                "replaystack: log files were configured already: from now on they are in %s, no longer in %s",
                settings.folder,
                before.settings.folder,
            )
        if before is not None:
            remove_sink(before)
            before.close()
        _current = Domains(settings)
        add_sink(_current)
        if not _is_watched:
            _is_watched = True
            atexit.register(_at_exit)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_in_child)
        return _current


def _at_exit() -> None:
    """Let a file that is being compressed be finished, within a bound. Lines are written already.

    The files stay open to whoever logs even later.
    """
    if _current is not None:
        _current.wait(_EXIT_SECONDS)


_EXIT_SECONDS = 1.0
"""10 MiB take a third of it; what is not done then, the next process does."""


def _in_child() -> None:
    global _lock  # noqa: PLW0603 - a thread of the parent may have held it
    _lock = threading.RLock()
    if _current is not None:
        _current.begin_again()
