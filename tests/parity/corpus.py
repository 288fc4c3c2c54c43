"""What is known to matter, to be cut up and put together anew: the shared vectors, the scorecard's cases.

The same in every process of one tree: nothing here depends on the order of sets or on chance.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.leak_cases import CASES

from replaystack.exchange import RawBody, RawHeaders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Corpus", "corpus", "vectors"]

SCRIPTS: Final = Path(__file__).resolve().parents[2] / "scripts"
LENGTH_MAX: Final = 5000
"""Characters; longer texts belong to the tests of limits, and every input cut from them is slow."""
DEPTH_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts by what they are, each once; and whole events."""

    texts: tuple[str, ...]
    urls: tuple[str, ...]
    documents: tuple[str, ...]
    """JSON, and beginnings of JSON."""
    events: tuple[dict[str, Any], ...]
    """As an application or an adapter holds them, with raw bodies and headers. Not to be changed."""


@cache
def corpus() -> Corpus:
    """Return the corpus of this tree."""
    events = [event for event in (*_vector_events(), *_planted_events()) if event]
    texts = [text for case in vectors() for text in _given(case)]
    texts += [text for event in events for text in _strings(list(event.values()))]
    texts = [text for text in dict.fromkeys(texts) if len(text) < LENGTH_MAX]
    urls = [case["url"] for case in vectors() if "url" in case]
    urls += [text for text in texts if "://" in text and " " not in text]
    documents = [case[kind] for case in vectors() for kind in ("json", "prefix") if kind in case]
    documents += [text for text in texts if text[:1] in ("{", "[")]
    return Corpus(tuple(texts), tuple(dict.fromkeys(urls)), tuple(dict.fromkeys(documents)), tuple(events))


def vectors() -> Iterator[dict[str, Any]]:
    """Yield each case of `tests/vectors`."""
    read = _script().read
    return (case for name in sorted(_script().FILES) for case in read(name))


def _script() -> Any:
    if str(SCRIPTS) not in sys.path:  # pytest has it there, `python -m tests.parity` has not
        sys.path.append(str(SCRIPTS))
    import vectors as script

    return script


def _vector_events() -> list[dict[str, Any]]:
    return [_script().event_of(case) for case in vectors() if "event" in case]


def _planted_events() -> list[dict[str, Any]]:
    events = [case.plant(1)[0] for case in CASES]
    return [{key: value for key, value in event.items() if key != "exception"} for event in events]


def _given(case: dict[str, Any]) -> Iterable[str]:
    if "key" in case:
        return (f"{case['key']}=hunter2",)
    return _strings(case.get("text", case.get("value")))


def _strings(value: object, depth: int = 0) -> Iterator[str]:
    """Yield every text within a value: keys, headers and bodies as well. Objects of classes have none."""
    if depth > DEPTH_MAX:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, RawBody):
        yield value.data.decode("utf-8", "replace")
    elif isinstance(value, RawHeaders):
        yield from (text.decode("latin-1") for _, text in value.items)
    elif isinstance(value, dict):
        yield from _strings(list(value), depth + 1)
        yield from _strings(list(value.values()), depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item, depth + 1)
