"""The walk over a value: plain JSON values come out, masked by key and by value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ._cards import is_card
from ._json import NotJsonError, dumps, loads
from ._keys import CHANGED, INPUT, LOC, MASK, NAME, SAFE, VALUE, WALK, Place, role
from ._marks import CIRCULAR, CUT, DEEP, MASKED
from ._plain import as_json_type, float_text, int_text, key_text, plain, snapshot
from ._text import LEVEL_MAX, ROUNDS_MAX, look, mask, mask_cut, mask_shapes, settle
from ._urls import mask_url_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._policy import Policy

__all__ = ["DEPTH_MAX", "Walker"]

DEPTH_MAX: Final = 64
"""Containers nested deeper become `"[Depth]"`: far beyond real data, far below the recursion limit."""

UNBOUNDED: Final = 1 << 62

_RESERVE = 65536
"""Bytes that may still be written for the preview once the bound is known to be crossed."""
_PREVIEW_ITEMS = 2001  # each takes a byte at least, so these fill the 2000 code points of a preview
_CHARGED_LENGTH = 64  # shorter strings are covered by what their container is charged
_OVERFLOW_TEXT = 16_384

_INT_SMALL = 10**12  # no card number is shorter than 13 digits
_INT_DIGITS_MAX = 10**40  # longer ones become strings, which every parser keeps
_FLOAT_MAX = 1.7976931348623157e308
_SURROGATE = re.compile("[\ud800-\udfff]")

_NO_PAIR: Final = frozenset(map(id, (str, int, float, bool, type(None), dict)))
_PATH_MAX = 64  # parts of a `loc`; as deep as values are walked
_SHORTEST = 5  # no rule knows a secret of four characters


class _Parameters:
    """The rules for a URL's parameters on behalf of one walk (see `_urls.ParameterRules`)."""

    __slots__ = ("_judge", "_level", "_walker")

    def __init__(self, walker: Walker, level: int, judge: Callable[[str], int]) -> None:
        self._walker = walker
        self._level = level
        self._judge = judge

    @property
    def masked(self) -> int:
        return self._walker.masked

    @masked.setter
    def masked(self, count: int) -> None:
        self._walker.masked = count

    def is_secret(self, name: str) -> bool:
        return self._judge(name) & (MASK | WALK) != SAFE

    def mask_text(self, text: str) -> str:
        walker = self._walker
        return mask(text, walker, self._level) if walker.values and self._level <= LEVEL_MAX else text


