"""The names of the raw formats and the content types that stand for them (WIRE.md section 3)."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["FORMATS", "FORMAT_CONTENT_TYPES", "FormatName", "content_type_format", "format_name"]

FormatName = Literal["json", "jsonl", "syslog", "text", "csv", "obl"]

FORMAT_CONTENT_TYPES: Final[dict[FormatName, str]] = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "syslog": "application/x-syslog",
    "text": "text/plain",
    "csv": "text/csv",
    "obl": "application/x-obl",
}

FORMATS: Final[tuple[FormatName, ...]] = tuple(FORMAT_CONTENT_TYPES)

# Other spellings of JSON Lines in the wild; the six of the table are what we send.
_ALIASES: Final[dict[str, FormatName]] = {
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
    "text/tab-separated-values": "csv",
}
_BY_CONTENT_TYPE: Final[dict[str, FormatName]] = {
    **{content_type: name for name, content_type in FORMAT_CONTENT_TYPES.items()},
    **_ALIASES,
}


def format_name(text: object) -> FormatName:
    """Return `text` as a format's name.

    Raises:
        ValueError: it is none; the message lists them.

    """
    if isinstance(text, str) and text in FORMAT_CONTENT_TYPES:
        return text
    raise ValueError(f"format must be one of {', '.join(FORMATS)}: got {str(text)[:40]!r}")


def content_type_format(header: str | None) -> FormatName | None:
    """Return the format that a Content-Type names; None if it names none of ours."""
    kind = (header or "").partition(";")[0].strip().lower()
    return _BY_CONTENT_TYPE.get(kind)
