"""What a reader looks for in logs: words, "phrases", OR, -exclusions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["SEARCH_FIELDS", "LogSearch", "parse_search"]

SEARCH_FIELDS: Final = {
    "message": "message",
    "errorName": "error_name",
    "errorStack": "error_stack",
    "data": "data",
    "tags": "tags",
}
"""Names of the API and columns of the index."""

_MOST_TERMS: Final = 16
_SHORTEST_BEGINNING: Final = 2
_PART: Final = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_WORD: Final = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class LogSearch:
    """The parts of one search. Words match as a beginning, phrases and exclusions exactly; no case."""

    raw: str
    required: tuple[str, ...] = ()
    """Words that must all occur."""
    phrases: tuple[str, ...] = ()
    """Word sequences that must all occur."""
    optional: tuple[tuple[str, ...], ...] = ()
    """Groups of terms joined by OR: of each group one at least must occur."""
    excluded: tuple[str, ...] = ()
    """Terms none of which may occur."""
    fields: tuple[str, ...] = ("message",)
    """Keys of `SEARCH_FIELDS`."""

    @property
    def is_empty(self) -> bool:
        """True if nothing in it can be looked for, as in `---`."""
        return not (self.required or self.phrases or self.optional or self.excluded)

    @property
    def wanted(self) -> str | None:
        """The FTS5 expression of what must occur; None if nothing must."""
        terms = [_beginning(word) for word in self.required]
        terms += [_quoted(phrase) for phrase in self.phrases]
        terms += ["(" + " OR ".join(_beginning(term) for term in group) + ")" for group in self.optional]
        return self._in_fields(" AND ".join(terms)) if terms else None

    @property
    def unwanted(self) -> str | None:
        """The FTS5 expression of what must not occur."""
        return self._in_fields(" OR ".join(map(_quoted, self.excluded))) if self.excluded else None

    def _in_fields(self, expression: str) -> str:
        return f"{{{' '.join(SEARCH_FIELDS[name] for name in self.fields)}}} : ({expression})"


def parse_search(text: str, fields: tuple[str, ...] = ("message",)) -> LogSearch:
    """Return what `text` means; every operator of FTS5 in it is a plain word.

    `fields` are keys of `SEARCH_FIELDS`. Beyond 16 terms the rest is ignored.
    """
    excluded: list[str] = []
    groups: list[list[tuple[str, bool]]] = []
    joins = False
    for minus, quoted, word in _PART.findall(text)[: 2 * _MOST_TERMS]:
        if word == "OR" and not minus:
            joins = bool(groups)
            continue
        term = (quoted or word.replace('"', "")).replace("\0", " ").strip()
        if not _WORD.search(term):
            continue
        if minus:
            excluded.append(term)
        elif joins:
            groups[-1].append((term, bool(quoted)))
        else:
            groups.append([(term, bool(quoted))])
        joins = False
    alone = [group[0] for group in groups if len(group) == 1]
    phrases = [term for term, is_phrase in alone if is_phrase]
    return LogSearch(
        raw=text,
        required=tuple(term for term, is_phrase in alone if not is_phrase)[:_MOST_TERMS],
        phrases=tuple(phrases)[:_MOST_TERMS],
        optional=tuple(tuple(term for term, _ in group) for group in groups if len(group) > 1)[:_MOST_TERMS],
        excluded=tuple(excluded)[:_MOST_TERMS],
        fields=fields,
    )


def _beginning(term: str) -> str:
    return _quoted(term) + ("*" if len(term) >= _SHORTEST_BEGINNING else "")


def _quoted(term: str) -> str:
    return f'"{term}"'
