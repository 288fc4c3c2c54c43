"""JSON as Python reads and writes it."""

from __future__ import annotations

import json
import json.encoder
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WHITE_SPACE", "NotJsonError", "dumps", "is_valid", "loads", "quoted"]

WHITE_SPACE: Final = " \t\r\n"


class NotJsonError(ValueError):
    """The text is no JSON that a strict parser would take."""


dumps: Final = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode
"""Encode plain JSON values the way `json.dumps(ensure_ascii=False, separators=(",", ":"))` writes them."""


def quoted(text: str) -> str:
    """Encode one text, as `dumps` does, without its detours."""
    return _quote(text)


_quote: Callable[[str], str] = json.encoder.encode_basestring


def loads(text: str) -> Any:
    """Decode what `dumps` or the span masker wrote."""
    return json.loads(text)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_validate = json.JSONDecoder(parse_constant=_refuse).decode


def is_valid(text: str) -> bool:
    """Tell whether Python's parser takes `text`, NaN and Infinity apart.

    It has bounds of its own, on depth and on the digits of an integer: False is no proof.
    """
    try:
        _validate(text)
    except (ValueError, RecursionError):
        return False
    return True
