"""JSON as a reader wants it: indented, coloured, with what is missing said in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from .texts import rich_text, size_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JsonView", "render_json"]

MOST_LINES: Final = 1500
"""Per value. A body of 1 MiB would make a page of many megabytes; the rest is one click away."""

_DEEPEST: Final = 100
"""Levels. Masking stops at 64; more can only come from a store that was written by others."""

_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class JsonView:
    """A rendered value."""

    html: Markup
    is_cut: bool
    """True if lines are missing at the end."""


class _Full(Exception):  # noqa: N818 - ends the walk, no error
    pass


def render_json(value: object, most_lines: int = MOST_LINES) -> JsonView:
    """Render `value`. A bare string is shown as the text that it is, not as a JSON literal."""
    writer = _Writer(most_lines)
    try:
        if isinstance(value, str):
            writer.text(value)
        else:
            writer.value(value, 0)
    except _Full:
        return JsonView(writer.html(), is_cut=True)
    return JsonView(writer.html(), is_cut=False)


class _Writer:
    def __init__(self, most_lines: int) -> None:
        self._pieces: list[str] = []
        self._lines_left = most_lines

    def html(self) -> Markup:
        return Markup("".join(self._pieces))  # noqa: S704 - every piece was escaped when it was added

    def text(self, text: str) -> None:
        for number, line in enumerate(text.splitlines()):
            if number:
                self._break(0)
            self._add(rich_text(line))

    def value(self, value: object, depth: int) -> None:
        if isinstance(value, dict):
            notice = _notice(value)
            if notice is not None:
                self._add(notice)
            else:
                self._members(value, depth)
        elif isinstance(value, list):
            self._items(value, depth)
        elif isinstance(value, str):
            self._span("s", json.dumps(value, ensure_ascii=False))
        else:
            kind = "n" if isinstance(value, int | float) and not isinstance(value, bool) else "l"
            self._span(kind, json.dumps(value))

    def _members(self, members: Mapping[str, object], depth: int) -> None:
        self._open("{", "}", bool(members), depth)
        for number, (key, value) in enumerate(members.items()):
            self._break(depth + 1)
            self._span("k", json.dumps(key, ensure_ascii=False))
            self._add(": ")
            self.value(value, depth + 1)
            self._add("," if number < len(members) - 1 else "")
        self._close("}", bool(members), depth)

    def _items(self, items: list[Any], depth: int) -> None:
        self._open("[", "]", bool(items), depth)
        for number, item in enumerate(items):
            self._break(depth + 1)
            self.value(item, depth + 1)
            self._add("," if number < len(items) - 1 else "")
        self._close("]", bool(items), depth)

    def _open(self, bracket: str, closing: str, has_content: bool, depth: int) -> None:  # noqa: FBT001 - private
        if depth > _DEEPEST:
            raise _Full
        self._add(bracket if has_content else bracket + closing)

    def _close(self, bracket: str, has_content: bool, depth: int) -> None:  # noqa: FBT001 - private
        if has_content:
            self._break(depth)
            self._add(bracket)

    def _break(self, depth: int) -> None:
        self._lines_left -= 1
        if self._lines_left < 1:
            raise _Full
        self._add("\n" + _INDENT * depth)

    def _span(self, kind: str, text: str) -> None:
        self._add(Markup('<span class="{}">{}</span>').format(kind, rich_text(text)))

    def _add(self, piece: str) -> None:
        """Add markup, or a fixed text without any."""
        self._pieces.append(piece)


def _notice(value: Mapping[str, Any]) -> Markup | None:
    """Return the words for one of masking's marker objects (MASKING.md), None for any other."""
    preview = None
    if value.get("__truncated") is True:
        label, detail, preview = "truncated", _truncation(value), value.get("preview")
    elif value.get("__omitted") is True:
        label, detail = "omitted", ", ".join(_known(value, "contentType", "sizeBytes"))
    elif value.get("__unmasked_dropped") is True:
        label, detail = "dropped", "masking this part failed, so it was not sent"
    elif value.get("captured") is False and "reason" in value:
        label, detail = "not captured", str(value["reason"])
    elif set(value) == {"__bytes"}:
        label, detail = "binary", ", ".join(_known({"sizeBytes": value["__bytes"]}, "sizeBytes"))
    else:
        return None
    html = Markup('<span class="notice"><b>{}</b> {}</span>').format(label, rich_text(detail))
    if isinstance(preview, str) and preview:
        html += Markup('<span class="preview">{}</span>').format(rich_text(preview))
    return html


def _truncation(value: Mapping[str, Any]) -> str:
    at_least = "at least " if value.get("sizeIsLowerBound") else ""
    original, most = _known(value, "originalSizeBytes"), _known(value, "maxSizeBytes")
    words = [f"{at_least}{original[0]}"] if original else []
    return ", ".join([*words, *(f"limit {size}" for size in most), "it begins:"])


def _known(value: Mapping[str, Any], *keys: str) -> list[str]:
    found = [(key, value.get(key)) for key in keys]
    return [
        size_text(item) if key.endswith("Bytes") and isinstance(item, int | float) else str(item)
        for key, item in found
        if item is not None
    ]
