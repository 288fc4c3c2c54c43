"""Open Board Logging: what a person said with a communication board, one entry per event.

Every entry is personal data, whatever the file says: even an anonymised one holds somebody's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .entries import clip
from .json_lines import load
from .problems import Issue, parse_error, validation_error
from .times import parse_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .entries import Entry

__all__ = ["MARK", "obl_document", "parse_obl", "without_comment"]

MARK: Final = "open-board-log-"
"""How the value of `format` begins; no other format of ours holds it by accident."""

_MESSAGES: Final = {
    "button": ("Button", "label"),
    "utterance": ("Utterance", "text"),
    "action": ("Action", "action"),
    "note": ("Note", "text"),
}
_BASE: Final = frozenset({"timestamp"})
_SESSION: Final = ("id", "type", "started", "ended", "locale", "anonymizations")


def without_comment(text: str) -> str:
    """Return `text` without the `/* ... */` notices that may stand before the document.

    Raises:
        FormatError: a notice has no end.

    """
    text = text.lstrip("\ufeff \t\r\n")
    while text.startswith("/*"):
        end = text.find("*/")
        if end < 0:
            raise parse_error(1, "invalid OBL", "the comment has no end")
        text = text[end + 2 :].lstrip()
    return text


def obl_document(text: str) -> dict[str, Any]:
    """Return the document, its sessions and events known to be objects.

    Raises:
        FormatError: it is no such document; the line is counted behind the comment.

    """
    document = load(without_comment(text))
    if not isinstance(document, dict):
        raise validation_error([Issue((), "expected an object")])
    mark = document.get("format")
    if not isinstance(mark, str) or not mark.startswith(MARK):
        raise validation_error([Issue(("format",), f"expected {MARK}0.1")])
    if not isinstance(document.get("sessions"), list):
        raise validation_error([Issue(("sessions",), "expected a list")])
    for index, session in enumerate(document["sessions"]):
        if not isinstance(session, dict):
            raise validation_error([Issue(("sessions", index), "expected an object")])
        events = session.get("events", [])
        if not isinstance(events, list):
            raise validation_error([Issue(("sessions", index, "events"), "expected a list")])
        for place, event in enumerate(events):
            if not isinstance(event, dict):
                raise validation_error([Issue(("sessions", index, "events", place), "expected an object")])
    return document


def parse_obl(text: str) -> Iterator[Entry]:
    """Yield one entry per event of every session, in the order of the file."""
    document = obl_document(text)
    for session in document["sessions"]:
        for event in session.get("events", []):
            yield _entry(document, session, event)


def _entry(document: Mapping[str, Any], session: Mapping[str, Any], event: Mapping[str, Any]) -> Entry:
    data = {key: value for key, value in event.items() if key not in _BASE}
    kind = event.get("type")
    label, key = _MESSAGES.get(kind, ("", "")) if isinstance(kind, str) else ("", "")
    said = event.get(key) if key else None
    if isinstance(said, str):
        message = f"{label}: {said}"
        data.pop(key)
    else:  # a type that later versions of the format may know, or one without its words
        message = f"Event: {kind}" if isinstance(kind, str) and kind else "Event"
    data["session"] = {name: session[name] for name in _SESSION if name in session}
    entry: Entry = {
        "message": clip(message),
        "isPii": True,
        "data": data,
        "timestamp": _time(event.get("timestamp")) or _time(session.get("started")),
        "source": _text(document.get("source")),
        "userId": _text(document.get("user_id")),
        "sessionId": _text(session.get("device_id")) or _text(session.get("id")),
    }
    return {name: value for name, value in entry.items() if value is not None}


def _time(value: object) -> int | None:
    moment = parse_ms(value) if isinstance(value, str) else None
    return moment if moment is None or moment >= 0 else None


def _text(value: object) -> str | None:
    return clip(value, 100) if isinstance(value, str) and value else None
