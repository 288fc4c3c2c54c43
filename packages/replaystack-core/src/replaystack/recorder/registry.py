"""The recorders that are open in this process, the default one, and the flush at exit."""

from __future__ import annotations

import atexit
import sys
import time
from typing import TYPE_CHECKING, Any

from ..event import LOG_LEVELS, Breadcrumb
from ..sanitize import Policy, mask_value
from ..scope import BreadcrumbBuffer, ScopeContext, current_scope

if TYPE_CHECKING:
    from .recorder import Recorder

__all__ = [
    "add_breadcrumb",
    "clear_breadcrumbs",
    "default_recorder",
    "get_breadcrumbs",
    "register",
    "run_with_replaystack_context",
    "set_default_recorder",
    "unregister",
]

_open: dict[int, Recorder] = {}
_default: Recorder | None = None
_exit_registered = False
_exit_deadline: float | None = None  # set once the interpreter is on its way out
# Breadcrumbs of module-level calls made before there is any client or scope.
_unowned = BreadcrumbBuffer()
_UNOWNED_MAX = 50


def register(recorder: Recorder) -> None:
    """Remember an open recorder, so that the interpreter's exit flushes it."""
    global _exit_registered  # noqa: PLW0603 - one handler per process
    _open[id(recorder)] = recorder
    recorder.on_late_capture = _care_for_late_capture
    if not _exit_registered:
        _exit_registered = True
        atexit.register(_flush_at_exit)


def unregister(recorder: Recorder) -> None:
    """Forget a recorder that is closed and owes nothing."""
    global _default  # noqa: PLW0603
    _open.pop(id(recorder), None)
    if _default is recorder:
        _default = None


def set_default_recorder(recorder: Recorder | None) -> None:
    """Let module-level calls go to `recorder`; None: to the first open one again."""
    global _default  # noqa: PLW0603
    _default = recorder


def default_recorder() -> Recorder | None:
    """Return the recorder that serves module-level calls, or None if no client is open."""
    if _default is not None:
        return _default
    return next((recorder for recorder in list(_open.values()) if recorder.is_open), None)


def run_with_replaystack_context() -> ScopeContext:
    """Return a `with` / `async with` block whose breadcrumbs, user and session are its own."""
    return ScopeContext()


def add_breadcrumb(
    message: str, *, category: str | None = None, level: str = "info", metadata: dict[str, Any] | None = None
) -> None:
    """Keep one breadcrumb in the current scope, else with the default client. Never raises."""
    recorder = default_recorder()
    if recorder is not None:
        with recorder.guard.protect("add_breadcrumb"):
            recorder.add_breadcrumb(message, category=category, level=level, metadata=metadata)
        return
    if type(message) is not str or not message:
        return
    scope = current_scope()
    breadcrumb = Breadcrumb(
        message=message,
        timestamp=time.time(),
        category=category,
        level=level if level in LOG_LEVELS else "info",
        metadata=None if metadata is None else mask_value(metadata, Policy.build()),
    )
    (_unowned if scope is None else scope.breadcrumbs).append(breadcrumb, _UNOWNED_MAX)


def get_breadcrumbs() -> list[dict[str, Any]]:
    """Return the breadcrumbs of the current scope, else of the default client, as dicts."""
    recorder = default_recorder()
    if recorder is not None:
        return recorder.breadcrumbs()
    scope = current_scope()
    return [crumb.to_dict() for crumb in (_unowned if scope is None else scope.breadcrumbs).snapshot()]


def clear_breadcrumbs() -> None:
    """Forget the breadcrumbs of the current scope, else of the default client."""
    recorder = default_recorder()
    if recorder is not None:
        recorder.clear_breadcrumbs()
        return
    scope = current_scope()
    (_unowned if scope is None else scope.breadcrumbs).clear()


def _care_for_late_capture(recorder: Recorder) -> None:
    """Take care of an event that was captured while its client closed, or after the flush at exit.

    The first is delivered at exit. The second is delivered now, in its caller, while there is
    time left of the exit; what is not is said on stderr.
    """
    _open.setdefault(id(recorder), recorder)
    if _exit_deadline is None:
        return
    recorder.wait_flushed(recorder.request_flush(), max(0.0, _exit_deadline - time.monotonic()))
    _say_what_is_lost([recorder])


def _flush_at_exit() -> None:
    """Flush all open recorders at once, within the longest of their shutdown timeouts."""
    global _exit_deadline  # noqa: PLW0603 - a process ends once
    recorders = [recorder for recorder in list(_open.values()) if recorder.config.enabled]
    if not recorders:
        return
    deadline = time.monotonic() + max(recorder.config.shutdown_timeout_seconds for recorder in recorders)
    _exit_deadline = deadline
    for recorder in recorders:
        recorder.exiting = True
    targets = []
    for recorder in recorders:
        with recorder.guard.protect("the flush at exit"):
            targets.append((recorder, recorder.request_flush()))
    for recorder, target in targets:
        with recorder.guard.protect("the flush at exit"):
            recorder.wait_flushed(target, max(0.0, deadline - time.monotonic()))
    _say_what_is_lost(recorders)


def _say_what_is_lost(recorders: list[Recorder]) -> None:
    """Write the one line to stderr that DESIGN.md asks for, if anything is undelivered."""
    lost = sum(recorder.undelivered for recorder in recorders)
    if lost and sys.stderr is not None:
        sys.stderr.write(f"replaystack: exiting with {lost} undelivered event{'s' if lost > 1 else ''}\n")
