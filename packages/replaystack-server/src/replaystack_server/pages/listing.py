"""What the page of the list shows, and the URLs that lead on from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from replaystack.event import EVENT_STATUSES

from ..moments import parse_ms
from ..reading.filters import FILTER_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import EventPage, EventSummary

__all__ = ["Listing", "input_moment", "list_url"]


def list_url(filters: Mapping[str, str], **changes: str | None) -> str:
    """Return the URL of the list under `filters`, with some of them changed; None takes one away."""
    wanted = {**filters, **changes}
    pairs = [(name, wanted[name]) for name in (*FILTER_NAMES, "cursor") if wanted.get(name)]
    return f"/?{urlencode(pairs)}" if pairs else "/"


def input_moment(epoch_ms: int | None) -> str:
    """Return a time as `<input type=datetime-local>` takes it; nothing for None."""
    if epoch_ms is None:
        return ""
    return datetime.fromtimestamp(epoch_ms // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list."""

    filters: Mapping[str, str]
    """As they stood in the URL, empty ones left out."""
    cursor: str | None
    page: EventPage
    services: tuple[str, ...]
    last_arrival: int
    """Where the live stream of this page goes on."""
    problem: str | None = None
    """Why the filters cannot be applied."""

    @property
    def events(self) -> tuple[EventSummary, ...]:
        """The rows."""
        return self.page.events

    @property
    def older_url(self) -> str | None:
        """The next page."""
        return list_url(self.filters, cursor=str(self.page.older)) if self.page.older else None

    @property
    def newer_url(self) -> str | None:
        """The previous page."""
        return list_url(self.filters, cursor=str(self.page.newer)) if self.page.newer else None

    @property
    def first_url(self) -> str:
        """The newest page under the same filters."""
        return list_url(self.filters)

    @property
    def status_choices(self) -> list[tuple[str, str, bool]]:
        """Label, URL and whether it is the current one."""
        current = self.filters.get("status")
        return [
            ("all", list_url(self.filters, status=None), current is None),
            *(
                (status, list_url(self.filters, status=status), status == current)
                for status in EVENT_STATUSES
            ),
        ]

    @property
    def stream_query(self) -> str:
        """The query of the stream that matches this page."""
        return urlencode({**self.filters, "kinds": "events", "after": self.last_arrival})

    def input_time(self, name: str) -> str:
        """Return a time filter in the one form that `<input type=datetime-local>` takes."""
        return input_moment(parse_ms(self.filters.get(name, "")))
