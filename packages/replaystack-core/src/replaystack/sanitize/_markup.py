"""Secrets in XML and HTML: `<password>x</password>`, `<input name="csrf_token" value="x">`.

Markup that another document quotes (`&lt;password&gt;x&lt;/password&gt;`) is markup too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ._keys import MASK, SAFE, WALK
from ._marks import CUT, MASKED
from ._spelling import BLANKS, lower

if TYPE_CHECKING:
    from ._assignments import NameRules

__all__ = ["mask_markup"]


class _Grammar(NamedTuple):
    """How tags are written. The end of the text ends a tag too: it may have been cut."""

    sign: str
    tag: re.Pattern[str]


# The name ends where it can go no further: no text makes the pattern give back what it took.
_TAG: Final = r"{sign}(/?)([A-Za-z_][A-Za-z0-9_:.\-]*)(?![A-Za-z0-9_:.\-])({within})(?:{end}|\Z)"
_PLAIN: Final = _Grammar("<", re.compile(_TAG.format(sign="<", within="[^<>]*", end=">")))
_ESCAPED: Final = _Grammar(
    "&lt;", re.compile(_TAG.format(sign="&lt;", within="(?:[^<>&]|&(?!lt;|gt;))*", end="&gt;"))
)
_NAMING = re.compile(
    r"\b(name|key|id|property|type)\s*=\s*[\"']([^\"'<>]{1,128})[\"']", re.ASCII | re.IGNORECASE
)
_HOLDING = re.compile(
    r"(\b(?:value|content)\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)", re.ASCII | re.IGNORECASE
)

# The id or the type of a page's element says nothing about what is in it, only about its value.
_OF_VALUE: Final = frozenset({"id", "type"})

# Elements of HTML without content.
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "param", "source"})


def mask_markup(text: str, rules: NameRules) -> str:
    """Mask the content of elements, and the `value` of tags, that are named like a secret.

    Attributes such as `password="x"` are assignments and not treated here.
    """
    for grammar in (_PLAIN, _ESCAPED):
        if grammar.sign in text:
            text = _mask_tags(text, rules, grammar)
    return text


def _mask_tags(text: str, rules: NameRules, grammar: _Grammar) -> str:
    tags = list(grammar.tag.finditer(text))
    if not tags:
        return text
    closings = {tag[2]: tag.start() for tag in tags if tag[1]}  # the last one of each name
    parts: list[str] = []
    done = 0
    for at, tag in enumerate(tags):
        if tag.start() < done or tag[1]:
            continue
        verdict = rules.judge_name(tag[2], query=False)
        by_name = verdict == MASK
        if "=" in tag[3]:
            named, held = _judge_attributes(tag[3], rules)
            verdict = verdict or named
            if held != tag[3]:
                parts += (text[done : tag.start(3)], held)
                done = tag.end(3)
        if verdict == SAFE or tag[3].endswith("/") or lower(tag[2]) in _VOID:
            continue
        to_end = by_name or text.endswith(CUT)
        end = _content_end(text, tags, at, closings, grammar.sign, walk=verdict == WALK, to_end=to_end)
        content = text[tag.end() : end]
        if content.strip(BLANKS) and content not in (MASKED, CUT):
            rules.masked += 1
            parts += (text[done : tag.end()], MASKED)
            done = end
    parts.append(text[done:])
    return "".join(parts)


def _judge_attributes(attributes: str, rules: NameRules) -> tuple[int, str]:
    """Return the verdict on the element that `attributes` name, and the attributes, masked."""
    content = value = SAFE
    for naming in _NAMING.finditer(attributes):
        verdict = rules.judge_name(naming[2], query=False)
        value = value or verdict
        if lower(naming[1]) not in _OF_VALUE:
            content = content or verdict
    if value == SAFE:
        return SAFE, attributes

    return content, _masked_holding(attributes, rules)


def _masked_holding(attributes: str, rules: NameRules) -> str:
    def mask(found: re.Match[str]) -> str:
        quote = found[2][0] if found[2][0] in "\"'" else ""
        held = found[2].strip("\"'")
        if not held or held == MASKED:
            return found.group()
        rules.masked += 1
        return f"{found[1]}{quote}{MASKED}{quote}"

    return _HOLDING.sub(mask, attributes)


def mask_open_tag(text: str, rules: NameRules) -> str:
    """Mask what the tag holds in which a text was cut, unless its name stands there already."""
    start = text.rfind("<")
    attributes = text[start:]
    if start < 0 or ">" in attributes:
        return text
    if any(lower(naming[1]) != "type" for naming in _NAMING.finditer(attributes)):
        return text
    return text[:start] + _masked_holding(attributes, rules)


def _content_end(
    text: str,
    tags: list[re.Match[str]],
    at: int,
    closings: dict[str, int],
    sign: str,
    *,
    walk: bool,
    to_end: bool,
) -> int:
    """Return where the content of tag number `at` ends, as far as it is to be masked.

    An element that never closes ends at the next tag, or with the text.
    """
    tag = tags[at]
    following = text.find(sign, tag.end())
    following = following if following >= 0 else len(text)
    if walk and not text.startswith(f"{sign}/{tag[2]}", following):
        # An element with elements is walked: their own names decide.
        inner = text[tag.end() : following]
        return following if inner.strip(BLANKS) or following == len(text) else tag.end()
    last = closings.get(tag[2], -1)
    if last < tag.end():
        return len(text) if to_end else following
    depth = 1
    for index in range(at + 1, len(tags)):
        other = tags[index]
        if other[2] == tag[2]:
            depth += -1 if other[1] else 0 if other[3].endswith("/") else 1
            if depth == 0:
                return other.start()
    return last
