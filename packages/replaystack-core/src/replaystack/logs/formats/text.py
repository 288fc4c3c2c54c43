"""Plain text: one entry a line, with what time and level can be recognised at its beginning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .entries import clip
from .levels import level_of
from .lines import numbered_lines
from .times import ISO_PATTERN, parse_ms, parse_us_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .entries import Entry

__all__ = ["parse_text"]

_LEAD: Final = re.compile(r"[\s\-|:,]*")
_TIME: Final = re.compile(
    r"(\[)?(?:(" + ISO_PATTERN + r")|(\d\d?/\d\d?/\d{4},? \d\d?:\d\d:\d\d(?:[.,]\d{1,9})?))(?(1)\])(?![\w.])",
    re.ASCII | re.IGNORECASE,
)
_WORDS: Final = "trace|debug|info|notice|warning|warn|error|critical|fatal"
_LEVEL: Final = re.compile(
    r"(?:[\[(<](" + _WORDS + r") *[\])>]|(" + _WORDS + r")(?= *[:|]| +-|\s|\Z))[:\s]*",
    re.ASCII | re.IGNORECASE,
)
_ENDS_WORD: Final = re.compile(r" *[:|]| +-")
# `asctime - name - levelname - message`: the level stands behind a name, in capitals.
_NAMED: Final = re.compile(r"\S{1,100} +(?:[-|] +)?\[?(" + _WORDS.upper() + r")\]?(?=[\s:|\]]|\Z)", re.ASCII)


def parse_text(text: str) -> Iterator[Entry]:
    """Yield one entry per line that is not blank; no line is refused, a very long one is cut visibly.

    What is recognised is taken off the message: a time at the beginning; a level behind it, or a
    bracketed or delimited one at the beginning. All that stays is the message; nothing else is guessed.
    """
    for _, line in numbered_lines(text):
        if line.strip():
            yield _entry(line)


def _entry(line: str) -> Entry:
    entry: Entry = {}
    start = len(line) - len(line.lstrip())
    time = _TIME.match(line, start)
    if time is not None:
        moment = parse_ms(time[2]) if time[2] else parse_us_ms(line[time.start() : time.end()].strip("[]"))
        if moment is not None and moment >= 0:
            entry["timestamp"] = moment
            start = _behind(line, time.end())
    start = _level(line, start, entry)
    rest = line[start:].rstrip()
    # A line that is a time or a level and nothing else keeps its words: a message is never empty.
    entry["message"] = clip(rest or line.strip())
    return entry


def _level(line: str, start: int, entry: Entry) -> int:
    """Note the level; return where the message starts."""
    match = _LEVEL.match(line, start)
    if match is not None:
        entry["level"] = level_of(match[1] or match[2])
        # `Error connecting` is a sentence; `ERROR: connecting` and `<time> error connecting` are prefixes.
        is_prefix = match[1] or "timestamp" in entry or _ENDS_WORD.match(line, match.end(2))
        return _behind(line, match.end()) if is_prefix else start
    named = _NAMED.match(line, start) if "timestamp" in entry else None
    if named is not None:
        entry["level"] = level_of(named[1])
    return start


def _behind(line: str, at: int) -> int:
    lead = _LEAD.match(line, at)
    return at if lead is None else lead.end()
