"""The four levels of the wire, and every spelling that stands for one of them."""

from __future__ import annotations

from typing import Final

__all__ = ["LEVELS", "level_of", "severity_level"]

LEVELS: Final = ("debug", "info", "warn", "error")
"""In rising order, as WIRE.md section 2 spells them."""

_SPELLINGS: Final = {
    "trace": "debug",
    "debug": "debug",
    "info": "info",
    "information": "info",
    "informational": "info",
    "notice": "info",
    "warn": "warn",
    "warning": "warn",
    "err": "error",
    "error": "error",
    "exception": "error",
    "critical": "error",
    "crit": "error",
    "fatal": "error",
    "alert": "error",
    "emerg": "error",
    "panic": "error",
}


def level_of(text: object) -> str | None:
    """Return the level of the wire for any spelling of it, in any case; None for what is none."""
    return _SPELLINGS.get(text.strip().lower()) if isinstance(text, str) else None


def severity_level(severity: int) -> str:
    """Return the level of a syslog severity, 0 to 7."""
    return ("error", "error", "error", "error", "warn", "info", "info", "debug")[severity]
