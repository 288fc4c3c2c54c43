"""The six raw formats of logs: pure parsers, shared by the receiver and by `client.ingest_raw`."""

from .entries import Defaults, Entry, clip, complete, is_marked_pii
from .levels import LEVELS, level_of
from .lines import decode, numbered_lines
from .names import FORMAT_CONTENT_TYPES, FORMATS, FormatName, content_type_format, format_name
from .obl import without_comment
from .problems import FormatError, Issue
from .reading import MOST_ENTRIES, parse, read_entries
from .sniffing import sniff
from .times import parse_ms

__all__ = [
    "FORMATS",
    "FORMAT_CONTENT_TYPES",
    "LEVELS",
    "MOST_ENTRIES",
    "Defaults",
    "Entry",
    "FormatError",
    "FormatName",
    "Issue",
    "clip",
    "complete",
    "content_type_format",
    "decode",
    "format_name",
    "is_marked_pii",
    "level_of",
    "numbered_lines",
    "parse",
    "parse_ms",
    "read_entries",
    "sniff",
    "without_comment",
]
