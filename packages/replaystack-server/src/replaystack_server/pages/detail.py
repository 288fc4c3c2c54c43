"""What the page of one event shows, taken apart from its JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from replaystack.sanitize import RECEIVER_POLICY
from replaystack.wire import EVENT_FIELDS, RESERVED_METADATA_KEY

from .curl import curl_command
from .json_view import MOST_LINES, JsonView, render_json
from .texts import compact_text
from .timeline import Moment, grouped_logs, timeline

if TYPE_CHECKING:
    from ..store import EventSummary, LogRecord, StoredEvent

__all__ = ["Detail", "Frame", "Message", "detail"]

_LIBRARY: Final = re.compile(r"[/\\](?:site|dist)-packages[/\\]|[/\\]lib[/\\]python3|^<frozen ")
"""Paths of frames that are hardly ever the reader's own code."""

_NO_LIMIT: Final = 10**9
_SHOWN_ELSEWHERE: Final = frozenset({"eventId", "masking", "causes", "process", "sequence", "timestamp"})


class Fields(dict[str, Any]):
    """A JSON object in which an absent key reads as null: events leave out what they do not know."""

    def __missing__(self, key: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response."""

    title: str
    headers: list[tuple[str, str]]
    has_body: bool
    body: JsonView


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry of the stack."""

    function: str
    place: str
    """File and line."""
    is_library: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything that the template needs; all texts as they came, to be escaped there."""

    summary: EventSummary
    event: Fields
    reserved: Fields
    """`metadata.replaystack`."""
    masking: Fields
    is_masked_here: bool
    """True if the sender told nothing of masking, so that the figures are the second pass's own."""
    frames: list[Frame]
    """Innermost first."""
    causes: list[Fields]
    request: Message
    response: Message
    timeline: list[Moment]
    loggers: list[tuple[str, list[LogRecord]]]
    """The logs that the reader may see, by logger."""
    metadata: JsonView | None
    """The user's own."""
    capture: JsonView | None
    """What is left of `metadata.replaystack`."""
    other: JsonView | None
    """Keys that no other part of the page shows."""
    curl: str | None


def detail(stored: StoredEvent, *, is_complete: bool) -> Detail:
    """Take a stored event apart.

    Args:
        stored: the event.
        is_complete: render bodies in full, however long.

    """
    event: dict[str, Any] = json.loads(stored.document)
    metadata = _mapping(event.get("metadata"))
    reserved = _mapping(metadata.get(RESERVED_METADATA_KEY))
    masking = Fields(_mapping(reserved.get("masking")))
    lines = _NO_LIMIT if is_complete else MOST_LINES
    own = {key: value for key, value in metadata.items() if key != RESERVED_METADATA_KEY}
    capture = {key: value for key, value in reserved.items() if key not in _SHOWN_ELSEWHERE}
    known = EVENT_FIELDS.values()
    other = {key: value for key, value in event.items() if key not in known}
    return Detail(
        summary=stored.summary,
        event=Fields(event),
        reserved=Fields(reserved),
        masking=masking,
        is_masked_here=masking["policy"] == RECEIVER_POLICY.hash,
        frames=list(_frames(event.get("stackFrames"))),
        causes=[Fields(cause) for cause in _list(reserved.get("causes")) if isinstance(cause, Mapping)],
        request=_message("Request", event, "requestHeaders", "requestPayload", lines),
        response=_message("Response", event, "responseHeaders", "responsePayload", lines),
        timeline=timeline(event, stored.logs),
        loggers=grouped_logs(stored.logs),
        metadata=render_json(own, lines) if own else None,
        capture=render_json(capture, lines) if capture else None,
        other=render_json(other, lines) if other else None,
        curl=curl_command(event),
    )


def _message(title: str, event: Mapping[str, Any], headers_key: str, payload_key: str, lines: int) -> Message:
    headers: list[tuple[str, str]] = []
    for name, value in _mapping(event.get(headers_key)).items():
        headers += [
            (name, compact_text(single)) for single in (value if isinstance(value, list) else [value])
        ]
    payload = event.get(payload_key)
    has_body = payload is not None and payload != ""
    return Message(title, headers, has_body, render_json(payload, lines))


def _frames(frames: object) -> Iterator[Frame]:
    for frame in reversed(_list(frames)):
        if not isinstance(frame, Mapping):
            continue
        file_name, line = str(frame.get("fileName") or ""), frame.get("lineNumber")
        place = f"{file_name}:{line}" if file_name and line else file_name or str(frame.get("raw") or "")
        yield Frame(str(frame.get("functionName") or "?"), place, bool(_LIBRARY.search(file_name)))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
