"""Promises of the five levels."""

from __future__ import annotations

import enum
import logging

import pytest

from replaystack.logs.levels import (
    EVENT_NAMES,
    LEVELS,
    SEVERITY,
    TIMBER_NAMES,
    Level,
    level_for_number,
    read_level,
)


class Spoken(str, enum.Enum):
    LOUD = "Warn"


@pytest.mark.parametrize(
    ("spelling", "level"),
    [
        ("debug", "debug"),
        ("INFO", "info"),
        ("warn", "warning"),
        ("Warning", "warning"),
        (" WARNING ", "warning"),
        ("error", "error"),
        ("critical", "critical"),
        ("FATAL", "critical"),
        (logging.DEBUG, "debug"),
        (logging.INFO, "info"),
        (logging.WARNING, "warning"),
        (35, "warning"),
        (logging.ERROR, "error"),
        (logging.CRITICAL, "critical"),
        (5, "debug"),
        (Spoken.LOUD, "warning"),
    ],
)
def test_every_spelling_of_a_level_is_understood(spelling: object, level: Level) -> None:
    """Words in any case, the standard library's numbers and enum members name one level."""
    assert read_level(spelling) == level


@pytest.mark.parametrize("rubbish", ["loud", "", None, 1.5, True, b"info", ["info"]])
def test_what_is_no_level_is_none(rubbish: object) -> None:
    """What means no level is None, and nothing raises."""
    assert read_level(rubbish) is None


def test_the_numbers_are_those_of_logging() -> None:
    """The order of the levels is the standard library's."""
    assert {level: getattr(logging, level.upper()) for level in LEVELS} == SEVERITY
    assert [level_for_number(SEVERITY[level]) for level in LEVELS] == list(LEVELS)


def test_each_rendering_has_a_name_for_each_level() -> None:
    """No level is without a name on the wire, and none has one that the wire does not know."""
    assert set(EVENT_NAMES) == set(TIMBER_NAMES) == set(LEVELS)
    assert set(EVENT_NAMES.values()) == {"debug", "info", "warning", "error"}
    assert set(TIMBER_NAMES.values()) == {"debug", "info", "warn", "error"}
