"""Server-sent events: what arrives, as it arrives, and again after a reconnect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from starlette.concurrency import run_in_threadpool

from ..store import StoreError
from .feed import FeedFullError
from .summaries import summary_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..service import Service
    from ..store import EventQuery, EventSummary, Viewer

__all__ = ["HEADERS", "event_messages", "resume_after"]

HEADERS: Final = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}

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


async def event_messages(
    service: Service, viewer: Viewer, query: EventQuery, after: int
) -> AsyncIterator[bytes]:
    """Yield messages until the server shuts down; exactly one for each event, in order of arrival.

    Its `event:` is `event.failed` for a failed event and `event.created` for any other.
    """
    try:
        with service.feed.subscribe() as subscription:
            yield _RETRY
            while not service.feed.is_closed:
                arrivals = await run_in_threadpool(service.store.arrivals, viewer, query, after, _BATCH)
                for event in arrivals.events:
                    yield _message(event)
                after = arrivals.last
                # Also after a timeout the store is asked again: another process may have written.
                if not arrivals.more and not await subscription.wait(service.settings.heartbeat_seconds):
                    yield _HEARTBEAT
    except (StoreError, FeedFullError):
        return  # the reader connects again, with the last id it has seen


def _message(event: EventSummary) -> bytes:
    kind = b"event.failed" if event.status == "failed" else b"event.created"
    # orjson writes no line breaks, so the data is one line.
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.arrival, kind, orjson.dumps(summary_json(event)))
