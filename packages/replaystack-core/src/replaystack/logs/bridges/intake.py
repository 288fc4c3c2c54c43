"""In: what others logged becomes an entry, as if one of our loggers had said it.

But for one thing: it is not handed to the standard library's logger of that name, from which it
may have come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...diagnostics import Guard
from ...recorder.clients import Client, open_recorder
from ...sanitize import Policy, mask_log_text
from ..arguments import MISSPELT, is_true
from ..levels import SEVERITY
from ..logger import _here  # the loggers' own: what a sink says while it is fed goes nowhere, by either road
from ..sinks import emit_to_sinks, local_sinks
from ..stamping import STACK_MAX, as_tags, as_text, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..levels import Level
    from ..sinks import Sink

__all__ = ["Client", "is_own", "take"]

_guard = Guard()  # where there is no client
_PII: Final = frozenset({"is_pii", *MISSPELT})
_policy: Policy | None = None


def is_own(name: str) -> bool:
    """Tell whether a logger is of the SDK itself: what it says of its own trouble must not feed it."""
    return name == "replaystack" or name.startswith("replaystack.")


def take(
    client: Client | None,
    *,
    logger: str,
    level: Level,
    timestamp: float,
    message: object,
    fields: Mapping[str, Any],
    error: BaseException | None = None,
    error_stack: str | None = None,
) -> None:
    """Make an entry of what was logged elsewhere, and send it where entries go. Never raises.

    `is_pii` (in whatever spelling) and `tags` among the fields are what they are in a call of a
    logger. What a sink logs meanwhile on this thread is left out: it would hear itself.
    """
    if getattr(_here, "is_emitting", False):
        return
    _here.is_emitting = True
    recorder = open_recorder(client)
    guard = _guard if recorder is None else recorder.guard
    try:
        policy = _default_policy() if recorder is None else recorder.policy
        kept = {key: value for key, value in fields.items() if key not in _PII and key != "tags"}
        given: dict[str, Any] = {}
        if "correlation_id" in kept:
            given["correlation_id"] = as_text(kept.pop("correlation_id"), policy)[:128]
        if error is None and error_stack:
            given["error_stack"] = mask_log_text(error_stack.rstrip("\n"), policy, STACK_MAX, keep_end=True)
        entry = stamp(
            recorder,
            policy,
            logger,
            level,
            timestamp,
            message,
            kept,
            is_pii=any(is_true(fields[name]) for name in _PII & fields.keys()),
            tags=as_tags(fields["tags"], policy) if "tags" in fields else (),
            error=error,
            given=given,
        )
        if recorder is None or recorder.log(entry, SEVERITY[level]):
            emit_to_sinks(local_sinks(), entry, _report_sink)
    except Exception as defect:  # noqa: BLE001 - the wall: no log line may hurt the application
        guard.caught(defect, "taking over a log line")
    finally:
        _here.is_emitting = False


def _report_sink(error: BaseException, sink: Sink) -> None:
    _guard.report(error, "replaystack: %s failed", f"the sink {type(sink).__name__}")


def _default_policy() -> Policy:
    global _policy  # noqa: PLW0603 - built at first use: importing costs nothing
    if _policy is None:
        _policy = Policy.build()
    return _policy
