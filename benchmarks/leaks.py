"""How many planted secrets leave the process, and how many harmless values are lost on the way.

Each case of `benchmarks.leak_cases` plants new random secrets in one place of an event, or holds values
that only look like secrets. Every SDK gets all of them (`benchmarks/_leak_peers.py` says how); what it
would send is searched for eight characters in a row of any secret: as it is, in JSON at any depth,
percent-decoded. A case counts once, however much of it leaks. What an SDK does not send it cannot leak,
which is counted in its favour; a harmless value that it does not send is lost all the same. A peer that is
not installed (`benchmarks/requirements-peers.txt`) is named and skipped.

`python -m benchmarks.leaks [--seed N] [--verbose] [--only SDK] [--write]`. Fails if ours leaks or loses
anything.
"""

from __future__ import annotations

import argparse
import logging
import platform
import random
from typing import TYPE_CHECKING

from benchmarks._leak_adapters import Adapter, ours, ours_through_client
from benchmarks._leak_peers import PEERS
from benchmarks._results import RESULTS, write_section
from benchmarks._scorecard import Card, score
from benchmarks.leak_cases import CASES, LEAK_CASES, SAFE_CASES

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS = ("replaystack", "replaystack client")


def main(arguments: Sequence[str] | None = None) -> int:
    """Score every SDK that is there and print the table; 1 if ours leaks or loses anything."""
    options = _parse(arguments)
    logging.disable(logging.CRITICAL)  # what an SDK says about odd events belongs to none of the figures
    seed = random.SystemRandom().randrange(10**9) if options.seed is None else options.seed
    print(f"{len(LEAK_CASES)} leak cases, {len(SAFE_CASES)} safe cases, seed {seed}")
    adapters, absent = _adapters(options.only)
    cards = {adapter.name: _scored(adapter, seed) for adapter in adapters}
    table = _table(adapters, cards)
    print(table)
    for name in absent:
        print(f"skipped: {name} is not installed (benchmarks/requirements-peers.txt)")
    bad = {case for name in OURS if name in cards for case in cards[name].dirty}
    for name, card in cards.items():
        if options.verbose or (name in OURS and card.dirty):
            _show(name, card)
    if options.write:
        python = platform.python_version()
        note = f"Seed {seed}, Python {python}; method: `benchmarks/leaks.py`, `benchmarks/_leak_peers.py`."
        if absent:
            note += f" Not installed: {', '.join(absent)}."
        write_section("leaks", f"## Leaks: cases that leak or lose something\n\n{table}\n\n{note}")
        print(f"written: {RESULTS.name}")
    return 1 if bad else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.leaks")
    parser.add_argument("--seed", type=int, help="of the planted secrets; default: another one in each run")
    parser.add_argument("--verbose", action="store_true", help="list each case that leaks or loses something")
    parser.add_argument("--only", action="append", help="score this SDK only; may be repeated")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/RESULTS.md")
    return parser.parse_args(arguments)


def _adapters(only: list[str] | None) -> tuple[list[Adapter], list[str]]:
    """Return the SDKs that are installed, and the names of those that are not."""
    found = [adapter for adapter in (ours(), ours_through_client()) if not only or adapter.name in only]
    absent: list[str] = []
    for name, build in PEERS.items():
        if only and name not in only:
            continue
        try:
            found.append(build())
        except ImportError:
            absent.append(name)
    return found, absent


def _scored(adapter: Adapter, seed: int) -> Card:
    card = Card()
    for case in CASES:
        # What a transport gets from the client was read as JSON: how numbers are written, the encoder shows.
        card.add(case, score(case, adapter.encode, seed, exact=adapter.name == OURS[0]))
    return card


def _table(adapters: list[Adapter], cards: dict[str, Card]) -> str:
    """Return the figures as a Markdown table: one row per group, one column per SDK."""
    groups = list(dict.fromkeys(case.group for case in CASES))
    sizes = {group: sum(case.group == group for case in CASES) for group in groups}
    rows = [["group", "cases", *(f"{adapter.name} {adapter.version}" for adapter in adapters)]]
    counted = [cards[adapter.name] for adapter in adapters]
    rows += ([group, str(sizes[group]), *(str(card.bad(group)) for card in counted)] for group in groups[:-1])
    leaked = [str(sum(card.bad(group) for group in groups[:-1])) for card in counted]
    rows.append(["**leaks**", str(len(LEAK_CASES)), *(f"**{count}**" for count in leaked)])
    rows.append(
        [
            "**safe values lost or not sent**",
            str(len(SAFE_CASES)),
            *(f"**{card.bad('safe')}**" for card in counted),
        ]
    )
    rows.append(["events that raised", str(len(CASES)), *(str(card.failures) for card in counted)])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([lines[0], "| " + " | ".join(rule) + " |", *lines[1:]])


def _show(name: str, card: Card) -> None:
    for case, verdict in card.dirty.items():
        what = f"leaks {len(verdict.leaked)}" if verdict.leaked else f"loses {'; '.join(verdict.lost)[:160]}"
        print(f"{name}: {case}: {what}" + (f" ({verdict.failure})" if verdict.failure else ""))


if __name__ == "__main__":
    raise SystemExit(main())
