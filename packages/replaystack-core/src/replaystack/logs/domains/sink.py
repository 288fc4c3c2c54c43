"""The sink behind `configure_domains`: from entries to the files of their domains, and the console."""

from __future__ import annotations

import logging
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from ...diagnostics import RateLimitedLogger
from ..levels import SEVERITY
from .compression import compress_backups
from .housekeeping import Housekeeping
from .names import ERRORS, OTHER, is_domain_name
from .rendering import RENDERINGS
from .retention import delete_old_backups
from .rotation import RotatingFile
from .slots import Slot

if TYPE_CHECKING:
    from pathlib import Path

    from ..entry import LogEntry
    from .settings import DomainSettings

__all__ = ["Domains"]

_log = RateLimitedLogger(__name__)

_ERROR = SEVERITY["error"]
_DAY_SECONDS = 86400.0
_END_SECONDS = 1.0
"""How long the end waits for a file that is being compressed; what is not is the next process's to do."""


class Domains:
    """Writes each entry to its domain's file, errors to `errors.log` too, all to the console if asked.

    A sink: `emit` may be called from any thread and returns when the line is with the operating
    system. It opens no file before the first entry. A forked child has files of its own.
    """

    def __init__(self, settings: DomainSettings) -> None:
        self.settings: DomainSettings = settings
        self.accepts_pii: bool = settings.accept_pii
        """False unless configured so: entries with personal data reach neither file nor console."""
        self._render = RENDERINGS[settings.format]
        self._begin()

    def _begin(self) -> None:
        # Guards which files there are; each file has a lock for its own lines.
        self._lock = threading.RLock()
        self._files: dict[str, RotatingFile] = {}  # by domain, and by the names of the loggers
        self._domains: set[str] = set()
        self._slot: Slot | None = None
        self._housekeeping = Housekeeping(_report)
        self._retain_at = 0.0
        self.is_closed: bool = False

    # -- entries ----------------------------------------------------------------------------------

    def emit(self, entry: LogEntry) -> None:
        """Write one entry. Raises OSError where the disk refuses."""
        severity = SEVERITY[entry.level]
        if severity < self.settings.severity or self.is_closed:
            return
        text = self._render(entry)
        if self.settings.console and not _is_printed(entry, severity):
            _print(text)
        line = text.encode("utf-8", "backslashreplace")
        file = self._files.get(entry.logger)
        if file is None:
            file = self._file(self._domain(entry.logger), entry.logger)
        try:
            file.write(line)
        finally:
            if severity >= _ERROR:
                (self._files.get(ERRORS) or self._file(ERRORS, ERRORS)).write(line)
        if entry.timestamp >= self._retain_at:
            self._retain(entry.timestamp)

    def _domain(self, name: str) -> str:
        domains = self.settings.domains
        if is_domain_name(name) and (domains is None or name in domains):
            return name
        _log.log(
            logging.WARNING, "replaystack: logger %r is no domain; its entries go to other.log", name[:100]
        )
        return OTHER

    def _file(self, domain: str, logger: str) -> RotatingFile:
        settings = self.settings
        with self._lock:
            file = self._files.get(domain)
            if file is None:
                settings.folder.mkdir(parents=True, exist_ok=True)
                if self._slot is None:
                    self._slot = Slot.take(settings.folder)
                file = self._files[domain] = RotatingFile(
                    settings.folder / f"{domain}{self._slot.suffix}.log",
                    max_bytes=settings.max_bytes,
                    backup_count=settings.backup_count,
                    on_rotated=self._rotated,
                )
                self._domains.add(domain)
                self._rotated(file)  # what an earlier process left uncompressed
            if logger != domain and len(self._files) < _MAX_KNOWN:
                self._files[logger] = file
        return file

    def path_of(self, domain: str) -> Path:
        """Return the file that this process writes for `domain` ("errors" for all errors). Opens it."""
        return self._file(ERRORS if domain == ERRORS else self._domain(domain), domain).path

    # -- chores -----------------------------------------------------------------------------------

    def _rotated(self, file: RotatingFile) -> None:
        if self.settings.compress:
            self._housekeeping.add(partial(compress_backups, file))
        self._retain(time.time())

    def _retain(self, now: float) -> None:
        """Let old backups be deleted: at a file's first entry, at each rotation, and once a day."""
        days = self.settings.retention_days
        self._retain_at = now + _DAY_SECONDS
        if days is None:
            return
        domains = {*self._domains, *(self.settings.domains or ()), ERRORS, OTHER}
        self._housekeeping.add(
            partial(delete_old_backups, self.settings.folder, domains, now - days * _DAY_SECONDS)
        )

    # -- ends -------------------------------------------------------------------------------------

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until rotated files are compressed and old ones deleted; False if it takes longer."""
        return self._housekeeping.wait(timeout_seconds)

    def close(self) -> None:
        """Close the files; later entries are left out. Every line is written already; waits at most 1 s."""
        self.is_closed = True
        self._housekeeping.wait(_END_SECONDS)
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files, self._domains = {}, set()
            if self._slot is not None:
                self._slot.release()
                self._slot = None

    def begin_again(self) -> None:
        """Start with files of its own in a forked child. Takes no lock: the parent may hold it."""
        files, slot, is_closed = self._files, self._slot, self.is_closed
        self._begin()
        self.is_closed = is_closed
        for file in set(files.values()):
            file.lock = threading.RLock()
            file.close()
        if slot is not None:
            slot.release()


_MAX_KNOWN = 10_000
"""How many loggers' files are looked up by the logger's name; names beyond pay for a check each time."""


def _is_printed(entry: LogEntry, severity: int) -> bool:
    """Tell whether a handler of the application prints this entry anyway: no line is on a console twice.

    Every entry is also handed to the standard library's logger of its name, personal data aside.
    """
    if entry.is_pii:
        return False
    logger: logging.Logger | None = logging.getLogger(entry.logger)
    if logger is None or not logger.isEnabledFor(severity):
        return False
    consoles = (sys.stderr, sys.stdout)
    while logger is not None:
        for handler in logger.handlers:
            stream = handler.stream if isinstance(handler, logging.StreamHandler) else None
            if stream is not None and stream in consoles and severity >= handler.level:
                return True
        logger = logger.parent if logger.propagate else None
    return False


def _print(text: str) -> None:
    """Write to the stderr of the moment. A console that is gone costs nothing but its lines."""
    stream = sys.stderr
    if stream is None:
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))
    except (OSError, ValueError):
        pass


def _report(error: BaseException) -> None:
    kind = f"errno {error.errno}" if isinstance(error, OSError) and error.errno else type(error).__name__
    _log.log(logging.WARNING, "replaystack: log files could not be tidied: %s", kind, exc_info=error)
