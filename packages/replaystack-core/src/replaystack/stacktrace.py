"""An exception, taken apart into what may be kept: text, frames, causes; never a live object."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from .exchange import ErrorInfo, Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "describe_exception",
    "error_fields",
    "exception_frames",
    "exception_message",
    "format_exception",
]

UNREADABLE = "[Unreadable]"
"""Stands where an exception's own `__str__` raised."""

_MAX_FRAMES = 100
"""Half from each end: enough to see where a runaway recursion began and where it broke."""
_MAX_CAUSES = 10
"""A chain longer than this says nothing new, and an endless one must end."""


# The interpreter's own slots: a subclass may put a property of the same name in front of them.
_CAUSE = BaseException.__dict__["__cause__"].__get__
_CONTEXT = BaseException.__dict__["__context__"].__get__
_SUPPRESSED = BaseException.__dict__["__suppress_context__"].__get__


def exception_message(error: BaseException) -> str:
    """Return `str(error)`, guarded."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - the exception's own __str__ is foreign code
        return UNREADABLE
    return str.__str__(text)  # of a subclass (Django's SafeString), the plain text


def format_exception(error: BaseException) -> str:
    """Return the text that an interpreter would print for `error`, causes included."""
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:  # noqa: BLE001 - __str__, __cause__ or a source loader is foreign code
        return f"{type(error).__name__}: {exception_message(error)}"


def exception_frames(error: BaseException) -> tuple[Frame, ...]:
    """Return the frames of the traceback, innermost last; at most 100, cut in the middle.

    Reads names and line numbers only: no source file, no local variable.
    """
    walk = [
        (frame.f_code.co_name, frame.f_code.co_filename, line_number)
        for frame, line_number in traceback.walk_tb(error.__traceback__)
    ]
    if len(walk) > _MAX_FRAMES:
        walk = walk[: _MAX_FRAMES // 2] + walk[-_MAX_FRAMES // 2 :]
    return tuple(
        Frame(name, file_name, line_number or 0, f"{file_name}:{line_number} in {name}")
        for name, file_name, line_number in walk
    )


def _causes(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """Yield what led to `error`, nearest first, each once: causes, contexts, group members."""
    seen = {id(error)}
    waiting: list[tuple[str, BaseException]] = []

    def push(current: BaseException) -> None:
        members = getattr(current, "exceptions", None) if _is_group(current) else None
        if isinstance(members, tuple):
            waiting.extend(("member", member) for member in members)
        cause, context = _CAUSE(current), _CONTEXT(current)
        if cause is not None:
            waiting.insert(0, ("cause", cause))
        elif context is not None and not _SUPPRESSED(current):
            waiting.insert(0, ("context", context))

    push(error)
    while waiting:
        relation, current = waiting.pop(0)
        if id(current) in seen or not isinstance(current, BaseException):
            continue
        seen.add(id(current))
        yield relation, current
        push(current)


def _is_group(error: BaseException) -> bool:
    """Tell an exception group without naming the builtin, which Python 3.10 lacks."""
    return any(base.__name__ == "BaseExceptionGroup" for base in type(error).__mro__)


def describe_exception(error: BaseException) -> ErrorInfo:
    """Take `error` apart. Costs some 100 us, keeps neither frames nor local variables alive."""
    causes: list[dict[str, object]] = []
    for relation, cause in _causes(error):
        if len(causes) == _MAX_CAUSES:
            break
        frames = exception_frames(cause)
        entry: dict[str, object] = {
            "relation": relation,
            "errorName": type(cause).__name__,
            "errorMessage": exception_message(cause),
        }
        if frames:
            last = frames[-1]
            entry["raisedAt"] = last.raw
        causes.append(entry)
    return ErrorInfo(
        name=type(error).__name__,
        message=exception_message(error),
        stack_trace=format_exception(error),
        frames=exception_frames(error),
        causes=tuple(causes),
    )


def _frame(frame: Frame) -> dict[str, object]:
    return {
        "functionName": frame.function_name,
        "fileName": frame.file_name,
        "lineNumber": frame.line_number,
        "raw": frame.raw,
    }


def error_fields(error: ErrorInfo) -> dict[str, Any]:
    """Return the wire fields of an exception, without its causes (they go under metadata)."""
    return {
        "errorName": error.name,
        "errorMessage": error.message,
        "stackTrace": error.stack_trace,
        "stackFrames": [_frame(frame) for frame in error.frames],
    }
