"""What the value of an option must be.

Each check returns the value to keep, or raises `ValueError` with what was expected; the
resolver words the final error.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

from .metrics import METRICS_METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Durability",
    "LogLevelName",
    "base_url",
    "boolean",
    "durability",
    "function",
    "header_value",
    "integer",
    "log_level",
    "mask_values",
    "metrics",
    "number",
    "path",
    "remote_rules",
    "strings",
    "text",
    "transport",
    "url",
]

Durability = Literal["on_failure", "always", "sync"]
"""When events go to the spool: once an attempt failed; before each attempt; in the capturing call."""

LogLevelName = Literal["debug", "info", "warning", "error", "critical"]
_LOG_LEVELS: dict[str, LogLevelName] = {
    **{level: level for level in get_args(LogLevelName)},
    "warn": "warning",
    "fatal": "critical",
}


def text(value: object) -> str:
    """Take a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("a string that is not empty")
    return str.__str__(value)  # of an Enum member, its value


def log_level(value: object) -> LogLevelName:
    """Take the name of a level, in any case."""
    level = _LOG_LEVELS.get(value.strip().lower()) if isinstance(value, str) else None
    if level is None:
        raise ValueError("debug, info, warning, error or critical")
    return level


def header_value(value: object) -> str:
    """Take what an HTTP header can carry."""
    given = text(value)
    if not (given.isascii() and given.isprintable()) or given != given.strip():
        raise ValueError("printable ASCII without blanks around it, as an HTTP header can carry it")
    return given


def url(value: object) -> str:
    """Take an absolute address; a slash at its end is left out."""
    address = text(value).rstrip("/")
    try:
        parts = urlsplit(address)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        # An address ends in log lines and error texts: a credential must not be in it.
        valid = valid and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("an absolute http or https URL without credentials or fragment")
    return address


def base_url(value: object) -> str:
    """Take an absolute address that paths can be appended to."""
    address = url(value)
    if urlsplit(address).query:
        raise ValueError("a URL without a query: paths are appended to it")
    return address


def boolean(value: object) -> bool:
    """Take a switch."""
    if type(value) is not bool:
        raise ValueError("True or False")
    return value


def mask_values(value: object) -> bool | tuple[str, ...]:
    """Take a switch or names of classes, which the policy knows and checks."""
    return value if type(value) is bool else strings(value)


def number(low: float, high: float, *, above: bool = False) -> Callable[[object], float]:
    """Return a check for a finite number in [low, high], or (low, high] when `above`."""
    if above:
        expectation = f"above {low}" if high == math.inf else f"above {low} and at most {high}"
    else:
        expectation = f"{low} or more" if high == math.inf else f"between {low} and {high}"

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(expectation)  # noqa: TRY004 - the resolver words the final error
        number = float(value)
        if not math.isfinite(number) or number > high or number < low or (above and number == low):
            raise ValueError(expectation)
        return number

    return check


def integer(low: int, high: int | None = None) -> Callable[[object], int]:
    """Return a check for an integer in [low, high]; None: no upper end."""
    expectation = (
        f"an integer between {low} and {high}" if high is not None else f"an integer of {low} or more"
    )

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(expectation)  # noqa: TRY004 - the resolver words the final error
        if value < low or (high is not None and value > high):
            raise ValueError(expectation)
        return int(value)

    return check


def strings(value: Any) -> tuple[str, ...]:
    """Take an iterable of strings; return a tuple."""
    expectation = "an iterable of strings (not one string)"
    if isinstance(value, (str, bytes)):
        raise ValueError(expectation)  # noqa: TRY004 - the resolver words the final error
    try:
        items = tuple(value)
    except TypeError:
        raise ValueError(expectation) from None
    if not all(isinstance(item, str) for item in items):
        raise ValueError(expectation)
    return items


def remote_rules(value: object) -> tuple[str, ...]:
    """Take `{"fields": [...]}`; what else a later receiver may send along is left alone."""
    fields = value.get("fields", ()) if isinstance(value, dict) else None
    if fields is None:
        raise ValueError('a dict such as {"fields": ["tax_id"]}')
    try:
        return strings(fields)
    except ValueError:
        raise ValueError('a dict such as {"fields": ["tax_id"]}') from None


def function(value: object) -> Any:
    """Take anything that can be called."""
    if not callable(value):
        raise ValueError("callable")  # noqa: TRY004 - the resolver words the final error
    return value


def transport(value: object) -> Any:
    """Take an object with `post`."""
    if not callable(getattr(value, "post", None)):
        raise ValueError("an object with a method post(url, json, headers, timeout)")  # noqa: TRY004
    return value


def path(value: object) -> str:
    """Take the path of a directory."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value) or type(os.fspath(value)) is bytes:
        raise ValueError("the path of a directory, a string or a Path")
    return str(os.fspath(value))


def durability(value: object) -> str:
    """Take one of `Durability`."""
    if value not in get_args(Durability):
        raise ValueError(f"one of {', '.join(get_args(Durability))}")
    return str(value)


def metrics(value: object) -> Any:
    """Take an object with one of the methods of `MetricsHook`."""
    if not any(callable(getattr(value, name, None)) for name in METRICS_METHODS):
        raise ValueError("a MetricsHook, or an object with at least one of its methods")
    return value
