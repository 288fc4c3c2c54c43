"""Where entries go inside this process: files, consoles, other logging systems, tests.

A sink is any object with `accepts_pii` and `emit`. Sinks belong to the process and not to a
client, so that a logger without any client still writes somewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .entry import LogEntry

__all__ = ["Sink", "add_sink", "emit_to_sinks", "local_sinks", "remove_sink"]


@runtime_checkable
class Sink(Protocol):
    """Takes entries on the thread that logs.

    `emit` must not block for long. What it raises is reported by the caller and harms nobody.
    What it logs itself, by a ReplayStack logger, goes to no sink.
    """

    accepts_pii: bool
    """Whether entries marked as PII may be handed to it. Read for each such entry."""

    def emit(self, entry: LogEntry) -> None:
        """Write, or pass on, one entry. Called by several threads at once."""


_sinks: tuple[Sink, ...] = ()


def add_sink(sink: Sink) -> Callable[[], None]:
    """Let every entry of this process reach `sink` from now on; twice is once. Returns its removal."""
    global _sinks  # noqa: PLW0603 - a tuple that is replaced as a whole: readers need no lock
    if not any(known is sink for known in _sinks):
        _sinks = (*_sinks, sink)
    return lambda: remove_sink(sink)


def remove_sink(sink: Sink) -> None:
    """Hand no more entries to `sink`. It is neither flushed nor closed: that is its owner's."""
    global _sinks  # noqa: PLW0603 - as above
    _sinks = tuple(known for known in _sinks if known is not sink)


def local_sinks() -> tuple[Sink, ...]:
    """Return the sinks of this process, in the order in which they were added."""
    return _sinks


def emit_to_sinks(
    sinks: tuple[Sink, ...], entry: LogEntry, report: Callable[[BaseException, Sink], None]
) -> None:
    """Hand `entry` to each sink that may have it. Never raises; `report` gets what a sink raised."""
    for sink in sinks:
        try:
            if not entry.is_pii or sink.accepts_pii is True:
                sink.emit(entry)
        except Exception as error:  # noqa: BLE001 - a sink is foreign code: the next one gets its entry
            report(error, sink)
