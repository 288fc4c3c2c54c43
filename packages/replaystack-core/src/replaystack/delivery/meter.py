"""The way to the user's `MetricsHook`: by keyword, guarded, and nothing where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..diagnostics import Guard

__all__ = ["Meter"]


class Meter:
    """Calls the hook's methods that exist. Not to be used while a lock is held."""

    def __init__(self, hook: Any, guard: Guard) -> None:
        self._hook = hook
        self._guard = guard

    @property
    def is_on(self) -> bool:
        """Whether anybody listens."""
        return self._hook is not None

    def tell(self, method: str, **figures: Any) -> None:
        """Call `method` of the hook with `figures`. Never raises."""
        if self._hook is None:
            return
        try:
            with self._guard.busy():
                call = getattr(self._hook, method, None)
                if callable(call):
                    call(**figures)
        except Exception as error:  # noqa: BLE001 - the user's hook; sending goes on
            self._guard.report(error, "replaystack: %s raised", method)
