"""What came out against what was planted: the verdict on one case, and the sums per group.

Nothing here knows an SDK: bytes go in, whoever made them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote_plus

from replaystack.exchange import RawBody, RawHeaders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.leak_cases import Case

__all__ = ["Card", "Verdict", "score"]

_WINDOW: Final = 8
"""Half a secret is a leak too: so many characters of it in a row. Random texts never share eight."""
_DIGITS_WINDOW: Final = 12  # numbers do, in times and hashes
_LEVELS: Final = 6  # of JSON in texts in JSON, as some SDKs nest it
_DISTINCT: Final = 6  # texts as long as this are found wherever they are, shorter ones by their key


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one case; at most one of both, as a safe case plants nothing."""

    leaked: tuple[str, ...] = ()
    """The secrets of which something left."""
    lost: tuple[str, ...] = ()
    """The values that did not arrive."""
    failure: str = ""
    """The SDK raised: the event is lost, so nothing of it leaks."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing leaked and nothing is lost."""
        return not self.leaked and not self.lost


@dataclass(slots=True)
class Card:
    """The verdicts on one SDK."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)

    def add(self, case: Case, verdict: Verdict) -> None:
        """Note the verdict on one case."""
        self.verdicts[case.id] = verdict
        self.groups.setdefault(case.group, []).append(case.id)

    def bad(self, group: str) -> int:
        """Return how many cases of a group leaked or lost something."""
        return sum(not self.verdicts[case].is_clean for case in self.groups.get(group, ()))

    @property
    def failures(self) -> int:
        """How many events the SDK could not take."""
        return sum(bool(verdict.failure) for verdict in self.verdicts.values())

    @property
    def dirty(self) -> dict[str, Verdict]:
        """The cases that leaked or lost something."""
        return {case: verdict for case, verdict in self.verdicts.items() if not verdict.is_clean}


def score(
    case: Case, encode: Callable[[dict[str, Any]], bytes], seed: int, *, exact: bool = False
) -> Verdict:
    """Plant the secrets of this run, let `encode` make bytes of the event, and look through them.

    `exact`: the bytes that a case wants to see again must be there, how numbers are written included. Nobody
    but our own encoder promises that.
    """
    event, secrets = case.plant(seed)
    # What was planted stays as it was even where an SDK writes into what it is given.
    wanted = list(_wanted(case, event)) if case.is_safe else []
    failure = ""
    try:
        output = encode(event)
    except Exception as error:  # noqa: BLE001 - an SDK may raise anything; then nothing left
        output, failure = b"", repr(error)[:200]
    text = output.decode("utf-8", "replace")
    seen = _Seen(text)
    if case.is_safe:
        lost = [repr(fact) for fact in wanted if not seen.holds(fact)]
        lost += [f"exactly {part}" for part in case.exact if exact and part not in text]
        return Verdict(lost=tuple(lost), failure=failure)
    if not secrets:
        raise AssertionError(f"{case.id} plants nothing")
    return Verdict(leaked=tuple(filter(seen.holds_part_of, secrets)), failure=failure)


# --- what left ------------------------------------------------------------------------------------


class _Number(str):
    """A number of a JSON document, as it is written."""

    __slots__ = ()


def _decode(text: str) -> Any:
    return json.loads(text, parse_float=_Number, parse_int=_Number)


class _Seen:
    """Everything that can be read in some bytes: as they are, as JSON, as JSON in JSON, percent-decoded."""

    def __init__(self, text: str) -> None:
        self._texts: list[str] = [text]
        self._pairs: set[tuple[str | None, str]] = set()
        self._read(text, None, 0)
        self._all = "\n".join(self._texts)
        # A text of two bytes per character that was read as one of one is still a text to whoever reads it.
        narrow = self._all.replace("\x00", "").replace("\ufffd", "")
        self._decoded = f"{self._all}\n{unquote_plus(self._all)}\n{narrow}"

    def _read(self, text: str, key: str | None, level: int) -> None:
        """Read a JSON document, or lines of them, which stands under `key`."""
        if level > _LEVELS or text.lstrip()[:1] not in ("{", "["):
            return
        try:
            tree = _decode(text)
        except (ValueError, RecursionError):
            if "\n" in text:
                for line in text.split("\n"):
                    self._read(line, key, level + 1)
            return
        for name, leaf in _leaves(tree, key):
            self._pairs.add((name and name.lower(), _written(leaf)))
            self._pairs.add((None, _written(leaf)))
            if type(leaf) is str:
                self._texts.append(leaf)
                self._read(leaf, name, level + 1)

    def holds(self, fact: object) -> bool:
        """Tell whether a text, or a pair of key and value, can be found."""
        if isinstance(fact, tuple):
            key, leaf = fact
            if type(leaf) is str and len(leaf) >= _DISTINCT:
                return leaf in self._all  # wherever an SDK puts it
            return (key and key.lower(), _written(leaf)) in self._pairs
        return str(fact) in self._all

    def holds_part_of(self, secret: str) -> bool:
        """Tell whether enough of a secret can be found to count as a leak."""
        window = min(len(secret), _DIGITS_WINDOW if secret.isdigit() else _WINDOW)
        return any(secret[at : at + window] in self._decoded for at in range(len(secret) - window + 1))


def _leaves(tree: Any, key: str | None, *, names: bool = True) -> Iterator[tuple[str | None, Any]]:
    """Yield the values of a tree with their keys (items of a list have the list's), and the keys alone."""
    stack: list[tuple[str | None, Any]] = [(key, tree)]
    while stack:
        key, node = stack.pop()
        if isinstance(node, dict):
            stack.extend((str(name), item) for name, item in node.items())
            stack.extend((None, str(name)) for name in node if names)
            if not node:
                yield key, {}
        elif isinstance(node, (list, tuple, set, frozenset)):
            stack.extend((key, item) for item in node)
            if not node:
                yield key, []
        else:
            yield key, node


def _written(leaf: object) -> str:
    """Return one spelling per value and type: `1` and `"1"`, `true` and `"true"` differ."""
    return str(leaf) if isinstance(leaf, _Number) else json.dumps(leaf, default=repr)


# --- what must arrive -----------------------------------------------------------------------------


def _wanted(case: Case, event: dict[str, Any]) -> Iterator[object]:
    if case.keeps is not None:
        yield from case.keeps
        return
    for key, part in event.items():
        yield from _facts(key, part)


def _facts(key: str, part: Any) -> Iterator[object]:
    if type(part) is RawBody:
        text = part.data.decode()
        kind = part.content_type or ""
        if "json" in kind:
            documents: Sequence[str] = text.strip().split("\n") if "ndjson" in kind else [text]
            for document in documents:
                yield from _leaves(_decode(document), None)
        elif "form" in kind:
            yield from parse_qsl(text)
        else:
            yield text
    elif type(part) is RawHeaders:
        yield from ((name.decode(), text.decode()) for name, text in part.items)
    elif key == "requestUrl":
        yield from filter(None, re.split(r"[?#]", part))  # some keep the query elsewhere
    else:
        yield from _leaves(part, None, names=False)  # an SDK calls the parts of an entry as it likes
