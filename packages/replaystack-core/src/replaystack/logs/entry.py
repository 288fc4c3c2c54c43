"""One log entry, complete: masked, stamped, a snapshot. Every rendering and every sink reads this."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..clock import iso_timestamp
from ..wire import RESERVED_METADATA_KEY
from .levels import EVENT_NAMES
from .timber import to_wire

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ..config import Config
    from .levels import Level

__all__ = ["ENTRY_ATTRIBUTE", "NO_FIELDS", "LogEntry", "beside"]

ENTRY_ATTRIBUTE: Final = "replaystack_entry"
"""Where a `logging.LogRecord` that a ReplayStack logger made carries its entry.

A bridge from `logging` back to ReplayStack passes over records that have it: they are captured already.
"""

NO_FIELDS: Final[Mapping[str, Any]] = MappingProxyType({})


class LogEntry(NamedTuple):
    """What one call of a logger said, and where and when. Immutable; share it between threads freely.

    A named tuple and not a data class: one is made for each log line, and this is made in a fifth
    of the time. `fields` is this entry's own dict of plain JSON values; nobody may change it.
    """

    id: str
    """A UUID; the receiver keeps the first of several with one id."""
    timestamp: float
    """Seconds since the epoch, at the call."""
    level: Level
    message: str
    """Masked."""
    logger: str
    is_pii: bool = False
    """Message and fields hold personal data: for receivers and sinks that are told so, and no others."""
    fields: Mapping[str, Any] = NO_FIELDS
    """Masked."""
    tags: tuple[str, ...] = ()
    error_name: str | None = None
    error_stack: str | None = None
    """Masked; the traceback with its causes."""
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    """The trace id of the request in which it was logged."""
    correlation_id: str | None = None
    flow_id: str | None = None
    step_index: int | None = None
    dataset: str | None = None
    ip_address: str | None = None
    country: str | None = None

    @property
    def size_bytes(self) -> int:
        """An estimate of the memory that it keeps alive."""
        size = 800 + len(self.message) + len(self.error_stack or "")
        for value in self.fields.values():
            kind = type(value)
            size += (
                100 if kind is int or kind is bool else 100 + len(value) if kind is str else _weight(value)
            )
        return size

    def to_dict(self) -> dict[str, Any]:
        """Return the shape inside of an event (WIRE.md section 1), the rest in `metadata.replaystack`."""
        own = {
            "id": self.id,
            "logger": self.logger,
            "isPii": self.is_pii,
            "tags": list(self.tags) or None,
            "errorName": self.error_name,
            "errorStack": self.error_stack,
            "correlationId": self.correlation_id,
            "flowId": self.flow_id,
            "stepIndex": self.step_index,
            "dataset": self.dataset,
        }
        return {
            "level": EVENT_NAMES[self.level],
            "message": self.message,
            "metadata": {
                **beside(self.fields, (RESERVED_METADATA_KEY,)),
                RESERVED_METADATA_KEY: {key: value for key, value in own.items() if value is not None},
            },
            "timestamp": iso_timestamp(self.timestamp),
        }

    def to_wire(self, config: Config, *, advertised: bool) -> tuple[dict[str, Any], dict[str, Any], int]:
        """Return the shape at `/v1/logs` (see `timber.to_wire`)."""
        return to_wire(self, config, advertised=advertised)


def beside(fields: Mapping[str, Any], taken: Collection[str]) -> Mapping[str, Any]:
    """Return `fields` as they may stand beside the keys `taken`: one of such a name is `field_<name>`."""
    if fields.keys().isdisjoint(taken):
        return fields
    placed: dict[str, Any] = {key: value for key, value in fields.items() if key not in taken}
    for key in taken:
        if key in fields:
            name = f"field_{key}"
            while name in placed or name in taken:
                name = f"field_{name}"
            placed[name] = fields[key]
    return placed


def _weight(value: object) -> int:
    """Return about how many bytes a plain JSON value takes."""
    if type(value) is str:
        return 64 + len(value)
    if type(value) is dict:
        return 200 + sum(64 + len(key) + _weight(item) for key, item in value.items())
    if type(value) is list:
        return 64 + sum(map(_weight, value))
    return 100
