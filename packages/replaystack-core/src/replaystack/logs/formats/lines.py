"""From bytes to text, and from text to lines with their numbers."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from .problems import parse_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .names import FormatName

__all__ = ["decode", "decode_line", "numbered_lines"]

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LENIENT: Final = frozenset({"text", "syslog"})
"""Lines of many programs: one that writes in another encoding must not cost the others their lines."""


def decode(body: bytes, name: FormatName) -> str:
    """Return the text of `body`, without a byte order mark; UTF-16 only with one.

    Text and syslog keep every line: one that is no UTF-8 is read as Latin-1, which loses no byte.

    Raises:
        FormatError: another format, and a line is not in the encoding; nothing is guessed there.

    """
    encoding = "utf-8"
    for mark, named in _BOMS:
        if body.startswith(mark):
            encoding, body = named, body[len(mark) :]
            break
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        if name in _LENIENT and encoding == "utf-8":
            return "\n".join(decode_line(line) for line in body.split(b"\n"))
        line = body.count(b"\n", 0, error.start) + 1
        raise parse_error(line, f"not {encoding.upper()}", f"byte {error.start}: {error.reason}") from None


def decode_line(line: bytes) -> str:
    """Return one line as UTF-8, else as Latin-1."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield `(1, first line)`, ... without ends; lazily. A line ends with `\n` or `\r\n`, nothing else does.

    `str.splitlines` would also cut at separators that stand inside of messages.
    """
    start, number = 0, 1
    while start <= len(text):
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        yield number, text[start : end - 1 if end > start and text[end - 1] == "\r" else end]
        start, number = end + 1, number + 1
