"""CSV: a header of field names, then one entry a row. All or nothing: a shifted column is worse than none."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Final

from .entries import KNOWN_FIELDS, Entry
from .lines import numbered_lines
from .problems import parse_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Table", "delimiter_of", "parse_csv"]

_LONGEST_COLUMN: Final = 100
_MOST_COLUMNS: Final = 200


class Table:
    """Rows of a table, read lazily from its lines; a quoted cell may go on over several.

    Args:
        lines: with their ends, as a file yields them.

    Raises:
        FormatError: the header is empty, unreadable, or names a column twice. Iterating raises it for a row.

    """

    def __init__(self, lines: Iterable[str]) -> None:
        iterator = iter(lines)
        first = next((line for line in iterator if line.strip()), "")
        self.delimiter: str = delimiter_of(first)
        self._reader = csv.reader(_chain(first, iterator), delimiter=self.delimiter, strict=True)
        self.header: list[str] = [name.strip() for name in self._next() or []]
        if not any(self.header):
            raise parse_error(1, "invalid CSV", "expected a header of field names")
        if len(self.header) > _MOST_COLUMNS or max(map(len, self.header)) > _LONGEST_COLUMN:
            reason = f"expected at most {_MOST_COLUMNS} columns with names of at most {_LONGEST_COLUMN}"
            raise parse_error(1, "invalid CSV", f"{reason} characters")
        if "" in self.header:
            raise parse_error(1, "invalid CSV", f"column {self.header.index('') + 1} has no name")
        for name in self.header:
            if self.header.count(name) > 1:
                raise parse_error(1, "invalid CSV", "a column is named twice")

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with the line that it ends on; blank lines are skipped, short rows stay short."""
        while (row := self._next()) is not None:
            line = self._reader.line_num
            if not row or row == [""]:
                continue
            if len(row) > len(self.header):
                reason = f"expected at most {len(self.header)} cells, got {len(row)}"
                raise parse_error(line, "invalid CSV", reason)
            yield line, row

    def _next(self) -> list[str] | None:
        try:
            return next(self._reader, None)
        except csv.Error as error:
            raise parse_error(self._reader.line_num, "invalid CSV", str(error)) from None


def delimiter_of(header: str) -> str:
    """Return tab if the header has more of them than commas."""
    return "\t" if header.count("\t") > header.count(",") else ","


def parse_csv(text: str) -> Iterator[Entry]:
    """Yield one entry per row; an empty cell is absent, an unknown column goes below `data`."""
    table = Table(line + "\n" for _, line in numbered_lines(text))
    for line, row in table:
        entry: Entry = {}
        for name, cell in zip(table.header, row):  # noqa: B905 - a short row leaves its last fields out
            if cell.strip():
                entry[name] = _value(name, cell, line) if name in KNOWN_FIELDS else cell
        yield entry


def _value(name: str, cell: str, line: int) -> Any:
    """Return what a cell means under the name of its column."""
    if name == "tags":
        return [tag.strip() for tag in cell.split(";") if tag.strip()]
    if name in {"stepIndex", "timestamp"} and cell.strip().isascii() and cell.strip().isdigit():
        if len(cell.strip()) > 18:  # longer than any time; `int` takes its time over a million digits
            raise parse_error(line, "invalid CSV", f"{name}: the number is too long")
        return int(cell)
    if name == "data":
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return {"value": cell}
    return cell


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
