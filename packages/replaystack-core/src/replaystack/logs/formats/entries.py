"""One log entry under the names of the wire: gaps filled, checked against its limits, made plain."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .levels import LEVELS, level_of
from .problems import Issue
from .times import parse_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    _Problems = Iterator[tuple[tuple[str | int, ...], str]]

__all__ = ["MOST_MESSAGE", "Defaults", "Entry", "clip", "complete", "is_marked_pii"]

Entry = dict[str, Any]
"""Keys of WIRE.md section 2, values of JSON."""

MOST_MESSAGE: Final = 10_000
_LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, beyond which no date can be written."""

_MOST_TAGS, _LONGEST_TAG = 20, 50
_MOST_STEPS: Final = 1000
_UUID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
_PII_SPELLINGS: Final = ("isPii", "is_pii", "pii", "PII", "ispii", "isPII")
"""Whoever misspells the flag means it: the entry is kept from readers all the same."""

# Characters, as the Timberlogs seed counts them: the least and the most.
_TEXTS: Final = {
    "message": (1, MOST_MESSAGE),
    "source": (1, 100),
    "environment": (1, 50),
    "version": (0, 50),
    "dataset": (0, 50),
    "flowId": (0, 50),
    "userId": (0, 100),
    "sessionId": (0, 100),
    "requestId": (0, 100),
    "errorName": (0, 200),
    "errorStack": (0, MOST_MESSAGE),
    "ipAddress": (0, 100),
    "country": (0, 10),
    "logger": (0, 200),
}
_REQUIRED: Final = ("level", "message", "source", "environment")
KNOWN_FIELDS: Final = frozenset(
    {*_TEXTS, *_PII_SPELLINGS, "id", "level", "data", "tags", "stepIndex", "timestamp"}
)


@dataclass(frozen=True, slots=True)
class Defaults:
    """The query of a raw request: each fills a gap and replaces nothing."""

    source: str | None = None
    environment: str | None = None
    level: str | None = None
    dataset: str | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """Return those that are given, not empty, as they stand in the query."""
        given = (
            ("source", self.source),
            ("environment", self.environment),
            ("level", self.level),
            ("dataset", self.dataset),
        )
        return [(name, value) for name, value in given if value]


def complete(entry: Entry, index: int, defaults: Defaults, *, level: str | None = None) -> Entry:
    """Return a new entry that may be stored: canonical level, `isPii` a bool, unknown keys under `data`.

    Null counts as absent. Never cuts anything: what is too long is an issue.

    Args:
        entry: as a parser gave it.
        index: its place among the logs of the request, for the paths of issues.
        defaults: the query.
        level: what an entry without any is, for formats that do not know levels.

    Raises:
        InvalidEntryError: with the issues.

    """
    found = {key: value for key, value in entry.items() if value is not None}
    for name, value in defaults.pairs():
        found.setdefault(name, value)
    if level is not None:
        found.setdefault("level", level)
    issues = [
        Issue(("logs", index, *path), message)
        for name, check in _CHECKS.items()
        if name in found
        for path, message in check(name, found)
    ]
    issues += [Issue(("logs", index, name), "is required") for name in _REQUIRED if name not in found]
    if issues:
        raise InvalidEntryError(issues)
    found["isPii"] = is_marked_pii(found)
    unknown = {key: found.pop(key) for key in [*found] if key not in KNOWN_FIELDS}
    for spelling in _PII_SPELLINGS[1:]:
        found.pop(spelling, None)
    if unknown or "data" in found:
        data = found.get("data", {})
        found["data"] = unknown | (data if isinstance(data, dict) else {"value": data})
    return found


class InvalidEntryError(ValueError):
    """One entry that may not be stored."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(issue.message for issue in issues))
        self.issues = issues


def is_marked_pii(entry: Entry) -> bool:
    """Tell whether the entry holds personal data by its own word, in any spelling; the word "false" is no."""
    return any(
        value.strip().lower() not in {"", "0", "false", "no"} if isinstance(value, str) else bool(value)
        for name in _PII_SPELLINGS
        if (value := entry.get(name)) is not None
    )


def clip(text: str, most: int = MOST_MESSAGE) -> str:
    """Return `text` in at most `most` characters; a cut is marked with how long it was."""
    if len(text) <= most:
        return text
    mark = f"… [truncated, {len(text)} characters]"
    return text[: max(0, most - len(mark))] + mark if most > len(mark) else text[: most - 1] + "…"


# -- one check per key: yields (path, message), and may make the value plain in `found`


def _text(name: str, found: Entry) -> _Problems:
    value = found[name]
    least, most = _TEXTS[name]
    if not isinstance(value, str):
        yield (name,), f"expected a string, got {_kind(value)}"
    elif not least <= len(value) <= most:
        yield (name,), f"expected {least} to {most} characters, got {len(value)}"


def _level(name: str, found: Entry) -> _Problems:
    level = level_of(found[name])
    if level is None:
        yield (name,), f"expected one of {', '.join(LEVELS)}"
    found[name] = level


def _tags(name: str, found: Entry) -> _Problems:
    tags = found[name]
    if not isinstance(tags, list):
        yield (name,), f"expected a list of strings, got {_kind(tags)}"
        return
    if len(tags) > _MOST_TAGS:
        yield (name,), f"expected at most {_MOST_TAGS} tags, got {len(tags)}"
    for index, tag in enumerate(tags[: _MOST_TAGS + 1]):
        if not isinstance(tag, str):
            yield (name, index), f"expected a string, got {_kind(tag)}"
        elif len(tag) > _LONGEST_TAG:
            yield (name, index), f"expected at most {_LONGEST_TAG} characters, got {len(tag)}"


def _step(name: str, found: Entry) -> _Problems:
    step = found[name]
    if type(step) is not int or not 0 <= step <= _MOST_STEPS:
        yield (name,), f"expected a whole number from 0 to {_MOST_STEPS}"


def _timestamp(name: str, found: Entry) -> _Problems:
    value = found[name]
    moment: float | None = parse_ms(value) if isinstance(value, str) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        moment = value
    if moment is None or not math.isfinite(moment) or not 0 <= moment <= _LATEST_MS:
        yield (name,), "expected milliseconds since 1970 or a time in ISO 8601"
    else:
        found[name] = int(moment)


def _id(name: str, found: Entry) -> _Problems:
    value = found[name]
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        yield (name,), "expected a UUID"
    else:
        found[name] = value.lower()


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", bool: "a boolean", str: "a string"}
    return kinds.get(type(value), "a number")


_CHECKS: Final[dict[str, Callable[[str, Entry], _Problems]]] = {
    "level": _level,
    **dict.fromkeys(_TEXTS, _text),
    "tags": _tags,
    "stepIndex": _step,
    "timestamp": _timestamp,
    "id": _id,
}
