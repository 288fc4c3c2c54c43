"""What the arguments of a logger's verbs mean: three seeds call them in three ways."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from ..sanitize import mask_value
from .options import LogOptions
from .stamping import as_fields, error_message

if TYPE_CHECKING:
    from ..sanitize import Policy

__all__ = ["MISSPELT", "UNSET", "exception_of", "is_true", "listed", "read_arguments"]

UNSET: Final = object()
"""What was not given. None may be."""

MISSPELT: Final = frozenset(
    {"pii", "Pii", "PII", "ispii", "isPii", "IsPii", "isPII", "IsPII", "ISPII", "is_PII", "is_Pii", "IS_PII"}
)
"""What people write for `is_pii`. As a mere field it would leave the entry public."""


def listed(tags: object) -> tuple[Any, ...]:
    """Return tags as a tuple; one string, or whatever is no list, is one tag."""
    if type(tags) in (tuple, list, set, frozenset):
        return tuple(tags)  # type: ignore[arg-type]  # one of the four
    return () if tags is None else (tags,)


def read_arguments(  # noqa: PLR0917 - what a verb got, as it got it
    message: object,
    data: object,
    options: object,
    args: tuple[object, ...],
    fields: dict[str, Any],
    is_pii: object,
    policy: Policy,
) -> tuple[object, BaseException | None, dict[str, Any], object, object]:
    """Tell what a call's arguments mean: message, exception, more fields, tags, PII flag.

    `data` and `options` may come by name, and are taken out of `fields` then.
    """
    if data is UNSET and "data" in fields:
        data = fields.pop("data")
    if options is UNSET and not args and "options" in fields:
        options = fields.pop("options")
    is_text_args = data is not UNSET and data is not None and type(data) is not dict
    if is_text_args and not isinstance(data, BaseException) and type(message) is str and "%" in message:
        values = [value for value in (data, options, *args) if value is not UNSET]
        return (*_formatted(message, values, policy), None, is_pii)
    tags: object = None
    if isinstance(options, LogOptions):
        tags, is_pii = options.tags, is_pii if not options.is_pii else True
    elif type(options) is dict:
        tags = options.get("tags")
        is_pii = (
            is_pii if not any(is_true(options.get(name, False)) for name in ("is_pii", *MISSPELT)) else True
        )
    elif hasattr(options, "tags"):
        tags = options.tags
    found: dict[str, Any] = {"args": list(args)} if args else {}
    error: BaseException | None = None
    if isinstance(data, BaseException):
        error = data
        found["message"] = error_message(error)
    elif data is not UNSET and data is not None:
        found.update(as_fields(data, policy))
    return message, error, found, tags, is_pii


def _formatted(
    message: str, values: list[object], policy: Policy
) -> tuple[str, BaseException | None, dict[str, Any]]:
    """Format as the standard library does, but with masked plain values: no code of theirs runs."""
    plain = tuple(value if type(value) in (int, float) else mask_value(value, policy) for value in values)
    try:
        return message % plain, None, {}
    except (TypeError, ValueError, KeyError):
        return message, None, {"args": list(plain)}


def is_true(flag: object) -> bool:
    """Read a flag without running code of its class: what is not plainly no, is yes."""
    return not (flag is False or flag is None or (type(flag) in (int, str) and not flag))


def exception_of(exc_info: object) -> BaseException | None:
    """Return the exception that `exc_info` means, in any of the spellings of the standard library."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if type(exc_info) is tuple and len(exc_info) == 3:
        found = exc_info[1]
        return found if isinstance(found, BaseException) else None
    return sys.exc_info()[1]