class Walker:
    """One walk, or several that share a bound and a count. Not for use by two threads at once.

    `budget_bytes` bounds the work: once the encoded size is certain to exceed it, the walk ends,
    `full` is true, and what was built is the beginning of the value, enough for a preview.
    """

    __slots__ = (
        "_keyring",
        "_left",
        "_level",
        "_path",
        "_policy",
        "_stopped",
        "custom_names",
        "full",
        "masked",
        "values",
    )

    def __init__(self, policy: Policy, budget_bytes: int = UNBOUNDED, level: int = 0) -> None:
        self._policy = policy
        self._keyring = policy.keyring
        self._left = budget_bytes
        self._level = level
        self._path: set[int] = set()
        self.custom_names = policy.keyring.custom
        self.values = policy.mask_values
        self.full = False
        self._stopped = False
        self.masked = 0
        """How many places were masked."""

    def walk(self, value: object, place: Place = Place.PAYLOAD) -> Any:
        """Return `value` as plain JSON values of its own, masked."""
        return self._any(value, place, 0)

    def is_secret(self, key: str, place: Place) -> bool:
        """Tell whether what stands under `key` is masked whole or walked as a secret."""
        return self._keyring.judge(key, place) != SAFE

    # --- texts: what `_text` asks for ---

    def text(self, text: str) -> str:
        """Return `text` under the value rules, in Unicode that any encoder takes."""
        if len(text) >= _CHARGED_LENGTH:
            self._left -= len(text)
            if self._left < 0:
                return self._overflow(text)
        if not text.isascii():
            text = _SURROGATE.sub("\ufffd", text)
        if self.values:
            seen = look(text, self)
            if seen:
                return settle(text, seen, self, self._level)
        return text

    def url(self, url: str) -> str:
        """Return one whole URL, masked: parameters by the key rules, all of it by the shapes."""
        if len(url) >= _CHARGED_LENGTH:
            self._left -= len(url)
            if self._left < 0:
                return self._overflow(url)
        if not url.isascii():
            url = _SURROGATE.sub("\ufffd", url)
        rules = self.form_parameters()
        for _ in range(ROUNDS_MAX):
            masked = mask_url_parts(url, rules)
            if self.values:
                masked = mask_shapes(masked, self)
            if masked == url:
                return url
            url = masked
        return MASKED

    def form_parameters(self) -> _Parameters:
        """Return the rules for the parameters of a form, or of a URL that is one: the key rules."""
        return _Parameters(self, self._level + 1, self._keyring.judge_field)

    def parameters(self, level: int) -> _Parameters:
        """Return the rules for the parameters of URLs within a text."""
        return _Parameters(self, level, self._keyring.judge_parameter)

    def judge_name(self, name: str, *, query: bool) -> int:
        """Judge a name found in a text."""
        return self._keyring.judge_name(name, query=query)

    def embedded(self, text: str, level: int) -> str | None:
        """Return `text` masked as the JSON document that it is; None if it is none."""
        try:
            document = loads(text)
        except NotJsonError:
            return None
        inner = Walker(self._policy, level=level)
        masked = inner.walk(document)
        self.masked += inner.masked
        return text if masked == document else dumps(masked)

    def _overflow(self, text: str) -> str:
        if self.full:
            return CUT
        self.full = True
        self._left = _RESERVE
        return self.cut(text[:_OVERFLOW_TEXT])

    def cut(self, text: str) -> str:
        """Return the beginning of a longer text, masked, its unfinished end as `…`."""
        if not text.isascii():
            text = _SURROGATE.sub("\ufffd", text)
        return mask_cut(text, self) if self.values else text + CUT

    # --- containers ---

    def _any(self, value: Any, place: Place, depth: int) -> Any:
        """Return `value`, which stands in a container at `depth`, masked."""
        kind = type(value)
        if kind is dict or kind is list:
            return self._container(value, value, place, depth + 1)
        if kind is int:
            return value if -_INT_SMALL < value < _INT_SMALL else self._int(value)
        if kind is float:
            return value if -_FLOAT_MAX <= value <= _FLOAT_MAX else float_text(value)
        if kind is str:
            return self.text(value)
        if kind is tuple:
            return self._container(value, value, place, depth + 1)
        if kind is bool or value is None:
            return value
        content = plain(value)
        kind = type(content)
        if kind is dict or kind is list:
            return self._container(content, value, place, depth + 1)
        return self._any(content, place, depth)

    def _int(self, value: int) -> int | str:
        if not -_INT_DIGITS_MAX < value < _INT_DIGITS_MAX:
            return int_text(value)
        if self.values and is_card(str(value).lstrip("-")):
            self.masked += 1
            return MASKED
        return value

    def _container(self, value: Any, origin: object, place: Place, depth: int) -> Any:
        if depth > DEPTH_MAX:
            return DEEP
        mark = id(origin)
        if mark in self._path:
            return CIRCULAR
        self._path.add(mark)
        masked = self._dict(value, place, depth) if type(value) is dict else self._list(value, place, depth)
        self._path.discard(mark)
        return masked

    def _overdraw(self) -> bool:
        """Note that the bound is crossed; only the beginning of the container at hand will be walked."""
        self._stopped = self.full  # even the reserve for the preview is used up
        self.full = True
        self._left = _RESERVE
        return True

    def _dict(  # noqa: C901, PLR0912 - the inner loop of everything: each call saved counts
        self, source: dict[Any, Any], place: Place, depth: int
    ) -> dict[str, Any]:
        try:
            items = list(source.items())
        except RuntimeError:  # another thread changed its size meanwhile
            items = snapshot(source)
        self._left -= 5 * len(items)  # `"":0,`
        bounded = self._left < 0 and self._overdraw()
        known = self._keyring.walked(place)
        inner = Place.PAYLOAD if place is Place.LOG else place
        named: tuple[int, int] | None = None
        out: dict[str, Any] = {}
        for key, value in items[: 0 if self._stopped else _PREVIEW_ITEMS] if bounded else items:
            if type(key) is not str:
                key = key_text(key)  # noqa: PLW2901 - the key as it will be written
            verdict = known.get(key)
            if verdict is None:
                verdict = self._learn(key, place)
            if verdict:
                if verdict & (VALUE | INPUT):
                    named = self._named_by(items, place) if named is None else named
                    verdict |= named[verdict & INPUT != 0]
                if verdict & CHANGED:
                    key = self._key(key)  # noqa: PLW2901
                if verdict & (MASK | WALK):
                    out[key] = self._secret(value, inner, depth, walk=not verdict & MASK)
                    if self._stopped:
                        break
                    continue
            kind = type(value)
            if kind is str:
                out[key] = value if len(value) < _SHORTEST and value.isascii() else self.text(value)
            elif kind is bool or value is None:
                out[key] = value
            else:
                out[key] = self._any(value, inner, depth)
                if self._stopped:
                    break
        self._stopped = self._stopped or bounded
        return out

    def _list(self, source: list[Any] | tuple[Any, ...], place: Place, depth: int) -> list[Any]:
        items = list(source)
        self._left -= 2 * len(items)  # `0,`
        bounded = self._left < 0 and self._overdraw()
        if bounded:
            items = items[: 0 if self._stopped else _PREVIEW_ITEMS]
        out: list[Any] = []
        if items and id(type(items[0])) not in _NO_PAIR and depth < DEPTH_MAX:
            pairs = _as_pairs(items)
            if pairs is not None:
                self._pairs(out, pairs, place, depth)
                items = []
        for item in items:
            kind = type(item)
            if kind is str:
                out.append(item if len(item) < _SHORTEST and item.isascii() else self.text(item))
            elif kind is bool or item is None:
                out.append(item)
            else:
                out.append(self._any(item, place, depth))
                if self._stopped:
                    break
        self._stopped = self._stopped or bounded
        return out

    def _pairs(self, out: list[Any], pairs: list[tuple[object, str, Any]], place: Place, depth: int) -> None:
        """Append a list of `[name, value]` pairs, each value masked by its name."""
        for origin, name, value in pairs:
            if self._stopped:
                return
            if id(origin) in self._path:
                out.append(CIRCULAR)
                continue
            self._path.add(id(origin))
            masked = self.text(name)
            verdict = self._judge_text(name, masked, place)
            if verdict:
                out.append([masked, self._secret(value, place, depth + 1, walk=not verdict & MASK)])
            else:
                out.append([masked, self._any(value, place, depth + 1)])
            self._path.discard(id(origin))

    def _secret(self, value: Any, place: Place, depth: int, *, walk: bool) -> Any:
        """Return what stands under a secret key: null, booleans and what is empty stay."""
        origin = value
        value = as_json_type(value)
        kind = type(value)
        if value is None or kind is bool or value == MASKED:
            return value
        if kind is tuple:
            value, kind = list(value), list
        if kind is not int and kind is not float and not value:
            return value
        if walk and kind is dict:
            return self._container(value, origin, place, depth + 1)
        self.masked += 1
        return MASKED

    # --- keys ---

    def _key(self, key: str) -> str:
        if not key.isascii():
            key = _SURROGATE.sub("\ufffd", key)
        return mask(key, self, LEVEL_MAX) if self.values else key

    def _learn(self, key: str, place: Place) -> int:
        """Judge a key and remember the verdict, unless the key itself holds a secret."""
        count = self.masked
        written = self._key(key)
        self.masked = count  # it is counted where it is written
        verdict = self._judge_text(key, written, place) | role(key)
        if written != key:
            return verdict | CHANGED
        self._keyring.remember(key, place, verdict)
        return verdict

    def _judge_text(self, key: str, written: str, place: Place) -> int:
        """Judge a key as it came and as it is written: the second pass sees only the latter."""
        verdict = self._keyring.judge(key, place)
        return verdict if written == key else verdict | self._keyring.judge(written, place)

    def _named_by(self, items: list[tuple[Any, Any]], place: Place) -> tuple[int, int]:
        """Return the verdicts on a `value` by its `name` or `key`, and on an `input` by its `loc`."""
        value_verdict = input_verdict = SAFE
        for key, value in items:
            kind = role(key if type(key) is str else key_text(key))
            if kind == NAME:
                value_verdict |= self._judge_sibling(value, place)
            elif kind == LOC:
                path = as_json_type(value)
                if type(path) is list or type(path) is tuple:
                    for part in path[:_PATH_MAX]:
                        input_verdict |= self._judge_sibling(part, Place.FORM)
        return value_verdict, input_verdict

    def _judge_sibling(self, value: Any, place: Place) -> int:
        name = as_json_type(value)
        if type(name) is not str:
            return SAFE
        before = self.masked, self._left
        written = self.text(name)
        self.masked, self._left = before  # it is counted where it is written
        return self._judge_text(name, written, place)


def _as_pairs(items: list[Any]) -> list[tuple[object, str, Any]] | None:
    """Return (origin, name, value) of each item if every one is a pair that begins with a text."""
    pairs: list[tuple[object, str, Any]] = []
    for origin in items:
        item = as_json_type(origin)
        if (type(item) is not list and type(item) is not tuple) or len(item) != 2:
            return None
        name, value = item
        name = as_json_type(name)
        if type(name) is not str:
            return None
        pairs.append((origin, name, value))
    return pairs
