"""One case of the scorecard: an event with secrets in one place, or with values that look like some."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replaystack.exchange import RawBody, RawHeaders

from .plant import Plant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "Case",
    "Event",
    "body",
    "described",
    "harmless",
    "headers",
    "json_body",
    "leaks",
    "message",
    "note",
    "url",
]

Event = dict[str, Any]
"""The wire keys of WIRE.md section 1 -> what an application or adapter holds; `exception` beside them."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is captured, and what must become of it."""

    group: str
    name: str
    template: Event
    is_safe: bool = False
    """There is no secret in it: everything in `keeps` must arrive."""
    keeps: tuple[object, ...] | None = None
    """Texts, or (key, value) pairs, that must arrive; None: every value of the event."""
    exact: tuple[str, ...] = ()
    """Bytes that must arrive as they are: how numbers are written, the white space of JSON."""

    @property
    def id(self) -> str:
        """The name of the case within the whole table."""
        return f"{self.group}/{self.name}"

    def plant(self, seed: int) -> tuple[Event, list[str]]:
        """Return the event with the secrets of this run in it, and those secrets."""
        plant = Plant(seed, self.id)
        return plant.fill(self.template), plant.secrets


def leaks(group: str, rows: Mapping[str, Event]) -> list[Case]:
    """Return a case for each row: an event from which the planted secrets must not leave."""
    return [Case(group, name, template) for name, template in rows.items()]


def harmless(rows: Mapping[str, Event]) -> list[Case]:
    """Return a case for each row: an event all of whose values must arrive."""
    return [Case("safe", name, template, is_safe=True) for name, template in rows.items()]


# --- events with something in one place -----------------------------------------------------------


def body(content: str | bytes, content_type: str | None = None, encoding: str | None = None) -> Event:
    """Return an event with a raw request body."""
    data = content.encode() if isinstance(content, str) else content
    return {"requestPayload": RawBody(data, content_type, encoding, len(data))}


def json_body(document: object) -> Event:
    """Return an event with a raw JSON body; a text is taken as the document itself."""
    text = document if isinstance(document, str) else json.dumps(document)
    return body(text, "application/json; charset=utf-8")


def headers(*fields: tuple[str, str], answer: bool = False) -> Event:
    """Return an event with raw headers, of the request or of the answer."""
    raw = RawHeaders(tuple((name.encode(), text.encode()) for name, text in fields))
    return {"responseHeaders" if answer else "requestHeaders": raw}


def url(address: str) -> Event:
    """Return an event with this URL."""
    return {"requestUrl": address}


def message(text: str) -> Event:
    """Return an event with this error message."""
    return {"errorMessage": text}


def note(value: object) -> Event:
    """Return an event whose payload is an object of the application, with `value` under a harmless key."""
    return {"responsePayload": {"note": value, "order": "A-1007"}}


def described(build: Callable[[Plant], object]) -> Event:
    """Return an event whose payload is what `build` makes: objects of classes and the like."""
    return {"requestPayload": build}
