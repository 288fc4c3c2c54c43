"""The five levels, every spelling of them, and what each rendering calls them."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["EVENT_NAMES", "LEVELS", "SEVERITY", "TIMBER_NAMES", "Level", "level_for_number", "read_level"]

Level = Literal["debug", "info", "warning", "error", "critical"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""From the least to the gravest."""

SEVERITY: Final[dict[Level, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
"""The order, in the numbers of the standard library's `logging`."""

EVENT_NAMES: Final[dict[Level, str]] = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
    "critical": "error",
}
"""What WIRE.md section 1 calls them inside events, and the flat rendering."""

TIMBER_NAMES: Final[dict[Level, str]] = {**EVENT_NAMES, "warning": "warn"}
"""What WIRE.md section 2 calls them at `/v1/logs`."""

_SPELLINGS: Final[dict[str, Level]] = {
    **{level: level for level in LEVELS},
    "warn": "warning",
    "err": "error",
    "exception": "error",
    "fatal": "critical",
    "trace": "debug",
    "notset": "debug",
}


def read_level(value: object) -> Level | None:
    """Return the level that `value` means: a word in any case, or a number of `logging`; else None."""
    if type(value) is str:
        known = _SPELLINGS.get(value)
        return known if known is not None else _SPELLINGS.get(value.strip().lower())
    if type(value) is int:
        return level_for_number(value)
    if isinstance(value, str):  # a str-based enum member
        return _SPELLINGS.get(str.__str__(value).strip().lower())
    return None


def level_for_number(number: int) -> Level:
    """Return the gravest level that `number` reaches; a level of its own between two is the lower one."""
    if number >= 40:
        return "critical" if number >= 50 else "error"
    if number >= 20:
        return "warning" if number >= 30 else "info"
    return "debug"
