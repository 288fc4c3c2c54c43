"""From a body to entries that may be stored: the one road of all six formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .csv_table import parse_csv
from .entries import Defaults, Entry, InvalidEntryError, complete
from .json_lines import parse_json, parse_jsonl
from .obl import parse_obl
from .problems import Issue, validation_error
from .syslog import parse_syslog
from .text import parse_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .names import FormatName

__all__ = ["MOST_ENTRIES", "parse", "read_entries"]

MOST_ENTRIES: Final = 100
"""In one request (WIRE.md section 2), whatever its format."""

_LEVELLESS: Final = frozenset({"syslog", "text", "obl"})
"""What has no level in them is `info`; the others must say theirs."""


def parse(text: str, name: FormatName, now_ms: int) -> Iterator[Entry]:
    """Yield the entries of `text` as they stand there, neither checked nor completed; lazily by line.

    Args:
        text: without a byte order mark.
        name: its format.
        now_ms: milliseconds since the epoch, for times without a year.

    Raises:
        FormatError: while iterating, at the first thing that cannot be read.

    """
    if name == "syslog":
        return parse_syslog(text, now_ms)
    parsers = {"json": parse_json, "jsonl": parse_jsonl, "text": parse_text, "csv": parse_csv}
    return parsers.get(name, parse_obl)(text)


def read_entries(
    text: str, name: FormatName, defaults: Defaults, now_ms: int, most: int = MOST_ENTRIES
) -> list[Entry]:
    """Return every entry of `text`, completed and checked, or none: a bad one refuses the whole.

    Raises:
        FormatError: naming the line, or the paths of all that is wrong; also for no entry at all and
            for more than `most`.

    """
    level = "info" if name in _LEVELLESS else None
    entries: list[Entry] = []
    issues: list[Issue] = []
    for index, entry in enumerate(parse(text, name, now_ms)):
        if index >= most:
            raise validation_error([Issue(("logs",), f"expected at most {most} logs in one request")])
        if name == "syslog" and not defaults.source:
            entry.setdefault("source", "syslog")
        try:
            entries.append(complete(entry, index, defaults, level=level))
        except InvalidEntryError as error:
            issues += error.issues
    if issues:
        raise validation_error(issues)
    if not entries:
        raise validation_error([Issue(("logs",), "expected at least one log")])
    return entries
