"""Server-sent events: what arrives, as it arrives, and again after a reconnect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson
from starlette.concurrency import run_in_threadpool

from ..store import StoreError
from .feed import FeedFullError
from .log_summaries import log_json
from .summaries import summary_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..service import Service
    from ..store import EventQuery, EventSummary, LogQuery, StoredLog, Viewer

__all__ = [
    "HEADERS",
    "Place",
    "Subject",
    "event_messages",
    "resume_after",
    "resume_place",
    "spelled_place",
]

HEADERS: Final = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}

_PLACE: Final = re.compile(r"([0-9]{1,18})(?:-([ap])([0-9]{1,18}))?")
"""The id of a message: an arrival among events; with logs also one among all of them, or the public ones."""

_BATCH: Final = 100
"""Messages per read of the store, and thus the most that one slow reader keeps in memory."""

_RETRY: Final = b"retry: 2000\n\n"
"""Milliseconds after which a browser connects again."""

_HEARTBEAT: Final = b": heartbeat\n\n"


def resume_after(presented: str | None, last_arrival: int) -> int:
    """Return the arrival after which a stream starts.

    Without an id it starts now. So it does with one that this store has not reached: that id
    is from an earlier database, and waiting for the count to catch up would hide everything.
    """
    if presented is None or not (presented.isascii() and presented.isdigit()):
        return last_arrival
    # The length is bounded before `int`, which takes its time over a million digits.
    return int(presented) if len(presented) < 19 and int(presented) <= last_arrival else last_arrival


@dataclass(frozen=True, slots=True)
class Place:
    """How far a stream has come: an arrival among events, and one among the logs that its reader sees."""

    event: int
    log: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stream is about; None: not about those."""

    events: EventQuery | None
    logs: LogQuery | None


def resume_place(presented: str | None, now: Place, viewer: Viewer) -> Place:
    """Return the place after which a stream starts; `resume_after` for both kinds.

    Logs are counted apart for readers with and without the PII permission: the id of the one is
    no place for the other, whose logs start now.
    """
    match = _PLACE.fullmatch(presented or "")
    if match is None:
        return now
    event, kind, log = match.groups()
    is_same_kind = kind == _kind(viewer)
    return Place(resume_after(event, now.event), resume_after(log if is_same_kind else None, now.log))


async def event_messages(
    service: Service, viewer: Viewer, subject: Subject, start: Place
) -> AsyncIterator[bytes]:
    """Yield messages until the server shuts down; exactly one for each event or log, in order of arrival.

    Its `event:` is `event.failed` for a failed event, `event.created` for any other, `log.created` for a log.
    """
    after = start.event
    after_log = start.log
    try:
        with service.feed.subscribe() as subscription:
            yield _RETRY
            while not service.feed.is_closed:
                more = False
                if subject.events is not None:
                    found = await run_in_threadpool(
                        service.store.arrivals, viewer, subject.events, after, _BATCH
                    )
                    for event in found.events:
                        place = Place(event.arrival, after_log) if subject.logs is not None else None
                        yield _message(event, place, viewer)
                    after, more = found.last, found.more
                if subject.logs is not None:
                    logs = await run_in_threadpool(
                        service.store.logs.arrivals, viewer, subject.logs, after_log, _BATCH
                    )
                    for log in logs.logs:
                        yield _log_message(log, Place(after, log.arrival), viewer)
                    after_log, more = logs.last, more or logs.more
                # Also after a timeout the store is asked again: another process may have written.
                if not more and not await subscription.wait(service.settings.heartbeat_seconds):
                    yield _HEARTBEAT
    except (StoreError, FeedFullError):
        return  # the reader connects again, with the last id it has seen


def _kind(viewer: Viewer) -> str:
    return "a" if viewer.may_read_pii else "p"


def spelled_place(place: Place, viewer: Viewer) -> bytes:
    """Return the id of a message at that place; a stream goes on behind it."""
    return b"%d-%b%d" % (place.event, _kind(viewer).encode(), place.log)


def _message(event: EventSummary, place: Place | None, viewer: Viewer) -> bytes:
    kind = b"event.failed" if event.status == "failed" else b"event.created"
    identity = b"%d" % event.arrival if place is None else spelled_place(place, viewer)
    # orjson writes no line breaks, so the data is one line.
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (identity, kind, orjson.dumps(summary_json(event)))


def _log_message(log: StoredLog, place: Place, viewer: Viewer) -> bytes:
    data = orjson.dumps(log_json(log.record))
    return b"id: %b\nevent: log.created\ndata: %b\n\n" % (spelled_place(place, viewer), data)
