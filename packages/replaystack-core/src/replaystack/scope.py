"""What belongs to the request or job that is running now: its breadcrumbs, logs, user, session and ids.

A scope is one object held by a context variable. Child tasks and copied contexts share it;
sibling requests never see it. It is set and restored, never reset by token: a token may not
be used in another context, and streaming answers end in one.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from .clock import new_id

if TYPE_CHECKING:
    from types import TracebackType

    from .event import Breadcrumb

__all__ = [
    "BreadcrumbBuffer",
    "LogBuffer",
    "Loggable",
    "Scope",
    "ScopeContext",
    "ScopeEntered",
    "add_breadcrumb",
    "current_correlation_id",
    "current_flow_id",
    "current_scope",
    "enter_flow",
    "enter_scope",
    "get_correlation_id",
    "set_correlation_id",
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


class Loggable(Protocol):
    """A log entry, as far as an event is concerned that carries it."""

    @property
    def is_pii(self) -> bool:
        """Whether only some receivers may have it."""

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that it keeps alive."""

    def to_dict(self) -> dict[str, Any]:
        """Return its shape inside of an event (WIRE.md section 1)."""


class LogBuffer:
    """The newest log entries, oldest first, and how many older ones had to go.

    Safe to append from several threads, like `BreadcrumbBuffer`.
    """

    __slots__ = ("_items", "omitted")

    def __init__(self) -> None:
        self._items: list[Loggable] = []
        self.omitted: int = 0
        """Entries that gave way to newer ones. May be one off under contention."""

    def append(self, entry: Loggable, limit: int) -> None:
        """Keep `entry`; forget the oldest beyond `limit`. A limit of 0 keeps none."""
        items = self._items
        items.append(entry)
        excess = len(items) - limit
        if excess > 0:
            del items[:excess]
            self.omitted += excess

    def snapshot(self) -> tuple[Loggable, ...]:
        """Return what is kept now."""
        return tuple(self._items)

    def take(self) -> tuple[tuple[Loggable, ...], int]:
        """Return what is kept now, and how many had to go, and forget both."""
        items, self._items = self._items, []
        omitted, self.omitted = self.omitted, 0
        return tuple(items), omitted


class Scope:
    """One request or job. Created by adapters and `run_with_replaystack_context`."""

    __slots__ = (
        "breadcrumbs",
        "closed",
        "correlation",
        "correlation_set",
        "flow",
        "logs",
        "recordings",
        "session",
        "trace_id",
        "user",
    )

    def __init__(self, trace_id: str | None = None) -> None:
        self.breadcrumbs: BreadcrumbBuffer = BreadcrumbBuffer()
        self.logs: LogBuffer = LogBuffer()
        self.trace_id: str | None = trace_id
        self.correlation: str | None = None
        """The id that the caller of a request sent as `x-correlation-id`; the one around a job."""
        self.correlation_set: str | None = None
        """The id that was set last in this request, by whichever of its tasks: for its answer."""
        self.flow: str | None = None
        """The id of the first flow that took a step here: the request's event carries it."""
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


# -- ids ---------------------------------------------------------------------------------------------

_correlation: ContextVar[tuple[Scope | None, str] | None] = ContextVar(
    "replaystack_correlation", default=None
)
_flow: ContextVar[str | None] = ContextVar("replaystack_flow", default=None)


def set_correlation_id(correlation_id: str | None) -> None:
    """Name what belongs together from here on in this context: a task and those that it starts.

    Sibling tasks and other threads do not see it. What is set inside of a request ends with it: a
    thread that serves the next one starts anew; its answer names it to the caller, if it may stand in a
    header (letters, digits, `_.:-`, at most 128). None forgets it.
    """
    scope = _current.get()
    if scope is not None:
        scope.correlation_set = correlation_id
    _correlation.set(None if correlation_id is None else (scope, correlation_id))


def current_correlation_id() -> str | None:
    """Return the id that was set here, else the request's own, else None.

    What was set before a request began is not the request's, and what was set inside of one ends with
    it. Costs no lock; any thread.
    """
    scope = _current.get()
    explicit = _correlation.get()
    if explicit is not None and explicit[0] is scope:
        return explicit[1]
    if scope is None:
        return None
    return scope.correlation or scope.trace_id


def get_correlation_id() -> str:
    """Return the id of this context. Where there is none yet, one is made, once, and stays."""
    known = current_correlation_id()
    if known is None:
        known = new_id()
        set_correlation_id(known)
    return known


def current_flow_id() -> str | None:
    """Return the id of the flow whose `with` block runs here, or of the first one of this scope."""
    flow = _flow.get()
    if flow is not None:
        return flow
    scope = _current.get()
    return None if scope is None else scope.flow


def enter_flow(flow_id: str | None) -> str | None:
    """Make a flow the current one and return the id of the one before, to be given back later."""
    before = _flow.get()
    _flow.set(flow_id)
    return before


class ScopeContext:
    """`with` and `async with` around one job: its breadcrumbs are its own.

    Not re-entrant; make one per use.
    """

    __slots__ = ("_before", "scope")

    def __init__(self) -> None:
        self.scope: Scope = Scope()
        self._before: Scope | None = None

    def __enter__(self) -> Scope:
        self.scope.correlation = current_correlation_id()  # it belongs to what is around it
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
