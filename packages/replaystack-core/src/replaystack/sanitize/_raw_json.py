"""JSON as it came, masked byte for byte: every byte that is not a secret's stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._json import NotJsonError, is_valid
from ._quotes import mask_at_quotes
from ._scan import find
from ._spans import Span, apply, outermost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._rules import Rules

__all__ = ["is_json", "mask_json", "mask_json_lines", "mask_json_prefix"]


def is_json(text: str, rules: Rules) -> bool:
    """Tell whether some strict parser would take `text`."""
    if is_valid(text):
        return True
    try:
        rules.counted(lambda document: apply(document, find(document, rules)), text)
    except NotJsonError:
        return False
    return True


def mask_json(text: str, rules: Rules) -> str:
    """Return one JSON document masked.

    Raise `NotJsonError` if no strict parser would take it. Most documents take the fast road; those
    with anything unusual in them take the plain one.
    """
    masked = mask_at_quotes(text, rules)
    return apply(text, find(text, rules)) if masked is None else masked


def mask_json_prefix(text: str, rules: Rules) -> str:
    """Return the beginning of a JSON document masked, its unfinished last token as `…`.

    Raise `NotJsonError` if it is the beginning of no document.
    """
    return apply(text, find(text, rules, complete=False))


def mask_json_lines(lines: Sequence[str], last: str | None, rules: Rules) -> str:
    """Return JSON documents, one a line, and the beginning of another, masked as the list that they are.

    Raise `NotJsonError` if `last` is the beginning of no document; None stands for nothing, not even `…`.
    """
    if last is None:
        text = "[" + ",\n".join(lines) + "]"
        spans = [*find(text, rules), Span(len(text) - 1, len(text), "")]
        lines = lines[:-1]
    else:
        text = "[" + ",\n".join([*lines, last])
        spans = find(text, rules, complete=False)
    marks = [Span(0, 1, "")]  # what makes a list of them is taken out again
    at = 1
    for line in lines:
        at += len(line)
        marks.append(Span(at, at + 1, ""))
        at += 2
    return apply(text, outermost([*spans, *marks]))
