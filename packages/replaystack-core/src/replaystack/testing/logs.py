"""For users' tests: what ReplayStack's loggers said, personal data included."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..logs import LogEntry, add_sink, flat, read_level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["CapturedLogs", "captured_logs"]


class CapturedLogs:
    """The entries of a block, in the order of their calls. Safe from any thread."""

    accepts_pii = True

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []

    def emit(self, entry: LogEntry) -> None:
        """Keep an entry."""
        self.entries.append(entry)

    @property
    def messages(self) -> list[str]:
        """What was said."""
        return [entry.message for entry in self.entries]

    def of(self, logger: str | None = None, level: str | None = None) -> list[LogEntry]:
        """Return the entries of a logger, of a level, or both."""
        wanted = None if level is None else read_level(level)
        return [
            entry
            for entry in self.entries
            if logger in (None, entry.logger) and (wanted is None or entry.level == wanted)
        ]

    @property
    def flat(self) -> list[dict[str, Any]]:
        """Return the entries as flat dicts: level, content, is_pii, timestamp, logger, and the fields."""
        return [flat(entry) for entry in self.entries]


@contextmanager
def captured_logs() -> Iterator[CapturedLogs]:
    """Keep what every ReplayStack logger of this process says during the block. Needs no client.

    What is below a logger's level is not said, and not kept.
    """
    captured = CapturedLogs()
    remove = add_sink(captured)
    try:
        yield captured
    finally:
        remove()
