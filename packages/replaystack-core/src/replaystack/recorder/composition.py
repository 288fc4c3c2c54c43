"""Put an event together: what was captured, what the client knows, and ReplayStack's own part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clock import iso_timestamp
from ..wire import RESERVED_METADATA_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import Config

__all__ = ["Stamp", "compose_event", "service_fields"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes an event this one and no other. Assigned at the capture, never changed."""

    event_id: str
    process: str
    sequence: int
    timestamp: float
    """Seconds since the epoch: when the exchange began, or when the user captured."""


def service_fields(config: Config) -> dict[str, str]:
    """Return what every event of a client says about its service."""
    fields = {
        "serviceName": config.service_name,
        "environment": config.environment,
        "appVersion": config.app_version,
        "commitHash": config.commit_hash,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _own_part(stamp: Stamp, extra: Mapping[str, object]) -> dict[str, object]:
    """Return `metadata.replaystack`; what is empty is absent (WIRE.md section 1)."""
    own: dict[str, object] = {
        "eventId": stamp.event_id,
        "timestamp": iso_timestamp(stamp.timestamp),
        "process": stamp.process,
        "sequence": stamp.sequence,
    }
    own.update({key: value for key, value in extra.items() if value is not None and _has_content(value)})
    return own


def _has_content(value: object) -> bool:
    """Tell, without running foreign code, whether a value is worth its key."""
    return bool(value) if type(value) in (str, tuple, list, dict) else True


def compose_event(
    fields: Mapping[str, Any], service: Mapping[str, str], stamp: Stamp, own: Mapping[str, object]
) -> dict[str, Any]:
    """Return the wire event for what user code passed; `own` joins `metadata.replaystack`."""
    event: dict[str, Any] = {**service, **fields}
    event.setdefault("traceId", stamp.event_id)
    metadata = event.get("metadata")
    merged: dict[str, Any] = {}
    if type(metadata) is dict:
        merged.update(metadata)
    elif metadata is not None:
        merged["metadata"] = metadata
    merged[RESERVED_METADATA_KEY] = _own_part(stamp, own)
    event["metadata"] = merged
    return event
