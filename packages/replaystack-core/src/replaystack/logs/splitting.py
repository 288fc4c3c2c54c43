"""A raw body cut into requests of at most 100 logs, each complete in its format, each masked.

Lazy: of a body that is read by lines, one request is in memory at a time. What cannot be cut
by lines (JSON, Open Board Logging) is held whole.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..sanitize import NotMaskableError, mask_log_document, mask_log_lines, mask_log_rows, mask_log_texts
from .formats import MOST_ENTRIES, FormatError, Issue, without_comment
from .formats.csv_table import Table
from .formats.json_lines import load
from .formats.obl import obl_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..sanitize import Masked, Policy
    from .formats import FormatName

__all__ = ["Chunk", "split"]

_MOST_BYTES: Final = 4 * 1024 * 1024
"""Characters of one request, before masking: the receiver takes 8 MiB, and masking may add some."""

_KEY_BEGINS: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_GOES_ON: Final = re.compile(
    r"[A-Za-z0-9+/=]{1,200}\Z|[A-Za-z-]{1,40}: .{0,200}\Z|-----END |\Z", re.ASCII
)
_DECODER: Final = json.JSONDecoder()
_BLANKS: Final = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One request."""

    body: Masked
    first_line: int
    last_line: int
    """1-based, in the body or file; 0 for formats that are not read by lines."""


def split(lines: Iterable[tuple[int, str]], name: FormatName, policy: Policy) -> Iterator[Chunk]:
    """Yield the requests that a body comes to.

    Args:
        lines: numbered from 1, without their ends.
        name: the format.
        policy: what to mask.

    Raises:
        FormatError: at the first line that cannot be read; what was yielded before stays valid.

    """
    if name == "jsonl":
        return _split_jsonl(lines, policy)
    if name == "csv":
        return _split_csv(lines, policy)
    if name in {"text", "syslog"}:
        return _split_text(lines, policy)
    text = "\n".join(line for _, line in lines)
    return _split_json(text, policy) if name == "json" else _split_obl(text, policy)


def _refused(line: int, what: str, reason: str) -> FormatError:
    message = f"Failed to parse line {line}: {what}"
    return FormatError(message, "PARSE_ERROR", [Issue(("line", line), reason)], line)


# -- by lines


def _split_jsonl(lines: Iterable[tuple[int, str]], policy: Policy) -> Iterator[Chunk]:
    group: list[tuple[int, str]] = []
    size = 0
    for number, line in lines:
        if not line.strip():
            continue
        if group and (len(group) == MOST_ENTRIES or size + len(line) > _MOST_BYTES):
            yield _jsonl_chunk(group, policy)
            group, size = [], 0
        group.append((number, line))
        size += len(line)
    if group:
        yield _jsonl_chunk(group, policy)


def _jsonl_chunk(group: Sequence[tuple[int, str]], policy: Policy) -> Chunk:
    try:
        body = mask_log_lines([line.strip() for _, line in group], policy)
    except NotMaskableError as error:
        number, line = group[error.index]
        try:
            load(line)
            reason = "it cannot be masked"
        except FormatError as parsed:
            reason = parsed.issues[0].message
        raise _refused(number, "invalid JSON", reason) from None
    return Chunk(body, group[0][0], group[-1][0])


def _split_csv(lines: Iterable[tuple[int, str]], policy: Policy) -> Iterator[Chunk]:
    table = Table(line + "\n" for _, line in lines)
    group: list[tuple[int, list[str]]] = []
    size = 0
    for row in table:
        if group and (len(group) == MOST_ENTRIES or size > _MOST_BYTES):
            yield _csv_chunk(table, group, policy)
            group, size = [], 0
        group.append(row)
        size += sum(map(len, row[1]))
    if group:
        yield _csv_chunk(table, group, policy)


def _csv_chunk(table: Table, group: Sequence[tuple[int, list[str]]], policy: Policy) -> Chunk:
    try:
        body = mask_log_rows(table.header, [row for _, row in group], table.delimiter, policy)
    except NotMaskableError as error:
        raise _refused(group[error.index][0], "invalid CSV", error.reason) from None
    return Chunk(body, group[0][0], group[-1][0])


