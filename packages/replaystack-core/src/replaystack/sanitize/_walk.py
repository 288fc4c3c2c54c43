"""The walk over a value: plain JSON values come out, masked by key and by value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ._assignments import may_assign
from ._cards import is_card
from ._keys import CACHED_KEY_LENGTH, CHANGED, INPUT, LOC, MASK, NAME, SAFE, TITLE, VALUE, WALK, Place, role
from ._limits import DEPTH_MAX, PATH_MAX
from ._marks import CIRCULAR, DEEP, MASKED
from ._plain import as_json_type, float_text, int_text, key_text, plain, snapshot
from ._rules import CHARGED_LENGTH, RESERVE, UNBOUNDED, Rules

if TYPE_CHECKING:
    from ._policy import Policy

__all__ = ["Walker"]

_PREVIEW_ITEMS = 2001  # each takes a byte at least, so these fill the 2000 code points of a preview

_INT_SMALL = 10**12  # no card number is shorter than 13 digits
_INT_DIGITS_MAX = 10**40  # longer ones become strings, which every parser keeps
_FLOAT_MAX = 1.7976931348623157e308

_NO_PAIR: Final = frozenset(map(id, (str, int, float, bool, type(None), dict)))
_SHORTEST = 5  # no rule knows a secret of four characters


class Walker(Rules):
    """One walk, or several that share a bound and a count. Not for use by two threads at once.

    `budget_bytes` bounds the work: once the encoded size is certain to exceed it, the walk ends,
    `full` is true, and what was built is the beginning of the value, enough for a preview.

    Texts are held until the end of the walk and looked at together, which takes a fraction of the
    time of a look at each (see `_screen`).
    """

    __slots__ = ("_held", "_path", "_stopped", "_walked")

    def __init__(self, policy: Policy, budget_bytes: int = UNBOUNDED, level: int = 0) -> None:
        super().__init__(policy, budget_bytes, level)
        self._held: list[tuple[str, Any, Any]] = []
        """Each text, the container that it was put into, and its key or index there."""
        self._path: set[int] = set()
        self._walked = self.keyring.caches
        self._stopped = False

    def walk(self, value: object, place: Place = Place.PAYLOAD) -> Any:
        """Return `value` as plain JSON values of its own, masked."""
        self._held = []
        masked = self._any(value, place, 0)
        self._mask_held()
        return masked

    def _mask_held(self) -> None:
        held = self._held
        if not held:
            return
        changed = self.changed([text for text, _, _ in held])
        if not changed:
            return
        for text, container, key in held:
            if text in changed:
                masked, count = changed[text]
                self.masked += count
                if container[key] is text:  # two keys may have become one
                    container[key] = masked

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
        walk = self._dict if type(value) is dict else self._list
        return walk(value, place, depth, origin)

    def _overdraw(self) -> bool:
        """Note that the bound is crossed; only the beginning of the container at hand will be walked."""
        self._stopped = self.full  # even the reserve for the preview is used up
        self.full = True
        self.left = RESERVE
        return True

    def _dict(  # noqa: C901, PLR0912, PLR0915 - the inner loop of everything: each call saved counts
        self, source: dict[Any, Any], place: Place, depth: int, origin: object
    ) -> Any:
        mark = id(origin)
        if depth > DEPTH_MAX or mark in self._path:
            return DEEP if depth > DEPTH_MAX else CIRCULAR
        self._path.add(mark)
        try:
            items = list(source.items())
        except RuntimeError:  # another thread changed its size meanwhile
            items = snapshot(source)
        self.left -= 5 * len(items)  # `"":0,`
        bounded = self.left < 0 and self._overdraw()
        known = self._walked[place]
        inner = Place.PAYLOAD if place is Place.LOG else place
        hold = self._held.append
        named: tuple[int, int] | None = None
        out: dict[str, Any] = {}
        for key, value in items[: 0 if self._stopped else _PREVIEW_ITEMS] if bounded else items:
            if type(key) is not str:
                key = key_text(key)  # noqa: PLW2901 - the key as it will be written
            verdict = known.get(key)
            if verdict is None:
                if len(key) > CACHED_KEY_LENGTH:  # never known, so that each time costs alike
                    self.left -= len(key)
                    if self.left < 0 and self._overdraw() and self._stopped:
                        break
                verdict = self.verdict(key, place)
            if verdict:
                if verdict & (VALUE | INPUT):
                    named = self._named_by(items, place) if named is None else named
                    verdict |= named[verdict & INPUT != 0]
                if verdict & CHANGED:
                    key = self.key(key)  # noqa: PLW2901
                if verdict & (MASK | WALK):
                    out[key] = self._secret(value, inner, depth, walk=not verdict & MASK)
                    if self._stopped:
                        break
                    continue
            kind = type(value)
            if kind is str:
                size = len(value)
                if size >= CHARGED_LENGTH:
                    self.left -= size
                    if self.left < 0:
                        out[key] = self.overflow(value)
                        continue
                out[key] = value
                if size >= _SHORTEST or not value.isascii():
                    hold((value, out, key))
            elif kind is int:
                out[key] = value if -_INT_SMALL < value < _INT_SMALL else self._int(value)
            elif kind is bool or value is None or (kind is float and -_FLOAT_MAX <= value <= _FLOAT_MAX):
                out[key] = value
            else:
                if kind is dict:
                    out[key] = self._dict(value, inner, depth + 1, value)
                elif kind is list:
                    out[key] = self._list(value, inner, depth + 1, value)
                else:
                    out[key] = self._any(value, inner, depth)
                if self._stopped:
                    break
        self._stopped = self._stopped or bounded
        self._path.discard(mark)
        return out

    def _list(self, source: list[Any] | tuple[Any, ...], place: Place, depth: int, origin: object) -> Any:
        mark = id(origin)
        if depth > DEPTH_MAX or mark in self._path:
            return DEEP if depth > DEPTH_MAX else CIRCULAR
        self._path.add(mark)
        items = list(source)
        self.left -= 2 * len(items)  # `0,`
        bounded = self.left < 0 and self._overdraw()
        if bounded:
            items = items[: 0 if self._stopped else _PREVIEW_ITEMS]
        out: list[Any] = []
        if items and id(type(items[0])) not in _NO_PAIR and depth < DEPTH_MAX:
            pairs = self._as_pairs(items, depth)
            if pairs is not None:
                self._pairs(out, pairs, place, depth)
                items = []
        for item in items:
            kind = type(item)
            if kind is dict:
                out.append(self._dict(item, place, depth + 1, item))
            elif kind is str:
                self._hold(item, out)
                continue
            else:
                out.append(self._any(item, place, depth))
            if self._stopped:
                break
        self._stopped = self._stopped or bounded
        self._path.discard(mark)
        return out

    def _hold(self, text: str, out: list[Any]) -> None:
        """Append a text to a list; it is looked at in the end."""
        if len(text) >= CHARGED_LENGTH:
            self.left -= len(text)
            if self.left < 0:
                out.append(self.overflow(text))
                return
        self._held.append((text, out, len(out)))
        out.append(text)

    def _as_pairs(self, items: list[Any], depth: int) -> list[tuple[object, Any, str]] | None:
        """Return (origin, pair, name) of each item if every one is a pair that begins with a text."""
        pairs: list[tuple[object, Any, str]] = []
        for origin in items:
            item = as_json_type(origin)
            if (type(item) is not list and type(item) is not tuple) or len(item) != 2:
                return None
            name = self._as_text(item[0], depth + 2)
            if name is None:
                return None
            pairs.append((origin, item, name))
        return pairs

    def _as_text(self, value: Any, depth: int) -> str | None:
        """Return the first half of a pair if it will be written as a text: then a second pass sees one."""
        name = as_json_type(value)
        kind = type(name)
        if kind is str:
            return str(name)
        if kind is dict or kind is list or kind is tuple:
            return DEEP if depth > DEPTH_MAX else CIRCULAR if id(value) in self._path else None
        before = self.masked
        written = self._any(name, Place.NONE, depth)
        self.masked = before  # it is counted where it is written
        return written if type(written) is str else None

    def _pairs(self, out: list[Any], pairs: list[tuple[object, Any, str]], place: Place, depth: int) -> None:
        """Append a list of `[name, value]` pairs, each value masked by its name."""
        for origin, (first, value), name in pairs:
            if self._stopped:
                return
            if id(origin) in self._path:
                out.append(CIRCULAR)
                continue
            self._path.add(id(origin))
            written = self._any(first, place, depth + 1)
            verdict = self.judge_both(name, written, place) if may_assign(name.lower(), self) else SAFE
            if verdict:
                out.append([written, self._secret(value, place, depth + 1, walk=not verdict & MASK)])
            else:
                out.append([written, self._any(value, place, depth + 1)])
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
            return value if kind is str or depth < DEPTH_MAX else DEEP
        if walk and kind is dict:
            return self._container(value, origin, place, depth + 1)
        self.masked += 1
        return MASKED

    def _named_by(self, items: list[tuple[Any, Any]], place: Place) -> tuple[int, int]:
        """Return the verdicts on a `value` by its `name` or `key`, and on an `input` by its `loc`."""
        value_verdict = input_verdict = SAFE
        for key, value in items:
            kind = role(key if type(key) is str else key_text(key))
            if kind & (NAME | TITLE):
                name = as_json_type(value)
                if type(name) is str:
                    judge = self.judge_text if kind & NAME else self.judge_title
                    value_verdict |= judge(name, place)
            elif kind == LOC:
                path = as_json_type(value)
                if type(path) is list or type(path) is tuple:
                    for part in path[:PATH_MAX]:
                        input_verdict |= self._judge_sibling(part, Place.FORM)
        return value_verdict, input_verdict

    def _judge_sibling(self, value: Any, place: Place) -> int:
        name = as_json_type(value)
        return self.judge_text(name, place) if type(name) is str else SAFE
