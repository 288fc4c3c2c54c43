"""The span masker: one pass over JSON text that notes what is to be replaced and keeps all else.

This is the plain form, token by token, that decides what is right; `_quotes` is the fast one and
must give the same bytes. The Rust twin is `scan.rs`. Iterative, so that no depth ends it; what it
decides is what `Walker` decides for the same document as an object, property-tested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ._cards import is_card
from ._json import NotJsonError, dumps
from ._keys import CHANGED, INPUT, LOC, MASK, NAME, SAFE, TITLE, VALUE, WALK, Place
from ._lexer import (
    MARK,
    NUMBER,
    STRING,
    TOKEN,
    WORD,
    clean_string,
    decode_string,
    is_unfinished,
    skip_blanks,
    strange_number,
)
from ._limits import DEPTH_MAX, PATH_MAX
from ._marks import CUT, DEEP, MASKED
from ._spans import Span, outermost

if TYPE_CHECKING:
    from ._rules import Rules

__all__ = ["find"]

_MASK: Final = dumps(MASKED)
_DEEP: Final = dumps(DEEP)
_UNTAKEN: Final = re.compile("[\0\ud800-\udfff]").search
_WHOLE: Final = re.compile(r"-?[0-9]+\Z").match

# What may come next.
_VALUE = 1
_ITEM_OR_END = 2
_KEY_OR_END = 3
_KEY = 4
_COLON = 5
_COMMA_OR_END = 6
_NOTHING = 7


def find(text: str, rules: Rules, *, complete: bool = True) -> list[Span]:
    """Return the spans that mask one JSON document, in order and apart.

    `complete=False`: `text` is the beginning of a document. Its unfinished last token becomes `…`,
    and what only the missing rest could have declared harmless is masked. Raise `NotJsonError` if
    no strict parser would take the text. Linear; adds to `rules.masked`.
    """
    scan = _Scan(text, rules)
    scan.read(complete=complete)
    spans = outermost(scan.spans)
    rules.masked += sum(span.secrets for span in spans)
    return spans


@dataclass(slots=True)
class _Value:
    """A value whose fate its neighbours or its key decide."""

    start: int
    end: int
    stays: bool = False
    """Null, a boolean, empty or masked: no key masks it."""
    is_object: bool = False
    verdict: int = SAFE


@dataclass(slots=True)
class _Frame:
    """An open object or list."""

    start: int
    is_object: bool
    depth: int
    items: int = 0
    # of an object
    verdict: int = SAFE
    """On the value that comes next."""
    waiting: list[_Value] = field(default_factory=list)
    """Each `value` and `input`, until all names are known."""
    value_verdict: int = SAFE
    input_verdict: int = SAFE
    # of a list
    is_path: bool = False
    """It stands under `loc`."""
    first: str | None = None
    """Its first item, if that is a text: the name of a pair."""
    last: _Value | None = None
    are_pairs: bool = True
    """All items so far are `[name, value]`."""

    @property
    def closer(self) -> str:
        return "}" if self.is_object else "]"

    @property
    def empty(self) -> int:
        """What is expected as long as nothing is in it."""
        return _KEY_OR_END if self.is_object else _ITEM_OR_END


class _Scan:
    """One pass over one text."""

    def __init__(self, text: str, rules: Rules) -> None:
        self.text = text
        self.rules = rules
        self.spans: list[Span] = []
        self.stack: list[_Frame] = []
        self.expected = _VALUE

    def read(self, *, complete: bool) -> None:
        at = 0
        size = len(self.text)
        while True:
            if self.expected == _NOTHING and skip_blanks(self.text, at) == size:
                break
            token = TOKEN.match(self.text, at)
            if token is None or (not complete and token.lastindex in (NUMBER, WORD) and token.end() == size):
                self._end_of_prefix(skip_blanks(self.text, at), complete=complete)
                return
            kind = token.lastindex or 0
            start, at = token.span(kind)
            if not complete and kind == NUMBER and is_unfinished(self.text, start):
                self._end_of_prefix(start, complete=complete)
                return
            self._take(kind, start, at)
        if not complete:
            self.spans.append(Span(at, size, CUT))

    def _take(self, kind: int, start: int, end: int) -> None:
        expected = self.expected
        if kind == MARK:
            self._mark(self.text[start], start, end)
        elif kind == STRING and expected in (_KEY, _KEY_OR_END):
            self._key(start, end)
        elif expected not in (_VALUE, _ITEM_OR_END):
            raise NotJsonError("not JSON")
        elif kind == STRING:
            self._string(start, end)
        elif kind == NUMBER:
            self._number(start, end)
        else:
            self._value(_Value(start, end, stays=True))

    def _mark(self, mark: str, start: int, end: int) -> None:
        expected = self.expected
        top = self.stack[-1] if self.stack else None
        if mark in "{[" and expected in (_VALUE, _ITEM_OR_END):
            self._open(start, is_object=mark == "{")
        elif mark == "," and expected == _COMMA_OR_END and top is not None:
            self.expected = _KEY if top.is_object else _VALUE
        elif mark == ":" and expected == _COLON:
            self.expected = _VALUE
        elif top is not None and mark == top.closer and expected in (_COMMA_OR_END, top.empty):
            self._close(end)
        else:
            raise NotJsonError("not JSON")

    # --- scalars ---

    def _decoded(self, start: int, end: int) -> tuple[str, str]:
        """Return what a string says, and its token as any parser takes it."""
        token = self.text[start:end]
        decoded = decode_string(token)
        if "\\" in token and _UNTAKEN(decoded):
            token = clean_string(token)
            decoded = decode_string(token)
        return decoded, token

    def _key(self, start: int, end: int) -> None:
        key, token = self._decoded(start, end)
        verdict = self.rules.verdict(key, Place.PAYLOAD)
        if verdict & CHANGED:
            masked, count = self.rules.counted(self.rules.key, key)
            self.spans.append(Span(start, end, dumps(masked), count))
        elif token != self.text[start:end]:
            self.spans.append(Span(start, end, token))
        self.stack[-1].verdict = verdict
        self.expected = _COLON

    def _string(self, start: int, end: int) -> None:
        content, token = self._decoded(start, end)
        masked, count = self.rules.counted(self.rules.text, content)
        if masked != content:
            self.spans.append(Span(start, end, dumps(masked), count))
        elif token != self.text[start:end]:
            self.spans.append(Span(start, end, token))
        self._value(_Value(start, end, stays=content in ("", MASKED)), content)

    def _number(self, start: int, end: int) -> None:
        token = self.text[start:end]
        content = None
        if strange_number(token):
            content, count = self.rules.counted(self.rules.text, token)
            self.spans.append(Span(start, end, dumps(content), count))
        elif self.rules.values and _WHOLE(token) and is_card(token.lstrip("-")):
            content = MASKED
            self.spans.append(Span(start, end, _MASK, 1))
        self._value(_Value(start, end), content)

    # --- containers ---

    def _open(self, start: int, *, is_object: bool) -> None:
        parent = self.stack[-1] if self.stack else None
        frame = _Frame(start, is_object, len(self.stack) + 1)
        frame.is_path = parent is not None and parent.is_object and bool(parent.verdict & LOC)
        self.stack.append(frame)
        self.expected = frame.empty

    def _close(self, end: int) -> None:
        frame = self.stack.pop()
        self._judge_waiting(frame)
        content = None
        if frame.depth > DEPTH_MAX:
            content = DEEP
            self.spans.append(Span(frame.start, end, _DEEP))
        value = _Value(frame.start, end, stays=not frame.items, is_object=frame.is_object)
        self._value(value, content, _pair(frame))

    def _judge_waiting(self, frame: _Frame) -> None:
        """Mask each `value`, `input` and pair whose neighbours tell that it is a secret."""
        if not frame.is_object and not (frame.are_pairs and frame.depth < DEPTH_MAX):
            return
        for value in frame.waiting:
            verdict = value.verdict
            if verdict & (VALUE | INPUT):
                verdict |= frame.input_verdict if verdict & INPUT else frame.value_verdict
            self._mask(value, verdict)

    def _mask(self, value: _Value, verdict: int) -> None:
        """Mask a value whole if the verdict on its key calls for it."""
        if not value.stays and (verdict & MASK or (verdict & WALK and not value.is_object)):
            self.spans.append(Span(value.start, value.end, _MASK, 1))

    def _value(
        self, value: _Value, content: str | None = None, pair: tuple[str, _Value] | None = None
    ) -> None:
        """Note a complete value, and the text that is written for it, in the container that it stands in."""
        self.expected = _COMMA_OR_END if self.stack else _NOTHING
        if not self.stack:
            return
        frame = self.stack[-1]
        frame.items += 1
        if frame.is_object:
            self._field(frame, value, content)
        else:
            self._item(frame, value, content, pair)

    def _field(self, frame: _Frame, value: _Value, content: str | None) -> None:
        value.verdict = verdict = frame.verdict
        if verdict & (VALUE | INPUT) and not verdict & MASK:
            frame.waiting.append(value)
        else:
            self._mask(value, verdict)
        if verdict & NAME and content is not None:
            frame.value_verdict |= self.rules.judge_text(content, Place.PAYLOAD)
        elif verdict & TITLE and content is not None:
            frame.value_verdict |= self.rules.judge_title(content, Place.PAYLOAD)
        frame.verdict = SAFE

    def _item(
        self, frame: _Frame, value: _Value, content: str | None, pair: tuple[str, _Value] | None
    ) -> None:
        frame.first = content if frame.items == 1 else frame.first
        frame.last = value
        if pair is None:
            frame.are_pairs = False
        elif frame.are_pairs:
            name, secret = pair
            secret.verdict = self.rules.judge_text(name, Place.PAYLOAD)
            if secret.verdict:
                frame.waiting.append(secret)
        if frame.is_path and content is not None and frame.items <= PATH_MAX:
            self.stack[-2].input_verdict |= self.rules.judge_text(content, Place.FORM)

    # --- the end of a text that was cut ---

    def _end_of_prefix(self, start: int, *, complete: bool) -> None:
        """Close what is open as if nothing but the worst came after `start`."""
        if complete or not self.stack or not is_unfinished(self.text, start):
            raise NotJsonError("not JSON")
        self.spans.append(Span(start, len(self.text), CUT))
        child: _Frame | None = None
        while self.stack:
            frame = self.stack[-1]
            if child is not None:
                value = _Value(child.start, start, is_object=child.is_object)
                # Half a pair may still become one; it has no value yet that could be secret.
                pair = _pair(child) or (None if child.items > 1 or child.is_object else ("", value))
                self._value(value, pair=pair)
            for value in frame.waiting:
                if value.verdict & (VALUE | INPUT):  # the name that condemns it may have been cut off
                    value.verdict |= MASK
            self._judge_waiting(frame)
            child = self.stack.pop()


def _pair(frame: _Frame) -> tuple[str, _Value] | None:
    """Return the name and the value if `frame` is a list of two that begins with a text."""
    if frame.is_object or frame.items != 2 or frame.first is None or frame.last is None:
        return None
    return frame.first, frame.last
