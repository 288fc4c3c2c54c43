"""Breadcrumbs and log entries on one line of time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from ..moments import parse_ms
from .texts import clock_text, duration_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..store import LogRecord

__all__ = ["Moment", "grouped_logs", "timeline"]

_Kind = Literal["breadcrumb", "log"]
_NO_TIME: Final = math.inf
"""Sorts what has no readable time behind everything that has one."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One step."""

    kind: _Kind
    level: str
    source: str
    """The breadcrumb's category or the entry's logger."""
    message: str
    details: Mapping[str, Any]
    clock: str = ""
    """Time of day in UTC; empty if the entry had none."""
    offset: str = ""
    """Since the first step: `+12 ms`."""


def timeline(event: Mapping[str, Any], logs: Sequence[LogRecord] = ()) -> list[Moment]:
    """Return breadcrumbs and logs in the order of their times; equal times keep their order."""
    crumbs = event.get("breadcrumbs")
    found = [
        _crumb(entry) for entry in (crumbs if isinstance(crumbs, list) else []) if isinstance(entry, Mapping)
    ]
    found += [(log.occurred_ms, _log_moment(log)) for log in logs]
    found.sort(key=lambda step: step[0])
    first = found[0][0] if found else _NO_TIME
    return [
        moment
        if time == _NO_TIME
        else replace(moment, clock=clock_text(int(time)), offset=f"+{duration_text(time - first)}")
        for time, moment in found
    ]


def grouped_logs(logs: Sequence[LogRecord]) -> list[tuple[str, list[LogRecord]]]:
    """Return the logs by logger, in the order in which loggers first spoke."""
    groups: dict[str, list[LogRecord]] = {}
    for log in logs:
        groups.setdefault(log.logger or "app", []).append(log)
    return list(groups.items())


def _crumb(entry: Mapping[str, Any]) -> tuple[float, Moment]:
    metadata = entry.get("metadata")
    return _time(entry), Moment(
        kind="breadcrumb",
        level=str(entry.get("level") or "info").lower(),
        source=str(entry.get("category") or ""),
        message=str(entry.get("message") or ""),
        details=dict(metadata) if isinstance(metadata, Mapping) else {},
    )


def _log_moment(log: LogRecord) -> Moment:
    return Moment(
        kind="log",
        level="warning" if log.level == "warn" else log.level,
        source=log.logger or "",
        message=log.message,
        details=log.data or {},
    )


def _time(entry: Mapping[str, Any]) -> float:
    timestamp = entry.get("timestamp")
    moment = parse_ms(timestamp) if isinstance(timestamp, str) else None
    return _NO_TIME if moment is None else moment
