"""The recorders that are open in this process, the default one, and what module-level calls do."""

from __future__ import annotations

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
    "open_recorders",
    "remember",
    "run_with_replaystack_context",
    "set_default_recorder",
    "unregister",
]

_open: dict[int, Recorder] = {}
_default: Recorder | None = None
# Breadcrumbs of module-level calls made before there is any client or scope.
_unowned = BreadcrumbBuffer()
_UNOWNED_MAX = 50


def remember(recorder: Recorder) -> None:
    """Let `recorder` serve module-level calls, and be flushed at exit."""
    _open.setdefault(id(recorder), recorder)


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


def open_recorders() -> list[Recorder]:
    """Return the recorders that are not closed, or closed and still owe something."""
    return list(_open.values())


def default_recorder() -> Recorder | None:
    """Return the recorder that serves module-level calls, or None if no client is open."""
    if _default is not None or not _open:
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
            recorder.breadcrumbs.add(message, category=category, level=level, metadata=metadata)
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
        return recorder.breadcrumbs.listed()
    scope = current_scope()
    return [crumb.to_dict() for crumb in (_unowned if scope is None else scope.breadcrumbs).snapshot()]


def clear_breadcrumbs() -> None:
    """Forget the breadcrumbs of the current scope, else of the default client."""
    recorder = default_recorder()
    if recorder is not None:
        recorder.breadcrumbs.clear()
        return
    scope = current_scope()
    (_unowned if scope is None else scope.breadcrumbs).clear()
