"""The lines of a raw body, numbered and decoded, from a text, from bytes or from a file of any size."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, BinaryIO, Final

from .formats import FormatError, Issue, decode, numbered_lines
from .formats.lines import decode_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .formats import FormatName

__all__ = ["MOST_DOCUMENT_BYTES", "MOST_LINE", "file_lines", "text_lines"]

MOST_LINE: Final = 1024 * 1024
"""Bytes or characters of one line: it is held in memory, and no log may be nearly as long."""

MOST_DOCUMENT_BYTES: Final = 256 * 1024 * 1024
"""Of a format that has to be read whole."""

_BY_DOCUMENT: Final = frozenset({"json", "obl"})
_LENIENT: Final = frozenset({"text", "syslog"})
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TAIL: Final = 8192
"""Characters at the end of a cut line that are looked through for the last whole word."""


def text_lines(body: str | bytes, name: FormatName) -> Iterator[tuple[int, str]]:
    """Yield the lines of a body that is in memory.

    Raises:
        FormatError: bytes that are not in their encoding, or a line above `MOST_LINE`.

    """
    text = decode(body, name) if isinstance(body, bytes) else body.removeprefix("\ufeff")
    if name in _BY_DOCUMENT:
        yield 1, text
        return
    for number, line in numbered_lines(text):
        yield number, line if len(line) <= MOST_LINE else _cut(number, line[:MOST_LINE], name)


def file_lines(file: BinaryIO, name: FormatName) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that is read as it is needed; at most one line is in memory.

    A document format is read whole, up to `MOST_DOCUMENT_BYTES`.

    Raises:
        FormatError: as `text_lines`, or the document is larger.
        OSError: the file cannot be read.

    """
    if name in _BY_DOCUMENT:
        body = file.read(MOST_DOCUMENT_BYTES + 1)
        if len(body) > MOST_DOCUMENT_BYTES:
            raise _refused(1, f"the document is larger than {MOST_DOCUMENT_BYTES} bytes: use JSON Lines")
        yield 1, decode(body, name)
        return
    first = file.readline(MOST_LINE + 1)
    if first.startswith(_UTF_16):
        # The mark is in what was read already, and a line end of UTF-16 is not one of bytes.
        encoding = "utf-16-le" if first.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
        yield from _wide_lines(first[2:], file, encoding, name)
        return
    line = first.removeprefix(codecs.BOM_UTF8)
    number = 1
    while line:
        is_cut = len(line) > MOST_LINE
        if is_cut:
            _skip_line(file, line)
            yield number, _cut(number, line[:MOST_LINE].decode(errors="ignore"), name)
        else:
            yield number, _decoded(number, line.removesuffix(b"\n").removesuffix(b"\r"), name)
        line = file.readline(MOST_LINE + 1)
        number += 1


def _decoded(number: int, line: bytes, name: FormatName) -> str:
    if name in _LENIENT:
        return decode_line(line)
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise _refused(number, f"not UTF-8: byte {error.start}: {error.reason}") from None


def _wide_lines(first: bytes, file: BinaryIO, encoding: str, name: FormatName) -> Iterator[tuple[int, str]]:
    decoder = codecs.getincrementaldecoder(encoding)("replace" if name in _LENIENT else "strict")
    number = 1
    rest = ""
    block = first
    while True:
        try:
            rest += decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise _refused(number, f"not {encoding.upper()}: {error.reason}") from None
        *lines, rest = rest.split("\n")
        for line in lines:
            yield number, line.removesuffix("\r")
            number += 1
        if len(rest) > MOST_LINE:
            raise _refused(number, f"the line is longer than {MOST_LINE} characters")
        if not block:
            break
        block = file.read(64 * 1024)
    if rest:
        yield number, rest


def _skip_line(file: BinaryIO, line: bytes) -> None:
    """Read on to the end of a line of which the beginning is kept."""
    while line and not line.endswith(b"\n"):
        line = file.readline(MOST_LINE)


def _cut(number: int, beginning: str, name: FormatName) -> str:
    """Return the beginning of a line that is too long, up to its last whole word, with a mark.

    A word that is cut may be half a secret, which no rule would know.
    """
    if name not in _LENIENT:
        raise _refused(number, f"the line is longer than {MOST_LINE} bytes")
    tail = beginning[-_TAIL:]
    blank = max(tail.rfind(" "), tail.rfind("\t"))
    kept = beginning[: len(beginning) - len(tail) + max(blank, 0)]
    return f"{kept} … [cut, longer than {MOST_LINE} bytes]"


def _refused(line: int, reason: str) -> FormatError:
    return FormatError(
        f"Failed to parse line {line}: {reason}", "PARSE_ERROR", [Issue(("line", line), reason)], line
    )
