"""Documents made of what is masked already: a batch, and an event without its bodies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ._masked import Masked, seal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["bulk_document", "without_bodies"]

_BODIES = ("requestPayload", "responsePayload", "data")


def bulk_document(events: Sequence[Masked]) -> Masked:
    """Return `{"events":[...]}`: the same bytes, joined; nothing is decoded."""
    return seal(b'{"events":[' + b",".join(event.data for event in events) + b"]}")


def without_bodies(event: Masked) -> Masked:
    """Return an event or log entry, its payloads replaced by markers: the receiver found it too large."""
    document = json.loads(event.data)
    for key in _BODIES:
        if key in document:
            document[key] = {"__omitted": True}
    return seal(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
