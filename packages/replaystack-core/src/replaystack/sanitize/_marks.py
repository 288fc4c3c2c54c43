"""The texts and objects that stand where something was taken out, and how they are recognised again.

A mark is final: a second pass leaves it as it is. Rust and Python must agree on every byte here.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = [
    "CIRCULAR",
    "CUT",
    "DEEP",
    "MASKED",
    "UNREADABLE",
    "dropped",
    "is_mark",
    "omitted",
    "truncated",
]

MASKED: Final = "[MASKED]"
CIRCULAR: Final = "[Circular]"
DEEP: Final = "[Depth]"
UNREADABLE: Final = "[Unreadable]"
CUT: Final = "…"

PREVIEW_LENGTH: Final = 2000
"""Code points of a preview (MASKING.md section 4)."""

_CONTENT_TYPE_LENGTH = 128  # a media type is rarely longer than 80; the header is the client's to write


def dropped() -> dict[str, Any]:
    """Stand for a part whose masking failed."""
    return {"__unmasked_dropped": True}


def omitted(content_type: str | None, size_bytes: int) -> dict[str, Any]:
    """Stand for a body that is not decoded. Only the media type is named: parameters are free text."""
    mark: dict[str, Any] = {"__omitted": True}
    if content_type:
        mark["contentType"] = content_type[:_CONTENT_TYPE_LENGTH]
    mark["sizeBytes"] = size_bytes
    return mark


def truncated(
    size_bytes: int, max_bytes: int, preview: str | None, *, lower_bound: bool = False
) -> dict[str, Any]:
    """Stand for a field over its limit, as the original writes it; sizes in bytes."""
    mark: dict[str, Any] = {"__truncated": True, "originalSizeBytes": size_bytes, "maxSizeBytes": max_bytes}
    if preview is not None:
        mark["preview"] = preview
    if lower_bound:
        mark["sizeIsLowerBound"] = True
    return mark


_SHAPES: Final = {
    "__unmasked_dropped": frozenset({"__unmasked_dropped"}),
    "__omitted": frozenset({"__omitted", "contentType", "sizeBytes"}),
    "__truncated": frozenset(
        {"__truncated", "originalSizeBytes", "maxSizeBytes", "preview", "sizeIsLowerBound"}
    ),
}


def is_mark(value: object) -> bool:
    """Tell whether `value` is a mark, and small: no limit replaces a mark by another one."""
    if type(value) is not dict or not 0 < len(value) <= 5:
        return False
    first = next(iter(value))
    if type(first) is not str or value.get(first) is not True:
        return False
    shape = _SHAPES.get(first)
    if shape is None or not all(type(key) is str and key in shape for key in value):
        return False
    return all(
        (type(item) is int and abs(item) < 1 << 63)
        or item is True
        or (type(item) is str and len(item) <= PREVIEW_LENGTH)
        for item in value.values()
    )
