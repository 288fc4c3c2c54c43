"""What a call of a logger may be told beside its message and its data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LogOptions"]


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The options of one call, for those who pass them as an object (the Timberlogs seed)."""

    tags: list[str] | tuple[str, ...] | None = None
    is_pii: bool = False
