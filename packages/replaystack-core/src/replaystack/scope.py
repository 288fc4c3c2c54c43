"""What belongs to the request or job that is running now: its breadcrumbs, user and session.

A scope is one object held by a context variable. Child tasks and copied contexts share it;
sibling requests never see it. It is set and restored, never reset by token: a token may not
be used in another context, and streaming answers end in one.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from .event import Breadcrumb

__all__ = [
    "BreadcrumbBuffer",
    "Scope",
    "ScopeContext",
    "ScopeEntered",
    "add_breadcrumb",
    "current_scope",
    "enter_scope",
]


class BreadcrumbBuffer:
    """The newest breadcrumbs, oldest first. Safe to append from several threads.

    Appending and slicing a list are single steps of the interpreter; a reader takes a copy.
    """

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: list[Breadcrumb] = []

    def append(self, breadcrumb: Breadcrumb, limit: int) -> None:
        """Keep `breadcrumb`; forget the oldest beyond `limit`. A limit of 0 keeps none."""
        self._items.append(breadcrumb)
        excess = len(self._items) - limit
        if excess > 0:
            del self._items[:excess]

    def snapshot(self) -> tuple[Breadcrumb, ...]:
        """Return what is kept now."""
        return tuple(self._items)

    def take(self) -> tuple[Breadcrumb, ...]:
        """Return what is kept now and forget it, as one step: no breadcrumb is taken twice."""
        items, self._items = self._items, []
        return tuple(items)

    def clear(self) -> None:
        """Forget everything."""
        self._items = []


class Scope:
    """One request or job. Created by adapters and `run_with_replaystack_context`."""

    __slots__ = ("breadcrumbs", "closed", "recordings", "session", "trace_id", "user")

    def __init__(self, trace_id: str | None = None) -> None:
        self.breadcrumbs: BreadcrumbBuffer = BreadcrumbBuffer()
        self.trace_id: str | None = trace_id
        self.user: str | None = None
        self.session: str | None = None
        self.recordings: dict[int, Any] = {}
        """Who records this request: recordings of the http kit by the id of their recorder."""
        self.closed: bool = False
        """True once its event is captured: later breadcrumbs would belong to nothing."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as a scope that nobody records: who copies a request has another one."""
        return Scope, (self.trace_id,)


_current: ContextVar[Scope | None] = ContextVar("replaystack_scope", default=None)


def current_scope() -> Scope | None:
    """Return the scope of the running request or job, or None outside of one."""
    return _current.get()


def enter_scope(scope: Scope | None) -> Scope | None:
    """Make `scope` the current one and return the one before, to be given back later."""
    before = _current.get()
    _current.set(scope)
    return before


def add_breadcrumb(breadcrumb: Breadcrumb, limit: int) -> bool:
    """Append to the current scope. Returns False where there is none."""
    scope = _current.get()
    if scope is None:
        return False
    scope.breadcrumbs.append(breadcrumb, limit)
    return True


class ScopeEntered:
    """`with` around a part of what belongs to `scope`, which is the current one meanwhile. For one use."""

    __slots__ = ("_before", "_scope")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._before: Scope | None = None

    def __enter__(self) -> None:
        self._before = enter_scope(self._scope)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        enter_scope(self._before)


class ScopeContext:
    """`with` and `async with` around one job: its breadcrumbs are its own.

    Not re-entrant; make one per use.
    """

    __slots__ = ("_before", "scope")

    def __init__(self) -> None:
        self.scope: Scope = Scope()
        self._before: Scope | None = None

    def __enter__(self) -> Scope:
        self._before = enter_scope(self.scope)
        return self.scope

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        enter_scope(self._before)

    async def __aenter__(self) -> Scope:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        enter_scope(self._before)
