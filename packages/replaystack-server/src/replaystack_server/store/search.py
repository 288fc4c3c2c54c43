"""The full-text side: what is indexed of an event, and what a reader's words mean."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ENDPOINT_BYTES", "ERROR_BYTES", "MESSAGE_BYTES", "TAGS_BYTES", "clip", "match_expression"]

# 4 KiB together, per event and uncompressed: enough for a message with its nested cause, and
# a hundred thousand events stay a few hundred MB at the very worst.
ENDPOINT_BYTES: Final = 1024
ERROR_BYTES: Final = 256
MESSAGE_BYTES: Final = 2048
TAGS_BYTES: Final = 768

_MOST_WORDS = 16
"""Of one search; more only cost time and find nothing."""

_SHORTEST_BEGINNING = 2
"""Characters. A single letter as a beginning would walk through most of the index."""

_PARTS = re.compile(r'"([^"]*)"?|(\S+)')
_WORD = re.compile(r"\w")


def clip(text: str, most_bytes: int) -> str:
    """Return the beginning of `text` that fits into `most_bytes` of UTF-8, whole characters only."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= most_bytes else raw[:most_bytes].decode("utf-8", "ignore")


def match_expression(text: str) -> str | None:
    """Translate a reader's words into FTS5; None if there is no word in them.

    All words must occur, each as a beginning (`pay` finds `PaymentError`); words in double
    quotes must follow each other exactly. Nothing else has a meaning: every operator of FTS5
    arrives inside quotes.
    """
    phrases: list[str] = []
    for quoted, word in _PARTS.findall(text):
        part = quoted or word.replace('"', "")
        if not _WORD.search(part):
            continue
        is_beginning = not quoted and len(part) >= _SHORTEST_BEGINNING
        phrases.append(f'"{part}"*' if is_beginning else f'"{part}"')
    return " ".join(phrases[:_MOST_WORDS]) or None
