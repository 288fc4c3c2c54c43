"""Breadcrumbs and log entries on one line of time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..moments import parse_ms
from .texts import clock_text, duration_text

__all__ = ["Moment", "timeline"]

_Kind = Literal["breadcrumb", "log"]
_KINDS: Final[tuple[tuple[_Kind, str], ...]] = (("breadcrumb", "breadcrumbs"), ("log", "logs"))

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
    clock: str
    """Time of day in UTC; empty if the entry had none."""
    offset: str
    """Since the first step: `+12 ms`."""


def timeline(event: Mapping[str, Any]) -> list[Moment]:
    """Return the steps of an event in the order of their times; equal times keep their order."""
    found: list[tuple[float, _Kind, Mapping[str, Any]]] = []
    for kind, key in _KINDS:
        entries = event.get(key)
        entries = entries if isinstance(entries, list) else []
        found += [(_time(entry), kind, entry) for entry in entries if isinstance(entry, Mapping)]
    found.sort(key=lambda step: step[0])
    first = found[0][0] if found else _NO_TIME
    return [_moment(time, kind, entry, first) for time, kind, entry in found]


def _moment(time: float, kind: _Kind, entry: Mapping[str, Any], first: float) -> Moment:
    metadata = entry.get("metadata")
    details = dict(metadata) if isinstance(metadata, Mapping) else {}
    reserved = details.pop("replaystack", None)
    logger = reserved.get("logger") if isinstance(reserved, Mapping) else None
    return Moment(
        kind=kind,
        level=str(entry.get("level") or "info").lower(),
        source=str(entry.get("category") or logger or ""),
        message=str(entry.get("message") or ""),
        details=details,
        clock="" if time == _NO_TIME else clock_text(int(time)),
        offset="" if time == _NO_TIME else f"+{duration_text(time - first)}",
    )


def _time(entry: Mapping[str, Any]) -> float:
    timestamp = entry.get("timestamp")
    moment = parse_ms(timestamp) if isinstance(timestamp, str) else None
    return _NO_TIME if moment is None else moment
