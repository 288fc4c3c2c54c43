"""What the page of logs shows, and the URLs that lead on from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from replaystack.logs.formats import LEVELS

from ..moments import parse_ms
from ..reading.log_filters import LOG_FILTER_NAMES
from .listing import input_moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..store import LogPage, LogRecord, StoredLog

__all__ = ["LogListing", "logs_url", "shown_fields"]

_FIELDS: Final = {
    "environment": "environment",
    "version": "version",
    "dataset": "dataset",
    "user": "user_id",
    "session": "session_id",
    "request": "request_id",
    "address": "ip_address",
    "country": "country",
}
"""What stands under a log beside its data."""


def logs_url(filters: Mapping[str, str], **changes: str | None) -> str:
    """Return the URL of the page under `filters`, with some of them changed; None takes one away."""
    wanted = {**filters, **changes}
    pairs = [(name, wanted[name]) for name in (*LOG_FILTER_NAMES, "cursor") if wanted.get(name)]
    return f"/logs?{urlencode(pairs)}" if pairs else "/logs"


def shown_fields(log: LogRecord) -> list[tuple[str, Any]]:
    """Return what a log holds beside message and error, by name: its own data first."""
    fields: list[tuple[str, Any]] = list((log.data or {}).items())
    if log.tags:
        fields.append(("tags", ", ".join(log.tags)))
    fields += [(label, getattr(log, name)) for label, name in _FIELDS.items() if getattr(log, name)]
    return fields


@dataclass(frozen=True, slots=True)
class LogListing:
    """One page of logs."""

    filters: Mapping[str, str]
    """As they stood in the URL, empty ones left out."""
    cursor: str | None
    page: LogPage
    last_arrival: int
    """Of the logs that the viewer may see: where the live stream of this page goes on."""
    place: str
    """The same as the id of a message of the stream."""
    problem: str | None = None
    """Why the filters cannot be applied."""

    @property
    def logs(self) -> tuple[StoredLog, ...]:
        """The rows."""
        return self.page.logs

    @property
    def older_url(self) -> str | None:
        """The next page."""
        return logs_url(self.filters, cursor=str(self.page.older)) if self.page.older else None

    @property
    def newer_url(self) -> str | None:
        """The previous page."""
        return logs_url(self.filters, cursor=str(self.page.newer)) if self.page.newer else None

    @property
    def first_url(self) -> str:
        """The newest page under the same filters."""
        return logs_url(self.filters)

    @property
    def level_choices(self) -> list[tuple[str, str, bool]]:
        """Label, URL and whether it is the current one; each means that level and above."""
        current = self.filters.get("minLevel")
        return [
            ("all", logs_url(self.filters, minLevel=None), current is None),
            *(
                (level, logs_url(self.filters, minLevel=level), level == current)
                for level in reversed(LEVELS[1:])
            ),
        ]

    @property
    def stream_query(self) -> str:
        """The query of the stream that matches this page."""
        return urlencode({**self.filters, "kinds": "logs", "after": self.place})

    @property
    def fixed_filters(self) -> list[tuple[str, str, str]]:
        """Name, value and the URL without it, of filters that the form has no field for."""
        shown = {"q", "minLevel", "source", "logger", "from", "to"}
        return [
            (name, value, logs_url(self.filters, **{name: None}))
            for name, value in self.filters.items()
            if name not in shown
        ]

    def input_time(self, name: str) -> str:
        """Return a time filter in the one form that `<input type=datetime-local>` takes."""
        return input_moment(parse_ms(self.filters.get(name, "")))
