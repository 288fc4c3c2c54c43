"""What a recorder does with breadcrumbs: it keeps them for the next event, in the current scope or itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..event import LOG_LEVELS, Breadcrumb
from ..sanitize import mask_value
from ..scope import BreadcrumbBuffer, current_scope
from .fields import plain_text

if TYPE_CHECKING:
    from ..clock import Clock
    from ..config import Config
    from ..event import LogLevel
    from ..sanitize import Policy
    from ..scope import Scope

__all__ = ["BreadcrumbKeeper"]

MAX_BREADCRUMB_CHARS = 8192
"""A breadcrumb is a hint; as long as an error message may be (MASKING.md section 4)."""
_LEVELS: dict[str, LogLevel] = {
    **{level: level for level in LOG_LEVELS},
    "warn": "warning",
    "critical": "error",
    "fatal": "error",
}
_SCALARS = frozenset({str, int, float, bool, type(None)})


class BreadcrumbKeeper:
    """The breadcrumbs of one client. Every method may be called from any thread; none blocks."""

    def __init__(self, config: Config, *, policy: Policy, clock: Clock) -> None:
        self._config = config
        self._policy = policy
        self._clock = clock
        self.begin_again()

    def begin_again(self) -> None:
        """Start from nothing, in a forked child."""
        self._own = BreadcrumbBuffer()

    def attach(self, fields: dict[str, Any], scope: Scope | None) -> None:
        """Add what was kept to an event's fields, unless they say what its breadcrumbs are.

        A scope's stay for its next event; this client's own leave with the one that comes first.
        """
        if "breadcrumbs" in fields:
            return
        kept = self._own.take() if scope is None else scope.breadcrumbs.snapshot()
        if kept:
            fields["breadcrumbs"] = [breadcrumb.to_dict() for breadcrumb in kept]

    def add(self, message: object, *, category: object, level: object, metadata: object) -> None:
        """Keep one breadcrumb in the current scope, else in this client's own buffer."""
        breadcrumb = self.make(message, category=category, level=level, metadata=metadata)
        if breadcrumb is None:
            return
        scope = current_scope()
        buffer = self._own if scope is None else scope.breadcrumbs
        buffer.append(breadcrumb, self._config.max_breadcrumbs)

    def make(
        self, message: object, *, category: object = None, level: object = "info", metadata: object = None
    ) -> Breadcrumb | None:
        """Return a breadcrumb that no later change of its arguments can reach; None without message."""
        text = plain_text(message, self._policy)
        if not text:
            return None
        if len(text) > MAX_BREADCRUMB_CHARS:
            text = text[:MAX_BREADCRUMB_CHARS] + "…"
        kept = _snapshot(metadata, self._policy)
        known = _LEVELS.get(level) if type(level) is str else None
        if known is None:
            kept = {**(kept or {}), "level": plain_text(level, self._policy)}
        return Breadcrumb(
            message=text,
            timestamp=self._clock.wall(),
            category=plain_text(category, self._policy) if category is not None else None,
            level=known or "info",
            metadata=kept,
        )

    def listed(self) -> list[dict[str, Any]]:
        """Return the breadcrumbs that the next event would carry."""
        scope = current_scope()
        buffer = self._own if scope is None else scope.breadcrumbs
        return [breadcrumb.to_dict() for breadcrumb in buffer.snapshot()]

    def clear(self) -> None:
        """Forget the breadcrumbs of the current scope, else this client's own."""
        scope = current_scope()
        (self._own if scope is None else scope.breadcrumbs).clear()


def _snapshot(metadata: object, policy: Policy) -> dict[str, Any] | None:
    """Return metadata that later changes cannot reach: a flat dict is copied, others are encoded."""
    if metadata is None:
        return None
    if type(metadata) is dict:
        flat = metadata.copy()
        if all(type(key) is str and type(value) in _SCALARS for key, value in flat.items()):
            return flat
    plain = mask_value(metadata, policy)
    return plain if isinstance(plain, dict) else {"value": plain}
