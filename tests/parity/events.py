"""Objects and events from a seed: what an application hands over, JSON and beyond."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import uuid
from typing import Any, Final

from replaystack.exchange import RawBody
from replaystack.sanitize._keys import Place

from .corpus import corpus
from .odd_bodies import OddBodies
from .words import NAMES, VALUES

__all__ = ["Events"]

FOREIGN: Final = (
    *(b"password=x", b"\xff\xfe", bytearray(b"x"), "\ud800x", object, uuid.UUID(int=7), Place.FORM),
    *(float("nan"), float("inf"), -float("inf"), 1e22, 1e16, 5e-324),
    *(10**40, 10**41, 10**4299, 10**4300, -(10**4301)),
    *(dt.datetime(2020, 1, 2, 3, 4), dt.date(2020, 1, 2)),  # noqa: DTZ001 - any will do
    *(decimal.Decimal(4242424242424242), decimal.Decimal("1.50")),
    *({1}, frozenset(["password=x"]), (1, 2), ("password", "x")),
)
"""What is of no exact type of JSON, and numbers that some parser would lose."""

FOREIGN_KEYS: Final = (
    1,
    1.5,
    None,
    True,
    b"password",
    "\ud800",
    (1, 2),
    dt.date(2020, 1, 2),
    "1",
    "true",
)

FIELDS: Final = (
    *(
        "requestPayload",
        "responsePayload",
        "requestPayload",
        "requestHeaders",
        "responseHeaders",
        "requestUrl",
    ),
    *("errorMessage", "stackTrace", "metadata", "breadcrumbs", "logs", "traceId", "frames", "stackFrames"),
    *("statusCode", "durationMs", "executionTimeMs", "method", "userId", "tags", "own", "password", "value"),
    *("name", "sourceIp", "timestamp", "eventType", "releaseId", "route", "sessionId", "status"),
)
LISTS: Final = ("breadcrumbs", "logs", "frames", "stackFrames")
ENTRY_FIELDS: Final = (
    *("message", "level", "timestamp", "category", "type", "metadata", "data", "fields", "logger", "name"),
    *("value", "functionName", "fileName", "lineNumber", "raw", "password", "session_id"),
)
EVIDENCE: Final[tuple[object, ...]] = (
    {},
    {"cookieNames": ["a"]},
    5,
    {"masking": {"masked": 3, "policy": "x", "rules": 1}},
)
"""What may stand in `metadata.replaystack`, forged and true."""


class Events(OddBodies):
    """Makes objects and events."""

    def value(self) -> object:
        """Return an object as an application has it."""
        return self.foreign_tree(3) if self.happens(0.6) else self.tree(3)

    def foreign_tree(self, depth: int) -> Any:
        """Return a value that Python code may hold: other types than those of JSON, cycles, shared parts."""
        if depth == 0 or self.happens(0.2):
            return self.leaf() if self.happens(0.6) else self.pick(FOREIGN)
        kind = self.rng.random()
        if kind < 0.5:
            return {self._foreign_key(): self.foreign_tree(depth - 1) for _ in range(self.below(4))}
        if kind < 0.6:
            return (self.pick(NAMES), self.foreign_tree(depth - 1))
        if kind < 0.7:
            return [(self.pick(NAMES), self.leaf()) for _ in range(1 + self.below(3))]
        if kind < 0.75:
            items = [self.foreign_tree(depth - 1)]
            items.append(items if self.happens(0.5) else [items[0], items[0]])
            return items
        return [self.foreign_tree(depth - 1) for _ in range(self.below(4))]

    def _foreign_key(self) -> object:
        if self.happens(0.7):
            return self.pick(NAMES)
        return self.text()[:60] if self.happens(0.7) else self.pick(FOREIGN_KEYS)

    # --- events ---

    def event(self) -> dict[Any, Any]:
        """Return an event: now and then one of the corpus with something changed."""
        if self.happens(0.1):
            return self._known_event()
        event: dict[Any, Any] = {}
        for _ in range(1 + self.below(4)):
            key = self.pick(FIELDS)
            event[key] = self._field(key)
        if self.happens(0.02):
            event[self.pick((1, None, b"password", "\ud800", True))] = self.text()
        return event

    def batch(self) -> list[dict[Any, Any]]:
        """Return up to seven events; rarely so much that the extension lets other threads run meanwhile."""
        events = [self.event() for _ in range(self.below(8))]
        if self.happens(0.01):
            events.append({"requestPayload": self.large_body()})
        return events

    def _field(self, key: str) -> object:
        if key in ("requestPayload", "responsePayload"):
            return self.body() if self.happens(0.7) else self.value()
        if key in ("requestHeaders", "responseHeaders"):
            return self._headers()
        if key == "requestUrl":
            return self.url()
        if key == "metadata":
            return self._metadata()
        if key in LISTS and self.happens(0.85):
            return [self._entry() for _ in range(self.below(4))]
        if key in LISTS:
            return self.foreign_tree(2)
        return self.text() if self.happens(0.8) else self.foreign_tree(1)

    def _headers(self) -> object:
        kind = self.rng.random()
        if kind < 0.7:
            return self.headers()
        if kind < 0.73:
            return self.body()
        if kind < 0.9:
            return {self.pick(NAMES): self.pick(VALUES) for _ in range(3)}
        return self.foreign_tree(2)

    def _metadata(self) -> object:
        value = self.foreign_tree(2)
        if type(value) is dict and self.happens(0.5):
            true = {
                "masking": {"policy": "0123456789ab", "rules": 1, "masked": 2, "dropped": 1},
                "x": self.tree(2),
            }
            value["replaystack"] = self.pick((*EVIDENCE, {"a": self.text()}, true))
        return value

    def _entry(self) -> object:
        if self.happens(0.1):
            return self.foreign_tree(1)
        entry: dict[str, Any] = {}
        for _ in range(1 + self.below(4)):
            key = self.pick(ENTRY_FIELDS)
            is_tree = key in ("metadata", "data", "fields")
            entry[key] = self.foreign_tree(2) if is_tree or self.happens(0.15) else self.text()
            if is_tree and type(entry[key]) is dict and self.happens(0.2):
                entry[key]["replaystack"] = self.tree(2)
        return entry

    def _known_event(self) -> dict[Any, Any]:
        event = dict(self.pick(corpus().events))
        key = self.pick(list(event))
        if type(event[key]) is str:
            event[key] = self.mutated(event[key])
        elif type(event[key]) is RawBody:
            event[key] = self._changed_body(event[key])
        if self.happens(0.3):
            added = self.pick(FIELDS)
            event[added] = self._field(added)
        return event

    def _changed_body(self, body: RawBody) -> RawBody:
        data = body.data
        if self.happens(0.5):
            at = self.below(len(data) + 1)
            data = data[:at] + self.text()[:5].encode("utf-8", "replace") + data[at + self.below(3) :]
        if self.happens(0.5):
            cut = data[: self.below(len(data) + 1)]
            return dataclasses.replace(body, data=cut, total_bytes=len(data), complete=self.happens(0.3))
        return dataclasses.replace(body, data=data, total_bytes=len(data))
