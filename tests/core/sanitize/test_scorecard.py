"""The scorecard of `benchmarks/leaks.py` for our own SDK, and the proof that its scorer can find fault."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from benchmarks._leak_adapters import mask_all, mask_nothing, ours, ours_through_client
from benchmarks._scorecard import score
from benchmarks.leak_cases import CASES, LEAK_CASES, SAFE_CASES, Case

if TYPE_CHECKING:
    from collections.abc import Callable

ENCODE = ours().encode
GROUPS = sorted({case.group for case in CASES})


@pytest.fixture
def seed() -> int:
    """Return a seed that differs from run to run and is repeated by pytest-randomly's own."""
    return random.randrange(10**9)


@pytest.mark.parametrize("case", LEAK_CASES, ids=lambda case: case.id)
def test_nothing_planted_leaves(case: Case, seed: int) -> None:
    """No part of a planted secret is in the bytes that would leave."""
    verdict = score(case, ENCODE, seed)
    assert not verdict.leaked, f"seed {seed}: {verdict.leaked} in {ENCODE(case.plant(seed)[0])[:2000]!r}"
    assert not verdict.failure


@pytest.mark.parametrize("case", SAFE_CASES, ids=lambda case: case.id)
def test_nothing_harmless_is_lost(case: Case, seed: int) -> None:
    """Every value that only looks like a secret arrives as it was."""
    verdict = score(case, ENCODE, seed, exact=True)
    assert not verdict.lost, f"{verdict.lost} in {ENCODE(case.plant(seed)[0])[:2000]!r}"
    assert not verdict.failure


@pytest.mark.parametrize("group", GROUPS)
def test_the_client_sends_nothing_that_the_encoder_would_not(group: str, seed: int) -> None:
    """The public client leaks and loses nothing on its way to the encoder or behind it."""
    encode = ours_through_client().encode
    verdicts = {case.id: score(case, encode, seed) for case in CASES if case.group == group}
    assert not {
        name: verdict for name, verdict in verdicts.items() if not verdict.is_clean or verdict.failure
    }


def test_the_table_is_as_large_as_promised() -> None:
    """There are at least 150 leak cases and 40 safe ones, each with an id of its own."""
    assert len(LEAK_CASES) >= 150
    assert len(SAFE_CASES) >= 40
    assert len({case.id for case in CASES}) == len(CASES)


def test_the_scorer_finds_what_plain_encoding_leaks(seed: int) -> None:
    """Without any masking nearly every leak case leaks; only compressed or encoded bytes do not show."""
    hidden = [case.id for case in LEAK_CASES if not score(case, mask_nothing, seed).leaked]
    assert len(hidden) <= len(LEAK_CASES) // 25, hidden


def test_the_scorer_finds_what_masking_everything_loses(seed: int) -> None:
    """An encoder that masks all it gets leaks nothing and loses every safe case."""
    assert [case.id for case in SAFE_CASES if not score(case, mask_all, seed, exact=True).lost] == []
    assert [case.id for case in LEAK_CASES if score(case, mask_all, seed).leaked] == []


@pytest.mark.parametrize(
    ("disguise", "is_leak"),
    [
        (lambda secret: secret, True),
        (lambda secret: secret[6:14], True),
        (lambda secret: secret[:7], False),
        (lambda secret: json.dumps(json.dumps({"b": json.dumps(secret)}))[1:-1], True),
        (lambda secret: "".join(f"\\u{ord(sign):04x}" for sign in secret), True),
        (lambda secret: "".join(f"%{ord(sign):02x}" for sign in secret), True),
        ("\\u0000".join, True),
    ],
)
def test_a_secret_is_found_in_any_disguise(
    disguise: Callable[[str], str], *, is_leak: bool, seed: int
) -> None:
    """Eight characters in a row are a leak: plain, escaped, nested, percent-encoded, in two bytes each."""
    case = Case("scorer", "disguise", {"errorMessage": "{{secret}}"})
    verdict = score(case, lambda event: f'{{"x":"{disguise(event["errorMessage"])}"}}'.encode(), seed)
    assert bool(verdict.leaked) is is_leak


def test_an_encoder_that_raises_loses_the_event(seed: int) -> None:
    """What an SDK cannot take does not leak, but counts as a failure and as lost."""

    def encode(event: dict[str, Any]) -> bytes:
        raise ValueError(len(event))

    safe = Case("safe", "any", {"errorMessage": "harmless text"}, is_safe=True)
    verdict = score(safe, encode, seed)
    assert verdict.lost
    assert verdict.failure


def test_the_same_seed_plants_the_same_secrets(seed: int) -> None:
    """A run can be repeated by its seed, and another seed plants other secrets."""
    case = next(case for case in LEAK_CASES if case.id == "key/password")
    assert case.plant(seed)[1] == case.plant(seed)[1]
    assert case.plant(seed)[1] != case.plant(seed + 1)[1]
