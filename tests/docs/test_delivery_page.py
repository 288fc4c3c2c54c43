"""docs/delivery.md names everything that the account and the metrics can say."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from replaystack import MetricsHook, Stats
from replaystack.config import OPTIONS
from replaystack.delivery import DropReason
from replaystack.metrics import METRICS_METHODS

PAGE = (Path(__file__).parents[2] / "docs" / "delivery.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Stats)])
def test_every_field_of_the_account_is_explained(field: str) -> None:
    """A figure that nobody explains is no account."""
    assert f"`{field}`" in PAGE


def test_every_reason_is_explained_and_no_other() -> None:
    """Whatever `dropped` can be keyed by stands in the table, and nothing else does."""
    table = PAGE[PAGE.index("| dropped as") : PAGE.index("## Attempts")]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    assert sorted(re.findall(r"`([a-z_]+)`", " ".join(first_cells))) == sorted(get_args(DropReason))


@pytest.mark.parametrize("name", METRICS_METHODS)
def test_every_method_of_the_hook_is_explained(name: str) -> None:
    """With each of its keywords."""
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
    for keyword in list(inspect.signature(getattr(MetricsHook, name)).parameters)[1:]:
        assert f"`{keyword}`" in row


WORDS = ("queue", "spool", "batch", "flush", "retries", "durability", "timeout", "metrics")


@pytest.mark.parametrize("option", [name for name in OPTIONS if any(word in name for word in WORDS)])
def test_the_options_of_delivery_are_named(option: str) -> None:
    """This page is the place for them."""
    assert f"`{option}" in PAGE
