"""Syslog: RFC 5424 and RFC 3164, one message a line, in any mixture.

No line is refused: one that follows neither is an entry all the same, with the whole line as its message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from .entries import clip
from .levels import severity_level
from .lines import numbered_lines
from .times import MONTHS, nearest_year_ms, parse_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .entries import Entry

__all__ = ["parse_syslog"]

_PRI: Final = re.compile(r"<(\d{1,3})>", re.ASCII)
_MOST_PRI: Final = 191
"""Facility 23, severity 7: anything above is no priority."""

_HEAD_5424: Final = re.compile(r"([1-9]\d{0,2}) (\S+) (\S+) (\S+) (\S+) (\S+)(?: |\Z)", re.ASCII)
_BSD_TIME: Final = re.compile(r"([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.\d+)? ", re.ASCII)
_ISO_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT[0-9:.+\-]{5,27}Z?) ", re.ASCII)
"""What rsyslog and systemd write into files: the older layout with a full time."""

_TAG: Final = re.compile(r"([^\s:\[\]<>]{1,128})(?:\[([^\s\[\]]{1,64})\])?: ?", re.ASCII)
_HOST: Final = re.compile(r"(\S{1,255}) ", re.ASCII)
_PARAMETER: Final = re.compile(r' ([^\s=\]"]{1,255})="([^"\\\]]*(?:\\.[^"\\\]]*)*)"', re.DOTALL)
_ELEMENT: Final = re.compile(r"\[([^\s=\]\"]{1,255})")
_ESCAPED: Final = re.compile(r'\\(["\\\]])')
_MOST_STRUCTURED: Final = 64 * 1024
"""Characters of structured data: beyond it is message. The matcher keeps a place for each escape in it."""

_EMPTY: Final = "(empty)"
"""A message that says nothing is still one: something sent it."""


def parse_syslog(text: str, now_ms: int) -> Iterator[Entry]:
    """Yield one entry per line; blank lines are skipped.

    `now_ms` gives the year to times that have none.
    """
    for _, line in numbered_lines(text):
        if line.strip():
            yield _entry(line, now_ms)


def _entry(line: str, now_ms: int) -> Entry:
    data: dict[str, Any] = {}
    entry: Entry = {}
    rest = line
    pri = _PRI.match(line)
    if pri is not None and int(pri[1]) <= _MOST_PRI:
        facility, severity = divmod(int(pri[1]), 8)
        data |= {"facility": facility, "severity": severity}
        entry["level"] = severity_level(severity)
        rest = line[pri.end() :]
    message = _rfc5424(rest, entry, data) if "level" in entry else None
    if message is None:
        message = _rfc3164(rest, entry, data, now_ms)
    entry["message"] = clip(message.removeprefix("\ufeff") or _EMPTY)
    if data:
        entry["data"] = data
    return entry


def _rfc5424(rest: str, entry: Entry, data: dict[str, Any]) -> str | None:
    """Read the newer layout; return the message, None if it is not that layout."""
    head = _HEAD_5424.match(rest)
    if head is None:
        return None
    version, time, host, name, process, message_id = head.groups()
    moment = parse_ms(time)
    if version != "1" or (moment is None and time != "-"):
        return None
    structured, message = _structured(rest[head.end() :])
    _note(entry, "timestamp", moment)
    _note(entry, "source", clip(name, 100) if name != "-" else None)
    for key, value in (("hostname", host), ("processId", process), ("messageId", message_id)):
        _note(data, key, value if value != "-" else None)
    _note(data, "structuredData", structured or None)
    return message


def _structured(rest: str) -> tuple[dict[str, dict[str, str]], str]:
    """Return the structured data and the message behind it; broken structured data is message."""
    if rest == "-" or rest.startswith("- "):
        return {}, rest[2:]
    found: dict[str, dict[str, str]] = {}
    at = 0
    while (element := _ELEMENT.match(rest, at, _MOST_STRUCTURED)) is not None:
        parameters: dict[str, str] = {}
        at = element.end()
        while (parameter := _PARAMETER.match(rest, at, _MOST_STRUCTURED)) is not None:
            parameters[parameter[1]] = _ESCAPED.sub(r"\1", parameter[2])
            at = parameter.end()
        if not rest.startswith("]", at):
            return {}, rest
        found[element[1]] = parameters
        at += 1
    return (found, rest[at + 1 :]) if at == len(rest) or rest[at] == " " else ({}, rest)


def _rfc3164(rest: str, entry: Entry, data: dict[str, Any], now_ms: int) -> str:
    """Read the older layout as far as it goes; return the message."""
    end = _time(rest, entry, now_ms)
    if end is None:
        # `<13>tag: message` is common; without even a PRI nothing says that a word is a tag.
        return _tagged(rest, 0, entry, data) if "level" in entry else rest
    if _TAG.match(rest, end) is None and (host := _HOST.match(rest, end)) is not None:
        data["hostname"] = host[1]
        end = host.end()
    return _tagged(rest, end, entry, data)


def _time(rest: str, entry: Entry, now_ms: int) -> int | None:
    """Note the time; return where it ends, None if there is none."""
    moment: int | None = None
    match = _BSD_TIME.match(rest)
    if match is not None:
        name, day, *clock = match.groups()
        if name.lower() in MONTHS:
            hour, minute, second = (int(part) for part in clock)
            month = MONTHS.index(name.lower()) + 1
            moment = nearest_year_ms(month, int(day), (hour, minute, second), now_ms)
    else:
        match = _ISO_TIME.match(rest)
        moment = parse_ms(match[1]) if match is not None else None
    if match is None or moment is None:
        return None
    entry["timestamp"] = moment
    return match.end()


def _tagged(rest: str, start: int, entry: Entry, data: dict[str, Any]) -> str:
    tag = _TAG.match(rest, start)
    if tag is None:
        return rest[start:]
    entry["source"] = clip(tag[1], 100)
    _note(data, "processId", tag[2])
    return rest[tag.end() :]


def _note(target: dict[str, Any], key: str, value: object) -> None:
    if value is not None:
        target[key] = value
