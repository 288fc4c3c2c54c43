"""The rules of one policy at work on texts, URLs and keys; counts what they mask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ._assignments import may_assign
from ._json import NotJsonError
from ._keys import CHANGED, MASK, SAFE, WALK, Place, is_title, role
from ._marks import CUT, MASKED
from ._raw_json import mask_json
from ._screen import suspects, unencodable
from ._text import LEVEL_MAX, ROUNDS_MAX, look, mask, mask_cut, mask_shapes, settle
from ._urls import mask_url_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ._policy import Policy

__all__ = ["CHARGED_LENGTH", "UNBOUNDED", "Rules"]

UNBOUNDED: Final = 1 << 62

RESERVE: Final = 65_536
"""Bytes that may still be written for the preview once the bound is known to be crossed."""

CHARGED_LENGTH: Final = 8
"""Shorter strings are covered by what their container is charged."""

_OVERFLOW_TEXT = 16_384
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Parameters:
    """The rules for a URL's parameters (see `_urls.ParameterRules`)."""

    __slots__ = ("_judge", "_level", "_rules")

    def __init__(self, rules: Rules, level: int, judge: Callable[[str], int]) -> None:
        self._rules = rules
        self._level = level
        self._judge = judge

    @property
    def masked(self) -> int:
        return self._rules.masked

    @masked.setter
    def masked(self, count: int) -> None:
        self._rules.masked = count

    def is_secret(self, name: str) -> bool:
        return self._judge(name) & (MASK | WALK) != SAFE

    def mask_text(self, text: str) -> str:
        rules = self._rules
        return mask(text, rules, self._level) if rules.values and self._level <= LEVEL_MAX else text


class Rules:
    """The rules, a bound and a count. Not for use by two threads at once.

    `budget_bytes` bounds the work: once more was seen, `full` is true, and a text that crosses it is cut.
    `level` counts the strings of JSON around.
    """

    __slots__ = (
        "_level",
        "_policy",
        "classes",
        "custom_names",
        "full",
        "keyring",
        "left",
        "masked",
        "values",
    )

    def __init__(self, policy: Policy, budget_bytes: int = UNBOUNDED, level: int = 0) -> None:
        self._policy = policy
        self._level = level
        self.keyring = policy.keyring
        self.custom_names = policy.keyring.custom
        self.values = policy.mask_values
        self.classes = policy.mask_classes
        self.left = budget_bytes
        self.full = False
        self.masked = 0
        """How many places were masked."""

    # --- texts ---

    def text(self, text: str) -> str:
        """Return `text` under the value rules, in Unicode that any encoder takes."""
        if len(text) >= CHARGED_LENGTH:
            self.left -= len(text)
            if self.left < 0:
                return self.overflow(text)
        return self._uncharged(text)

    def _uncharged(self, text: str) -> str:
        if not text.isascii():
            text = _SURROGATE.sub("\ufffd", text)
        if self.values:
            seen = look(text, self)
            if seen:
                return settle(text, seen, self, self._level)
        return text

    def url(self, url: str) -> str:
        """Return one whole URL, masked: parameters by the key rules, all of it by the shapes."""
        if len(url) >= CHARGED_LENGTH:
            self.left -= len(url)
            if self.left < 0:
                return self.overflow(url)
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
        return _Parameters(self, self._level + 1, self.keyring.judge_field)

    def parameters(self, level: int) -> _Parameters:
        """Return the rules for the parameters of URLs within a text."""
        return _Parameters(self, level, self.keyring.judge_parameter)

    def judge_name(self, name: str, *, query: bool) -> int:
        """Judge a name found in a text."""
        return self.keyring.judge_name(name, query=query)

    def embedded(self, text: str, level: int) -> str | None:
        """Return `text` masked as the JSON document that it is; None if it is none."""
        inner = Rules(self._policy, level=level)
        try:
            masked = mask_json(text, inner)
        except NotJsonError:
            return None
        self.masked += inner.masked
        return masked

    def counted(self, mask: Callable[[str], str], text: str) -> tuple[str, int]:
        """Return what `mask` makes of `text`, and how many secrets it found, which are not counted yet."""
        before, self.masked = self.masked, 0
        try:
            masked = mask(text)
            return masked, self.masked
        finally:
            self.masked = before

    def changed(self, texts: Sequence[str]) -> dict[str, tuple[str, int]]:
        """Return what becomes of the texts that change: the masked text, and how many secrets it hides.

        They are not counted yet, and not charged.
        """
        found: dict[str, tuple[str, int]] = {}
        for text in self._suspects(texts):
            masked, count = self.counted(self._uncharged, text)
            if masked != text:
                found[text] = masked, count
        return found

    def _suspects(self, texts: Sequence[str]) -> Iterable[str]:
        if not self.values:
            return unencodable(texts)
        return set(texts) if self.classes else suspects(texts)

    def overflow(self, text: str) -> str:
        """Return the beginning of the text that crossed the bound."""
        if self.full:
            return CUT
        self.full = True
        self.left = RESERVE
        return self.cut(text[:_OVERFLOW_TEXT])

    def cut(self, text: str) -> str:
        """Return the beginning of a longer text, masked, its unfinished end as `…`."""
        if not text.isascii():
            text = _SURROGATE.sub("\ufffd", text)
        return mask_cut(text, self) if self.values else text + CUT

    # --- keys ---

    def is_secret(self, key: str, place: Place) -> bool:
        """Tell whether what stands under `key` is masked whole or walked as a secret."""
        return self.verdict(key, place) & (MASK | WALK) != SAFE

    def key(self, key: str) -> str:
        """Return a key as it may be written."""
        if not key.isascii():
            key = _SURROGATE.sub("\ufffd", key)
        return mask(key, self, LEVEL_MAX) if self.values else key

    def verdict(self, key: str, place: Place) -> int:
        """Return the verdict on a key, and remember it unless the key itself holds a secret."""
        known = self.keyring.walked(place).get(key)
        if known is not None:
            return known
        written, _ = self.counted(self.key, key)  # it is counted where it is written
        verdict = self.judge_both(key, written, place) | role(key)
        if written != key:
            return verdict | CHANGED
        self.keyring.remember(key, place, verdict)
        return verdict

    def judge_text(self, name: str, place: Place) -> int:
        """Return the verdict on a name that stands in the place of a value."""
        if not may_assign(name.lower(), self):
            return SAFE
        left = self.left
        written, _ = self.counted(self.text, name)  # it is counted where it is written
        self.left = left
        return self.judge_both(name, written, place)

    def judge_title(self, name: str, place: Place) -> int:
        """Return the verdict on a `label` or `id`, which speaks to people: only a strong name counts."""
        verdict = self.judge_text(name, place) & MASK
        if not verdict or is_title(name):
            return verdict
        left = self.left
        written, _ = self.counted(self.text, name)
        self.left = left
        return verdict if is_title(written) else SAFE

    def judge_both(self, key: str, written: str, place: Place) -> int:
        """Judge a key as it came and as it is written: the second pass sees only the latter."""
        verdict = self.keyring.judge(key, place)
        return verdict if written == key else verdict | self.keyring.judge(written, place)
