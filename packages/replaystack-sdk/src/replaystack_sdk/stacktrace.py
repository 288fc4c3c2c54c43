"""Exceptions and printed stack traces as wire-shaped dicts.

Core takes exceptions apart for events itself; reading a stack trace back from its text
exists only here, for Python and for V8 (Node.js).
"""

from __future__ import annotations

import traceback
from typing import Any

import replaystack.stacktrace

from .payloads import safe_stringify

__all__ = ["format_exception", "get_error_details", "parse_exception_stack", "parse_stack_trace"]


def format_exception(exc: BaseException) -> str:
    """Return the text that an interpreter would print for `exc`, causes included."""
    return replaystack.stacktrace.format_exception(exc)


def parse_exception_stack(exc: BaseException) -> list[dict[str, Any]]:
    """Return every frame of the traceback, innermost last; empty if `exc` was never raised."""
    return [
        {
            "functionName": frame.name,
            "fileName": frame.filename,
            "lineNumber": frame.lineno,
            "raw": f"{frame.filename}:{frame.lineno} in {frame.name}",
        }
        for frame in traceback.extract_tb(exc.__traceback__)
    ]


def get_error_details(error: Any) -> dict[str, Any]:
    """Return `errorName`, `errorMessage`, `stackTrace` and `stackFrames` of anything thrown.

    What is no exception has a message only: itself if it is a string, else its JSON text.
    """
    if isinstance(error, BaseException):
        return {
            "errorName": type(error).__name__,
            "errorMessage": str(error),
            "stackTrace": format_exception(error),
            "stackFrames": parse_exception_stack(error),
        }
    message = error if isinstance(error, str) else safe_stringify(error)
    return {"errorName": None, "errorMessage": message, "stackTrace": None, "stackFrames": []}


def parse_stack_trace(stack: str | None) -> list[dict[str, Any]]:
    """Return one dict for each line of a printed stack trace that is not blank.

    Knows `File "x.py", line 3, in f` and `at f (x.js:3:7)`, `at x.js:3:7`; any other line is
    `{"raw": line}`.
    """
    lines = [line.strip() for line in (stack or "").splitlines()]
    return [_frame(line) for line in lines if line]


def _frame(line: str) -> dict[str, Any]:
    if line.startswith('File "'):
        return _python_frame(line)
    if line.startswith("at "):
        return _v8_frame(line)
    return {"raw": line}


def _python_frame(line: str) -> dict[str, Any]:
    number, _, place = line.partition("line ")[2].partition(",")
    try:
        line_number = int(number)
    except ValueError:
        return {"raw": line}
    return {
        "functionName": place.partition("in ")[2] or None,
        "fileName": line.split('"')[1],
        "lineNumber": line_number,
        "raw": line,
    }


def _v8_frame(line: str) -> dict[str, Any]:
    body = line.removeprefix("at ").removeprefix("async ")
    if "(" in body and body.endswith(")"):
        name, _, place = body.rpartition(" (")
        location = _v8_location(place.removesuffix(")"))
        if location:
            return {"functionName": name.strip() or None, **location, "raw": line}
    return {**_v8_location(body), "raw": line}


def _v8_location(place: str) -> dict[str, Any]:
    """Take `file:line:column` apart; empty if it is not that."""
    try:
        file_name, line_number, column_number = place.rsplit(":", 2)
        return {
            "fileName": file_name,
            "lineNumber": int(line_number),
            "columnNumber": int(column_number),
        }
    except ValueError:
        return {}
