"""Scopes and breadcrumbs under their names of 1.x, over the scope that core keeps."""

from __future__ import annotations

import functools
import inspect
import sys
import time
from typing import TYPE_CHECKING, Any

import replaystack
from replaystack import clear_breadcrumbs, get_breadcrumbs
from replaystack.clock import iso_timestamp
from replaystack.event import Breadcrumb as KeptBreadcrumb
from replaystack.sanitize import Policy, mask_value
from replaystack.scope import ScopeContext, current_scope

from .types import Breadcrumb

if TYPE_CHECKING:
    from collections.abc import Callable

    from replaystack.event import LogLevel

__all__ = [
    "add_breadcrumb",
    "add_context_breadcrumb",
    "clear_breadcrumbs",
    "clear_context_breadcrumbs",
    "get_breadcrumbs",
    "get_context_breadcrumbs",
    "run_with_replaystack_context",
]


class _DecoratingScope(ScopeContext):
    """Core's scope, which in 1.x was a decorator too: then each call gets a scope of its own."""

    __slots__ = ()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with _DecoratingScope():
                    return await function(*args, **kwargs)

            return run_async

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with _DecoratingScope():
                return function(*args, **kwargs)

        return run


def run_with_replaystack_context() -> _DecoratingScope:
    """Return a scope for one job: for `with`, `async with`, or as a decorator of a function."""
    return _DecoratingScope()


def get_context_breadcrumbs() -> list[dict[str, Any]] | None:
    """Return the breadcrumbs of the current scope as dicts, or None outside of one."""
    scope = current_scope()
    return None if scope is None else [breadcrumb.to_dict() for breadcrumb in scope.breadcrumbs.snapshot()]


def add_context_breadcrumb(breadcrumb: Breadcrumb, max_breadcrumbs: int) -> bool:
    """Keep a copy of `breadcrumb` in the current scope. Returns False outside of one.

    Args:
        breadcrumb: later changes to it, its metadata included, change nothing.
        max_breadcrumbs: how many the scope keeps, newest first to stay; 0 and less: all.

    """
    scope = current_scope()
    if scope is None:
        return False
    metadata = breadcrumb.metadata
    kept = KeptBreadcrumb(
        message=breadcrumb.message,
        timestamp=breadcrumb.timestamp,
        category=breadcrumb.category,
        level=breadcrumb.level,
        # The event may be encoded long after this call, in another thread: nothing live is kept.
        metadata=None if metadata is None else mask_value(metadata, Policy.build()),
    )
    scope.breadcrumbs.append(kept, max_breadcrumbs if max_breadcrumbs > 0 else sys.maxsize)
    return True


def clear_context_breadcrumbs() -> bool:
    """Forget the breadcrumbs of the current scope. Returns False outside of one."""
    scope = current_scope()
    if scope is None:
        return False
    scope.breadcrumbs.clear()
    return True


def add_breadcrumb(
    message: str,
    *,
    category: str | None = None,
    level: LogLevel = "info",
    metadata: dict[str, Any] | None = None,
    max_breadcrumbs: int = 100,
) -> Breadcrumb:
    """Keep one breadcrumb in the current scope, else with the default client, and return it.

    `max_breadcrumbs` bounds the current scope; outside of one the client's own option does.
    """
    breadcrumb = Breadcrumb(message, iso_timestamp(time.time()), category, level, metadata)
    if not add_context_breadcrumb(breadcrumb, max_breadcrumbs):
        replaystack.add_breadcrumb(message, category=category, level=level, metadata=metadata)
    return breadcrumb
