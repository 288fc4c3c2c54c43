"""Places in a text, and what is written there instead: the result of masking that keeps all else.

The Rust twin is `spans.rs`; there the offsets are bytes, here they are code points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Span", "apply", "outermost"]


class Span(NamedTuple):
    """`text[start:end]` becomes `replacement`, which hides so many secrets."""

    start: int
    end: int
    replacement: str
    secrets: int = 0


def outermost(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, without those that lie within others; of equal ones the last added.

    Spans of JSON values are nested or apart, they never overlap halfway.
    """
    ordered = sorted(enumerate(spans), key=lambda item: (item[1].start, -item[1].end, -item[0]))
    kept: list[Span] = []
    end = 0
    for _, span in ordered:
        if span.start >= end:
            kept.append(span)
            end = span.end
    return kept


def apply(text: str, spans: Sequence[Span]) -> str:
    """Return `text` with each span replaced; the spans are in order and apart."""
    if not spans:
        return text
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += (text[at : span.start], span.replacement)
        at = span.end
    parts.append(text[at:])
    return "".join(parts)
