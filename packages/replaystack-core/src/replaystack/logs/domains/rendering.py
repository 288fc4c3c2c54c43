"""One entry as lines of a file: for people, or as JSON. Nothing in an entry can begin a line of its own."""

from __future__ import annotations

import json
import re
import time
from json.encoder import encode_basestring as _quote
from typing import TYPE_CHECKING, Any

from ...clock import iso_timestamp
from ..entry import LogEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["RENDERINGS", "json_line", "text_lines"]

# What ends a line, moves a cursor, or colours a terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INDENT = "    "
"""In front of each line of a traceback: a line of the log never begins with a blank."""
_PLAIN_VALUE = re.compile(r"[^\s\"'=\\]+")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_IDS = ("correlation_id", "request_id", "flow_id", "step_index", "user_id", "session_id")
# They stand side by side in an entry, and most entries have none of them: one comparison tells.
_FIRST_ID = min(map(LogEntry._fields.index, _IDS))
_LAST_ID = max(map(LogEntry._fields.index, _IDS)) + 1
_NO_IDS = (None,) * (_LAST_ID - _FIRST_ID)

# The last second that was written out, and how: a tuple is replaced as a whole.
_second = (0, "")
_utc_second = (0, "")


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _NAMED.get(character) or f"\\u{ord(character):04x}"


def one_line(text: str) -> str:
    """Return `text` with everything escaped that is no printable character."""
    return text if text.isprintable() else _CONTROL.sub(_escape, text)


def _moment(timestamp: float) -> str:
    """Return what `asctime` is in the standard library's logging: local time, with milliseconds."""
    global _second  # noqa: PLW0603 - a memory of one second
    whole = int(timestamp)
    known, text = _second
    if known != whole:
        text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(whole))
        _second = (whole, text)
    return f"{text},{int((timestamp - whole) * 1000):03d}"


def _utc_moment(timestamp: float) -> str:
    """Return what `iso_timestamp` does, for lines of which many fall into one second."""
    global _utc_second  # noqa: PLW0603 - a memory of one second
    whole = int(timestamp)
    known, text = _utc_second
    if known != whole:
        text = iso_timestamp(whole)[:-4]
        _utc_second = (whole, text)
    return f"{text}{int((timestamp - whole) * 1000):03d}Z"


def _ids(entry: LogEntry) -> Iterator[tuple[str, Any]]:
    """Yield the ids that an entry has."""
    for name in _IDS:
        value = getattr(entry, name)
        if value is not None:
            yield name, value


def _value(value: Any) -> str:
    """Return a field's value: bare where that is clear, else as JSON."""
    if type(value) is str:
        return value if _PLAIN_VALUE.fullmatch(value) and value.isprintable() else one_line(_encode(value))
    return str(value) if type(value) is int else one_line(_encode(value))


def text_lines(entry: LogEntry) -> str:
    """Return `asctime - name - levelname - message` and ` key=value` for each field; then the traceback."""
    head = (_moment(entry.timestamp), one_line(entry.logger), entry.level.upper(), one_line(entry.message))
    parts = [" - ".join(head)]
    for key, value in entry.fields.items():
        parts.append(f" {one_line(key)}={_value(value)}")
    if entry[_FIRST_ID:_LAST_ID] != _NO_IDS:
        parts.extend(f" {name}={_value(value)}" for name, value in _ids(entry) if name not in entry.fields)
    if entry.tags:
        parts.append(f" tags={_value(list(entry.tags))}")
    if entry.error_name is not None and not entry.error_stack:
        parts.append(f" error={_value(entry.error_name)}")
    parts.append("\n")
    if entry.error_stack:
        parts.extend(f"{_INDENT}{one_line(line)}\n" for line in entry.error_stack.rstrip("\n").split("\n"))
    return "".join(parts)


def _json_value(value: Any) -> str:
    """Return a field's value as JSON; most are a text or a whole number."""
    kind = type(value)
    return _quote(value) if kind is str else str(value) if kind is int else _encode(value)


def json_line(entry: LogEntry) -> str:
    """Return timestamp, domain, level, message and context as JSON on one line; ids where they are known."""
    # Put together by hand: the encoder of `json` takes twice as long for an entry of a few plain fields.
    parts = [
        f'{{"timestamp":"{_utc_moment(entry.timestamp)}","domain":{_quote(entry.logger)}',
        f',"level":"{entry.level.upper()}","message":{_quote(entry.message)},"context":{{',
        ",".join([f"{_quote(key)}:{_json_value(value)}" for key, value in entry.fields.items()]),
        "}",
    ]
    record: dict[str, Any] = {}
    if entry[_FIRST_ID:_LAST_ID] != _NO_IDS:
        record.update(_ids(entry))
    if entry.tags:
        record["tags"] = list(entry.tags)
    if entry.is_pii:
        record["is_pii"] = True
    if entry.error_name is not None:
        record["error_name"] = entry.error_name
    if entry.error_stack is not None:
        record["error_stack"] = entry.error_stack
    if record:
        parts.append(f",{_encode(record)[1:-1]}")
    parts.append("}")
    text = "".join(parts)
    # JSON leaves these three as they are; many readers of lines end a line there.
    if not text.isprintable():
        text = text.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text + "\n"


RENDERINGS: dict[str, Callable[[LogEntry], str]] = {"text": text_lines, "json": json_line}
