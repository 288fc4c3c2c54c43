"""Promises of entries and of the sinks of a process."""

from __future__ import annotations

import pytest

from replaystack.logs import LogEntry, Sink, add_sink, local_sinks
from replaystack.logs.sinks import emit_to_sinks


class Kept:
    def __init__(self, *, accepts_pii: bool = False) -> None:
        self.accepts_pii = accepts_pii
        self.entries: list[LogEntry] = []

    def emit(self, entry: LogEntry) -> None:
        self.entries.append(entry)


class Broken(Kept):
    def emit(self, entry: LogEntry) -> None:
        raise OSError("the disk is full")


ENTRY = LogEntry("0", 1.5, "info", "m", "app")


def fail(error: BaseException, sink: Sink) -> None:
    """Let the test fail with what a sink raised."""
    raise AssertionError from error


def test_an_entry_cannot_be_changed() -> None:
    """What a logger said stays said: no attribute of an entry can be set."""
    with pytest.raises(AttributeError):
        ENTRY.message = "other"  # type: ignore[misc]  # that is what is tested
    with pytest.raises(TypeError):
        ENTRY.fields["a"] = 1  # type: ignore[index]  # same
    assert not hasattr(ENTRY, "__dict__")


def test_a_sink_is_added_once_and_removed() -> None:
    """A sink that is added twice gets each entry once, and none after its removal."""
    sink = Kept()
    remove = add_sink(sink)
    add_sink(sink)
    emit_to_sinks(local_sinks(), ENTRY, fail)
    remove()
    emit_to_sinks(local_sinks(), ENTRY, fail)
    assert sink.entries == [ENTRY]
    assert isinstance(sink, Sink)


def test_personal_data_reaches_no_sink_that_did_not_ask() -> None:
    """An entry marked as PII goes to those sinks alone that say, with True itself, that they may."""
    closed, open_, unsure = Kept(), Kept(accepts_pii=True), Kept()
    unsure.accepts_pii = "no"  # type: ignore[assignment]  # a careless setting
    emit_to_sinks((closed, open_, unsure), ENTRY._replace(is_pii=True), fail)
    assert [len(sink.entries) for sink in (closed, open_, unsure)] == [0, 1, 0]


def test_a_broken_sink_keeps_nothing_from_the_next() -> None:
    """What a sink raises is reported, and the sink behind it gets its entry."""
    reported: list[tuple[str, Sink]] = []
    broken, next_one = Broken(), Kept()
    emit_to_sinks((broken, next_one), ENTRY, lambda error, sink: reported.append((str(error), sink)))
    assert next_one.entries == [ENTRY]
    assert reported == [("the disk is full", broken)]