class _Window:
    """Lines of text that wait for their request, and where it may end.

    Masking looks at all lines of a request together. A private key stays in one piece, and a
    request does not begin with an indented line, which belongs to the one before it: validators
    name a field on one line and quote its value on the next.
    """

    def __init__(self) -> None:
        self._lines: list[tuple[int, str, bool, bool]] = []  # number, text, may begin a request, counts
        self._in_key = False
        self._size = 0

    def add(self, number: int, line: str) -> None:
        """Take one more line."""
        begins = _KEY_BEGINS.search(line) is not None
        self._in_key = self._in_key and _KEY_GOES_ON.match(line) is not None
        # What lies inside of a key is masked into one line with its beginning.
        self._lines.append((number, line, not self._in_key and not line[:1].isspace(), not self._in_key))
        self._in_key = begins or (self._in_key and not line.startswith("-----END "))
        self._size += len(line)

    @property
    def is_full(self) -> bool:
        """True once it holds more than one request."""
        return self._size > _MOST_BYTES or sum(counts for *_, counts in self._lines) > MOST_ENTRIES

    def take(self, policy: Policy, *, everything: bool = False) -> Chunk | None:
        """Return the next request; None if nothing is left."""
        end = len(self._lines)
        if not everything and end > 1:
            quiet = (index for index in range(end - 1, 0, -1) if self._lines[index][2])
            end = next(quiet, end - 1)
        taken, self._lines = self._lines[:end], self._lines[end:]
        self._size = sum(len(line) for _, line, *_ in self._lines)
        if not taken:
            return None
        return Chunk(mask_log_texts([line for _, line, *_ in taken], policy), taken[0][0], taken[-1][0])


def _split_text(lines: Iterable[tuple[int, str]], policy: Policy) -> Iterator[Chunk]:
    window = _Window()
    for number, line in lines:
        if not line.strip():
            continue
        window.add(number, line)
        if window.is_full and (chunk := window.take(policy)) is not None:
            yield chunk
    while (chunk := window.take(policy, everything=not window.is_full)) is not None:
        yield chunk


# -- whole documents


def _split_json(text: str, policy: Policy) -> Iterator[Chunk]:
    document = load(text)
    entries = document.get("logs") if isinstance(document, dict) and "logs" in document else document
    if not isinstance(entries, list) or (len(entries) <= MOST_ENTRIES and len(text) <= _MOST_BYTES):
        yield Chunk(_document(text, policy), 0, 0)
        return
    group: list[str] = []
    size = 0
    for item in _items(text, inside_object=isinstance(document, dict)):
        if group and (len(group) == MOST_ENTRIES or size + len(item) > _MOST_BYTES):
            yield Chunk(_document(_array(group), policy), 0, 0)
            group, size = [], 0
        group.append(item)
        size += len(item)
    if group:
        yield Chunk(_document(_array(group), policy), 0, 0)


def _items(text: str, *, inside_object: bool) -> Iterator[str]:
    """Yield the items of the array, or of the one under `logs`, as they stand in a text that is JSON."""
    at = _behind_blanks(text, 0) + 1
    if inside_object:
        at = _last_logs(text, at)
    at = _behind_blanks(text, at)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        at = _behind_blanks(text, end)
        if text[at] == ",":
            at = _behind_blanks(text, at + 1)


def _last_logs(text: str, at: int) -> int:
    """Return the place behind the `[` of the last `logs`: the one that a parser keeps."""
    found = at
    at = _behind_blanks(text, at)
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        at = _behind_blanks(text, _behind_blanks(text, end) + 1)
        if key == "logs":
            found = at + 1
        _, end = _DECODER.raw_decode(text, at)
        at = _behind_blanks(text, end)
        if text[at] == ",":
            at = _behind_blanks(text, at + 1)
    return found


def _behind_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return at if blanks is None else blanks.end()


def _array(items: Sequence[str]) -> str:
    return '{"logs":[' + ",".join(items) + "]}"


def _split_obl(text: str, policy: Policy) -> Iterator[Chunk]:
    document = obl_document(text)
    events = [(session, event) for session in document["sessions"] for event in session.get("events", [])]
    if len(events) <= MOST_ENTRIES:
        yield Chunk(_document(without_comment(text), policy), 0, 0)
        return
    for start in range(0, len(events), MOST_ENTRIES):
        sessions: list[dict[str, Any]] = []
        last: dict[str, Any] | None = None
        for session, event in events[start : start + MOST_ENTRIES]:
            if session is not last:
                sessions.append({**session, "events": []})
                last = session
            sessions[-1]["events"].append(event)
        part = json.dumps({**document, "sessions": sessions}, ensure_ascii=False, separators=(",", ":"))
        yield Chunk(_document(part, policy), 0, 0)


def _document(text: str, policy: Policy) -> Masked:
    try:
        return mask_log_document(text, policy)
    except NotMaskableError as error:
        raise _refused(1, "invalid JSON", error.reason) from None
