"""What the demo prints: plain text, coloured only where a person looks at a terminal."""

from __future__ import annotations

import os
import shutil
import textwrap
from datetime import datetime
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .checks import Check

__all__ = ["Screen"]

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _CYAN = "1", "2", "31", "32", "33", "36"
_STATUS_COLOURS = {"success": _GREEN, "warning": _YELLOW, "failed": _RED}
_FEWEST_COLUMNS, _MOST_COLUMNS = 80, 120  # narrower breaks the table, wider is hard to read


class Screen:
    """Writes the demo's few kinds of lines to a stream, each at once."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`, in colour if it is a terminal and NO_COLOR is not set."""
        self._stream = stream
        self._colour = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        columns = shutil.get_terminal_size((100, 24)).columns
        self._columns = min(max(columns, _FEWEST_COLUMNS), _MOST_COLUMNS)
        # A terminal that knows ASCII only gets ASCII instead of an exception.
        fancy = _can_encode(stream, "✓✗·…─")
        signs = ("✓", "✗", "…", "─", "·") if fancy else ("+", "x", "...", "-", "|")
        self._tick, self._cross, self._dots, self._rule, self._dot = signs

    def say(self, text: str = "") -> None:
        """Print one line as it is."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def heading(self, text: str) -> None:
        """Print the line that begins a part."""
        rest = self._columns - len(text) - 4
        self.say()
        before, behind = self._paint(self._rule * 2, _DIM), self._paint(self._rule * rest, _DIM)
        self.say(f"{before} {self._paint(text, _BOLD)} {behind}")

    def progress(self, text: str) -> None:
        """Print what is being done now, so that nobody waits in front of nothing."""
        self.say(self._paint(f"   {text} {self._dots}", _DIM))

    def places(self, places: Mapping[str, str]) -> None:
        """Print names with what belongs to them, aligned; never cut, so that it can be copied."""
        width = max(len(name) for name in places)
        for name, place in places.items():
            self.say(f"   {name:<{width}}  {self._paint(place, _CYAN)}")

    def events(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Print one line for each event, in the columns of the receiver's own list."""
        self.say(
            self._paint(
                f"   {'time':<12}  {'status':<7}  {'method':<6}  {'path':<22} code     ms  error", _DIM
            )
        )
        for row in rows:
            self.say(self._event(row))

    def checks(self, checks: Iterable[Check]) -> None:
        """Print each check with a tick or a cross, and below a cross what is wrong."""
        for check in checks:
            sign = self._paint(self._cross, _RED) if check.faults else self._paint(self._tick, _GREEN)
            first, *rest = self._wrap(check.claim)
            self.say(f" {sign} {first}")
            for line in rest:
                self.say(f"   {line}")
            for detail in check.details.splitlines():
                for line in self._wrap(detail):
                    self.say(self._paint(f"   {line.replace('·', self._dot)}", _DIM))
            for fault in check.faults:
                self.say(self._paint(f"      {fault}", _RED))

    def verdict(self, text: str, *, good: bool) -> None:
        """Print the one line that matters."""
        self.say()
        self.say(f" {self._paint(text, _BOLD + ';' + (_GREEN if good else _RED))}")

    def _event(self, row: Mapping[str, Any]) -> str:
        at = datetime.fromisoformat(row["timestamp"].replace("Z", "+00:00")).astimezone()
        status = self._paint(f"{row['status']:<7}", _STATUS_COLOURS.get(row["status"]))
        code, took = row["statusCode"], row["executionTimeMs"]
        left = (
            f"   {at:%H:%M:%S}.{at.microsecond // 1000:03d}  {status}"
            f"  {row['method'] or '-':<6}  {self._cut(row['endpoint'] or '-', 22):<22} "
            f"{'-' if code is None else code:>4} {'-' if took is None else took:>6}"
        )
        error = ": ".join(text for text in (row["errorName"], row["errorMessage"]) if text)
        return f"{left}  {self._cut(error, self._columns - 70)}".rstrip()

    def _wrap(self, text: str) -> list[str]:
        # What stands between two dots stays together where it can.
        if " · " in text:
            text = text.replace(" ", "\N{NO-BREAK SPACE}").replace("·\N{NO-BREAK SPACE}", "· ")
        lines = textwrap.wrap(text, self._columns - 5, break_on_hyphens=False)
        return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]

    def _cut(self, text: str, most: int) -> str:
        line = " ".join(text.split())
        return line if len(line) <= most else line[: most - len(self._dots)] + self._dots

    def _paint(self, text: str, colour: str | None) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour and colour else text


def _can_encode(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
