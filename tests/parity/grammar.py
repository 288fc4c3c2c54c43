"""Texts and URLs from a seed: assignments in every spelling, pieces of the corpus, and errors in both."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, TypeVar

from tests.laws import documents

from .corpus import corpus
from .words import NAMES, SEPARATORS, SIGNS, VALUES, WRAPPERS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

__all__ = ["Grammar", "percent_encoded"]

_T = TypeVar("_T")
TEXT_LENGTH: Final = 3000
"""Characters; far above what any rule looks at together, and quick to mask in Python."""
CUT_LENGTH: Final = 200
PIECE_LENGTH: Final = 120
REPEATED_LENGTH: Final = 80


class Grammar:
    """Makes texts; the same ones for the same state of `rng`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def pick(self, items: Sequence[_T]) -> _T:
        """Return one of the items."""
        return items[int(self.rng.random() * len(items))]

    def below(self, size: int) -> int:
        """Return a number from 0 up to, not including, `size`."""
        return int(self.rng.random() * size)

    def happens(self, chance: float) -> bool:
        """Return whether something happens that does so with this chance."""
        return self.rng.random() < chance

    # --- pieces ---

    def assignment(self) -> str:
        """Return a name, a separator and a value."""
        return self.pick(NAMES) + self.pick(SEPARATORS) + self.pick(VALUES)

    def assignments(self) -> str:
        """Return an assignment, perhaps wrapped, perhaps with others beside it."""
        text = self.assignment()
        for _ in range(self.below(3)):
            kind = self.rng.random()
            if kind < 0.5:
                text = self.pick(WRAPPERS).format(text, text)
            elif kind < 0.8:
                text += self.pick((" ", ", ", ",", "&", ";", "\n", " | ", "")) + self.assignment()
            else:
                text = self.pick(("{}", *VALUES)) + text
        return text

    def words(self) -> str:
        """Return words of all kinds without any order."""
        kinds = (NAMES, SEPARATORS, VALUES, SIGNS)
        return "".join(self.pick(self.pick(kinds)) for _ in range(2 + self.below(8)))

    def cut(self) -> str:
        """Return a text of the corpus, or a part of one."""
        text = self.pick(corpus().texts)
        if len(text) < 4 or self.happens(0.3):
            return text[: 2 * CUT_LENGTH]
        start = self.below(len(text))
        end = start + self.below(min(len(text) - start + 1, PIECE_LENGTH))
        kind = self.rng.random()
        if kind < 0.6:
            return text[start:end]
        return text[:end][:CUT_LENGTH] if kind < 0.8 else text[start:][:CUT_LENGTH]

    def mutated(self, text: str) -> str:
        """Return `text` with up to three places lost, changed, doubled or added."""
        for _ in range(1 + self.below(3)):
            at, kind = self.below(len(text) + 1), self.rng.random()
            if kind < 0.3:
                text = text[:at] + text[at + 1 + self.below(3) :]
            elif kind < 0.7:
                text = text[:at] + self.pick(SIGNS) + text[at:]
            elif kind < 0.85:
                text = text[:at] + self.pick(SIGNS) + text[at + 1 :]
            elif kind < 0.92:
                start, end = sorted((at, self.below(len(text) + 1)))
                text = text[:end] + text[start : min(end, start + REPEATED_LENGTH)] + text[end:]
            else:
                text = text[:at] + self.pick(self.pick((NAMES, SEPARATORS, VALUES))) + text[at:]
        return text

    # --- whole ones ---

    def text(self) -> str:
        """Return a text of at most `TEXT_LENGTH` characters; it may hold lone surrogates."""
        makers: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.30, self.assignments),
            (
                0.55,
                lambda: self.pick(("", " ", "\n", ",")).join(self.cut() for _ in range(1 + self.below(3))),
            ),
            (0.65, lambda: documents.text(self.rng) + documents.text(self.rng)),
            (0.70, lambda: documents.planted_text(self.rng)),
            (0.80, lambda: self.cut() + self.assignments() + self.cut()),
            (0.85, lambda: self.assignments() + self.pick(SIGNS) + self.assignments()),
            (0.90, self.words),
            (1.00, lambda: documents.document(self.rng)),
        )
        kind = self.rng.random()
        text = next(make for up_to, make in makers if kind < up_to)()
        if self.happens(0.5):
            text = self.mutated(text)
        return self._spelled(text)[:TEXT_LENGTH]

    def _spelled(self, text: str) -> str:
        """Return `text`, rarely as JSON, cut off, or percent-encoded."""
        if self.happens(0.05):
            text = json.dumps(text)
        if self.happens(0.05):
            text = json.dumps({"a": text, self.pick(NAMES): 1})
        if self.happens(0.03):
            text = text[: self.below(len(text))]
        return percent_encoded(text, "surrogatepass") if self.happens(0.02) else text

    def url(self) -> str:
        """Return a URL of the corpus, one that was made up, or any text."""
        kind = self.rng.random()
        if kind < 0.3:
            url = self.pick(corpus().urls)
            return self.mutated(url) if self.happens(0.7) else url
        if kind >= 0.7:
            return self.text()
        url = self._address() + self.pick(("?", "#", "?", "?", "&", ";", "")) + self._query()
        if self.happens(0.2):
            url += "#" + self.assignments()
        return self.mutated(url) if self.happens(0.4) else url

    def _address(self) -> str:
        schemes = (
            "https://",
            "//",
            "/",
            "",
            "HTTP://",
            "a+b://",
            "mailto:",
            "postgres://",
            "data:",
            "javascript:",
        )
        hosts = ("h", "u:p@h", "u@h", "h:80", "u:p#w@h", "[::1]", "u:p/w@h", ":p@h", "u:@h", "a%40b:c@h", "")
        paths = ("", "/", "/a/b", "/password/x", "/a;token=x", "/4242424242424242", "/sk_live_abcdefgh12345")
        return self.pick(schemes) + self.pick(hosts) + self.pick(paths)

    def _query(self) -> str:
        signs = ("=", "=", "%3D", "[]=", "", "==")
        fields = [self.pick(NAMES) + self.pick(signs) + self.pick(VALUES) for _ in range(self.below(4))]
        return self.pick(("&", ";", "&")).join(fields)


def percent_encoded(text: str, errors: str) -> str:
    """Return `text` with all but ASCII letters and digits as `%XX` of their UTF-8."""
    return re.sub(
        "[^A-Za-z0-9]", lambda sign: "".join(f"%{byte:02X}" for byte in sign[0].encode("utf-8", errors)), text
    )
