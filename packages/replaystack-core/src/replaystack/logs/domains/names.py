"""What a domain may be called: its name becomes a file's, and must not lead out of the folder."""

from __future__ import annotations

import re

__all__ = ["ERRORS", "OTHER", "is_domain_name"]

ERRORS = "errors"
"""The file that gets the errors of all domains."""
OTHER = "other"
"""The file of loggers whose names cannot be a file's, or are not among the configured domains."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}", re.ASCII)
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)
"""What Windows takes for a device, whatever follows the first dot."""


def is_domain_name(name: object) -> bool:
    """Tell whether `name` can be a file's on every system, and is not the file of the errors."""
    return (
        type(name) is str
        and _NAME.fullmatch(name) is not None
        and name.partition(".")[0].lower() not in _DEVICES
        and name.lower() != ERRORS
    )
