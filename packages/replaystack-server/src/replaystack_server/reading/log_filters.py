"""The filters of logs as they stand in a URL; the same for API, pages and stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query

from replaystack.logs.formats import LEVELS, level_of

from ..answers import Refusal
from ..moments import parse_ms
from ..store import SEARCH_FIELDS, LogQuery, parse_search
from .filters import read_texts

__all__ = ["LOG_FILTER_NAMES", "LogFilterParameters", "StreamLogFilters", "parse_log_filters", "parse_moment"]

LOG_FILTER_NAMES: Final = (
    "level",
    "minLevel",
    "source",
    "environment",
    "dataset",
    "logger",
    "userId",
    "sessionId",
    "requestId",
    "flowId",
    "eventId",
    "from",
    "to",
    "q",
)


@dataclass(slots=True)
class LogFilterParameters:
    """As a FastAPI dependency: describes the filters in the OpenAPI document."""

    level: Annotated[str | None, Query(description=f"exactly one of {', '.join(LEVELS)}")] = None
    min_level: Annotated[str | None, Query(alias="minLevel", description="that level and above")] = None
    source: str | None = None
    environment: str | None = None
    dataset: str | None = None
    logger: str | None = None
    user_id: Annotated[str | None, Query(alias="userId")] = None
    session_id: Annotated[str | None, Query(alias="sessionId")] = None
    request_id: Annotated[str | None, Query(alias="requestId")] = None
    flow_id: Annotated[str | None, Query(alias="flowId")] = None
    event_id: Annotated[str | None, Query(alias="eventId")] = None
    from_: Annotated[str | None, Query(alias="from", description="not before: milliseconds or ISO 8601")] = (
        None
    )
    to: Annotated[str | None, Query(description="before this time")] = None

    def query(self, q: str = "", fields: tuple[str, ...] = ("message",)) -> LogQuery:
        """Return what the store is asked; raises like `parse_log_filters`."""
        given = {
            "level": self.level,
            "minLevel": self.min_level,
            "source": self.source,
            "environment": self.environment,
            "dataset": self.dataset,
            "logger": self.logger,
            "userId": self.user_id,
            "sessionId": self.session_id,
            "requestId": self.request_id,
            "flowId": self.flow_id,
            "eventId": self.event_id,
            "from": self.from_,
            "to": self.to,
            "q": q,
        }
        return parse_log_filters({name: text for name, text in given.items() if text}, fields)


@dataclass(slots=True)
class StreamLogFilters:
    """Those of a stream, where `source` and the like restrict its logs and not its events.

    `q`, `from` and `to` are those of events, unless the stream is about logs alone.
    """

    level: Annotated[str | None, Query(description="of logs: exactly that level")] = None
    min_level: Annotated[str | None, Query(alias="minLevel", description="of logs: that and above")] = None
    source: Annotated[str | None, Query(description="of logs")] = None
    environment: Annotated[str | None, Query(description="of logs")] = None
    dataset: Annotated[str | None, Query(description="of logs")] = None
    logger: Annotated[str | None, Query(description="of logs")] = None
    user_id: Annotated[str | None, Query(alias="userId", description="of logs")] = None
    session_id: Annotated[str | None, Query(alias="sessionId", description="of logs")] = None
    request_id: Annotated[str | None, Query(alias="requestId", description="of logs")] = None
    flow_id: Annotated[str | None, Query(alias="flowId", description="of logs")] = None
    event_id: Annotated[str | None, Query(alias="eventId", description="of logs")] = None

    def query(self, shared: Mapping[str, str]) -> LogQuery:
        """Return what the store is asked; raises like `parse_log_filters`.

        Args:
            shared: `q`, `from` and `to`, where they are about logs.

        """
        given = {
            "level": self.level,
            "minLevel": self.min_level,
            "source": self.source,
            "environment": self.environment,
            "dataset": self.dataset,
            "logger": self.logger,
            "userId": self.user_id,
            "sessionId": self.session_id,
            "requestId": self.request_id,
            "flowId": self.flow_id,
            "eventId": self.event_id,
            **{name: shared.get(name) for name in ("q", "from", "to")},
        }
        return parse_log_filters({name: text for name, text in given.items() if text})


def parse_log_filters(given: Mapping[str, str], fields: tuple[str, ...] = tuple(SEARCH_FIELDS)) -> LogQuery:
    """Return what the store is asked. Empty values restrict nothing.

    Args:
        given: by the names of `LOG_FILTER_NAMES`.
        fields: what `q` is looked for in.

    Raises:
        Refusal: 400, naming the filter.

    """
    texts = read_texts(given, LOG_FILTER_NAMES)
    return LogQuery(
        level=_level("level", texts["level"]),
        min_level=_level("minLevel", texts["minLevel"]),
        source=texts["source"] or None,
        environment=texts["environment"] or None,
        dataset=texts["dataset"] or None,
        logger=texts["logger"] or None,
        user_id=texts["userId"] or None,
        session_id=texts["sessionId"] or None,
        request_id=texts["requestId"] or None,
        flow_id=texts["flowId"] or None,
        event_id=texts["eventId"].lower() or None,
        search=parse_search(texts["q"], fields) if texts["q"] else None,
        from_ms=parse_moment("from", texts["from"]),
        to_ms=parse_moment("to", texts["to"]),
    )


def parse_moment(name: str, text: str) -> int | None:
    """Return the milliseconds that a filter names; None for an empty one.

    Raises:
        Refusal: 400, naming the filter.

    """
    if not text:
        return None
    moment = (
        int(text)
        if text.isascii() and text.isdigit() and len(text) < 15 and len(text) > 4
        else parse_ms(text)
    )
    if moment is None or moment < 0:
        raise Refusal(400, f"{name}: expected milliseconds or a time such as 2026-11-20T14:05:31Z")
    return moment


def _level(name: str, text: str) -> str | None:
    if not text:
        return None
    level = level_of(text)
    if level is None:
        raise Refusal(400, f"{name}: expected one of {', '.join(LEVELS)}")
    return level
