"""What a sender says about itself beside its events: which stream it is, and what it dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..store import StreamReport

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["DROPS_HEADER", "PROCESS_HEADER", "stream_report"]

PROCESS_HEADER: Final = "x-replaystack-process"
DROPS_HEADER: Final = "x-replaystack-drops"

_PROCESS: Final = re.compile(r"[0-9A-Za-z._:\-]{1,128}")
_DROP: Final = re.compile(r"([a-z][a-z0-9_]{0,39})=([0-9]{1,15})")
_MOST_REASONS: Final = 32


def stream_report(request: Request, received_ms: int) -> StreamReport | None:
    """Return what the headers say; None without a stream. Rubbish is left out: events matter more."""
    process = request.headers.get(PROCESS_HEADER, "")
    if not _PROCESS.fullmatch(process):
        return None
    entries = (entry.strip() for entry in request.headers.get(DROPS_HEADER, "")[:4096].split(","))
    found = [match for entry in entries if (match := _DROP.fullmatch(entry))][:_MOST_REASONS]
    return StreamReport(process, {match[1]: int(match[2]) for match in found}, received_ms)
