"""Foreign text made safe to look at, and figures made quick to read."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Final

from markupsafe import Markup, escape

__all__ = [
    "clock_text",
    "compact_text",
    "day_text",
    "duration_text",
    "rich_text",
    "short_day_text",
    "size_text",
    "visible",
]

# Control characters, and those that reorder or hide text (bidirectional and zero-width ones):
# a path must not look like another path.
_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_MARKS: Final = re.compile(r"\[(?:MASKED|Circular|Depth|Unreadable)\]")
_MARK_TITLES: Final = {
    "[MASKED]": "masked before it was sent or stored",
    "[Circular]": "the value contained itself here",
    "[Depth]": "nested deeper than 64 levels",
    "[Unreadable]": "reading the value raised an error",
}


def visible(text: object) -> str:
    r"""Return `text` with invisible characters spelled out, such as \u202e."""
    return _INVISIBLE.sub(lambda match: _spelled(match[0]), str(text))


def rich_text(text: object) -> Markup:
    """Return `text` escaped, with masking's marks standing out and invisible characters spelled out."""
    pieces: list[Markup] = []
    end = 0
    plain = visible(text)
    for match in _MARKS.finditer(plain):
        pieces.append(escape(plain[end : match.start()]))
        pieces.append(
            Markup('<mark class="masked" title="{}">{}</mark>').format(_MARK_TITLES[match[0]], match[0])
        )
        end = match.end()
    pieces.append(escape(plain[end:]))
    return Markup("").join(pieces)


def compact_text(value: object) -> str:
    """Return a text as it is, any other JSON value on one line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def duration_text(milliseconds: float) -> str:
    """Return `120 ms`, `1.24 s`, `12.4 s` or `2 min 5 s`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"


def size_text(size_bytes: float) -> str:
    """Return `812 B`, `34.1 kB` or `1.2 MB` (decimal units)."""
    if size_bytes < 1000:
        return f"{size_bytes:.0f} B"
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1000:.1f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"


def day_text(epoch_ms: int) -> str:
    """Return the day in UTC: `20 Nov 2026`."""
    return f"{_utc(epoch_ms):%d %b %Y}".lstrip("0")


def short_day_text(epoch_ms: int) -> str:
    """Return the day in UTC without its year: `20 Nov`."""
    return f"{_utc(epoch_ms):%d %b}".lstrip("0")


def clock_text(epoch_ms: int) -> str:
    """Return the time of day in UTC: `14:05:31.120`."""
    return f"{_utc(epoch_ms):%H:%M:%S}.{epoch_ms % 1000:03d}"


def _utc(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms // 1000, timezone.utc)


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
