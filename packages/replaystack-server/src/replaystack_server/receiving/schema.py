"""What an event must look like to be stored, and how a refusal names the place that is wrong.

Liberal on purpose: a key that is checked here is one that a column, a filter or a page
depends on. Unknown keys pass, null is the same as absent.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from replaystack.event import AuthMode, EventStatus, EventType  # noqa: TC001 - pydantic reads them at run time
from replaystack.sanitize import RECEIVER_POLICY, mask_text

from ..moments import parse_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

__all__ = ["Event", "SchemaError", "check_event"]

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader takes for itself."""

_SHOWN_ERRORS = 3
_SHOWN_CHARACTERS = 60


class SchemaError(ValueError):
    """An event that cannot be stored; the text names the path, what was expected and what came."""


def _uuid(text: str) -> str:
    if not _UUID.fullmatch(text):
        raise ValueError("a UUID")
    return text


def _time(text: str) -> str:
    if parse_ms(text) is None:
        raise ValueError("a time in ISO 8601")
    return text


class _Part(BaseModel):
    # Strict: "500" is no status code, however well it would convert; filters compare numbers.
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", strict=True, alias_generator=to_camel)


class _Frame(_Part):
    function_name: str | None = None
    file_name: str | None = None
    line_number: int | None = None
    column_number: int | None = None
    raw: str | None = None


class _Note(_Part):
    """A breadcrumb or a log entry."""

    message: str | None = None
    level: str | None = None
    category: str | None = None


class _Reserved(_Part):
    """`metadata.replaystack`: what the original contract has no key for."""

    event_id: Annotated[str, AfterValidator(_uuid)] | None = None
    timestamp: Annotated[str, AfterValidator(_time)] | None = None
    route: str | None = None
    process: str | None = None
    sequence: int | None = Field(default=None, ge=0, le=_SAFE_INTEGER)


class _Metadata(_Part):
    replaystack: _Reserved | None = None


class Event(_Part):
    """One event as WIRE.md section 1 has it."""

    trace_id: str | None = None
    event_type: EventType
    status: EventStatus
    method: str | None = None
    endpoint: str | None = None
    request_url: str | None = None
    auth_mode: AuthMode | None = None
    auth_scheme: str | None = None
    request_headers: dict[str, Any] | None = None
    response_headers: dict[str, Any] | None = None
    request_payload: Any = None
    response_payload: Any = None
    status_code: int | None = Field(default=None, ge=0, le=999)
    execution_time_ms: float | None = Field(default=None, ge=0, le=_SAFE_INTEGER)
    error_name: str | None = None
    error_message: str | None = None
    stack_trace: str | None = None
    # Fail fast: eight megabytes of bad entries must not become a million error reports.
    stack_frames: list[_Frame] | None = Field(default=None, fail_fast=True)
    breadcrumbs: list[_Note] | None = Field(default=None, fail_fast=True)
    logs: list[_Note] | None = Field(default=None, fail_fast=True)
    service_name: str | None = None
    environment: str | None = None
    app_version: str | None = None
    commit_hash: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    metadata: _Metadata | None = None


def check_event(event: object, path: str = "") -> Mapping[str, Any]:
    """Return `event` itself if it may be stored.

    Args:
        event: what the JSON parser made of it.
        path: where it stands in the request, such as `events[3]`; empty for the body itself.

    Raises:
        SchemaError: `events[3].statusCode: expected an integer, got "abc"`.

    """
    if not isinstance(event, dict):
        raise SchemaError(f"{path or 'body'}: expected an object, got {_shown(event)}")
    try:
        Event.model_validate(event)
    except ValidationError as error:
        found = error.errors(include_url=False)
        lines = [_line(path, detail) for detail in found[:_SHOWN_ERRORS]]
        more = [f"and {len(found) - _SHOWN_ERRORS} more"] if len(found) > _SHOWN_ERRORS else []
        raise SchemaError("; ".join(lines + more)) from None
    return event


def _line(path: str, detail: ErrorDetails) -> str:
    for step in detail["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    if detail["type"] == "missing":
        return f"{path}: is required"
    return f"{path}: expected {_expected(detail)}, got {_shown(detail['input'])}"


def _expected(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        return "one of " + str(context["expected"]).replace("'", "").replace(" or ", ", ")
    if kind == "value_error":
        return str(context["error"])
    bounds = {
        "greater_than_equal": f"at least {context.get('ge')}",
        "less_than_equal": f"at most {context.get('le')}",
    }
    names = {
        "int_type": "an integer",
        "float_type": "a number",
        "finite_number": "a finite number",
        "string_type": "a string",
        "list_type": "a list",
        "dict_type": "an object",
        "model_type": "an object",
    }
    return names.get(kind) or bounds.get(kind) or detail["msg"]


def _shown(value: object) -> str:
    """Return how a refusal quotes a value: short, masked, on one line."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value) if not isinstance(value, str) else json.dumps(mask_text(value, RECEIVER_POLICY))
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
