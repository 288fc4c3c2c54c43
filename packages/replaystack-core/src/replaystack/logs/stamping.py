"""From a call of a logger to a `LogEntry`: masked, a snapshot, within limits, with the ids of its scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..clock import new_ordered_id
from ..sanitize import mask_log_fields, mask_log_text, mask_value
from ..scope import current_correlation_id, current_flow_id, current_scope
from ..stacktrace import exception_message, format_exception
from .entry import NO_FIELDS, LogEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..recorder import Recorder
    from ..sanitize import Policy
    from .levels import Level

__all__ = ["as_fields", "as_tags", "as_text", "error_parts", "stamp"]

MESSAGE_MAX: Final = 10_000
"""Characters, as `/v1/logs` has it: what is longer is data, and belongs into a field."""
STACK_MAX: Final = 65_536
"""As long as the stack trace of an event. `/v1/logs` takes less, and gets less."""
NAME_MAX: Final = 200
ID_MAX: Final = 128
TAGS_MAX: Final = 100
"""Of one entry in this process; `/v1/logs` gets twenty."""


def stamp(  # noqa: PLR0917 - by name it would take half as long again
    recorder: Recorder | None,
    policy: Policy,
    logger: str,
    level: Level,
    timestamp: float,
    message: object,
    fields: dict[str, Any] | None,
    *,
    is_pii: bool = False,
    tags: tuple[str, ...] = (),
    error: BaseException | None = None,
    flow_id: str | None = None,
    step_index: int | None = None,
    given: Mapping[str, Any] = NO_FIELDS,
) -> LogEntry:
    """Return the entry of one call. `given` are attributes that the caller set himself: they win."""
    text = message if type(message) is str else as_text(message, policy)
    error_name = error_stack = None
    if error is not None:
        error_name, error_stack = error_parts(error, policy)
    scope = current_scope()
    user = session = request = None
    if recorder is not None:
        user, session = recorder.user, recorder.session
    if scope is not None:
        user, session = scope.user or user, scope.session or session
        request = scope.trace_id
    entry = LogEntry(
        # Not a count: who may not see personal entries would see where they are missing.
        new_ordered_id(),
        timestamp,
        level,
        mask_log_text(text, policy, MESSAGE_MAX),
        logger,
        is_pii,
        mask_log_fields(fields, policy) if fields else NO_FIELDS,
        tags,
        error_name,
        error_stack,
        user,
        session,
        request,
        current_correlation_id(),
        flow_id or current_flow_id(),
        step_index,
    )
    return entry._replace(**given) if given else entry


def as_text(value: object, policy: Policy) -> str:
    """Return a string as it is; of anything else its masked form as text, calling no user code."""
    if type(value) is str:
        return value
    plain = mask_value(value, policy)
    return plain if type(plain) is str else str(plain)


def as_fields(data: object, policy: Policy) -> dict[str, Any]:
    """Return what is passed as `data` as a dict of its own; what is no mapping is its `value`."""
    if type(data) is dict:
        return {key if type(key) is str else str(mask_value(key, policy)): data[key] for key in list(data)}
    plain = mask_value(data, policy)
    return plain if type(plain) is dict else {"value": plain}


def as_tags(tags: object, policy: Policy) -> tuple[str, ...]:
    """Return tags as texts, masked; one string is one tag."""
    if type(tags) is str:
        tags = (tags,)
    plain = mask_value(tags, policy)
    if type(plain) is not list:
        return () if plain is None else (str(plain)[:NAME_MAX],)
    return tuple(mask_log_text(str(tag), policy, NAME_MAX) for tag in plain[:TAGS_MAX])


def error_parts(error: BaseException, policy: Policy) -> tuple[str, str]:
    """Return an exception's name, and its traceback with its causes, masked. Some 100 us."""
    name = type(error).__name__[:NAME_MAX]
    return name, mask_log_text(format_exception(error).rstrip("\n"), policy, STACK_MAX, keep_end=True)


def error_message(error: BaseException) -> str:
    """Return what an exception says."""
    return exception_message(error)
