"""From a posted body to logs that may be stored: choose the format, parse, check, mask."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from replaystack.clock import new_ordered_id
from replaystack.logs.formats import (
    Defaults,
    FormatError,
    content_type_format,
    decode,
    format_name,
    read_entries,
    sniff,
)
from replaystack.sanitize import RECEIVER_POLICY, mask_text, mask_value

from ..answers import Refusal
from ..store import LogRecord
from .batch_ids import batch_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replaystack.logs.formats import Entry, FormatName

__all__ = ["LogRequest", "read_flow_name", "read_logs"]

_MOST_FLOW_NAME: Final = 41
"""Characters: with `-` and eight more the id has the 50 that a flowId may have."""

_BATCH: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE
)
_COLUMNS: Final = {
    "logger": "logger",
    "source": "source",
    "environment": "environment",
    "version": "version",
    "dataset": "dataset",
    "userId": "user_id",
    "sessionId": "session_id",
    "requestId": "request_id",
    "flowId": "flow_id",
    "errorName": "error_name",
    "errorStack": "error_stack",
    "ipAddress": "ip_address",
    "country": "country",
}
"""Texts of the wire and the fields that keep them; none is matched by key."""


@dataclass(frozen=True, slots=True)
class LogRequest:
    """What a request says beside its body."""

    query: Mapping[str, str]
    content_type: str | None
    batch: str | None
    """`x-replaystack-batch`: a UUID that stays the same when a sender tries again, so that logs
    without an id of their own are kept once."""


def read_logs(raw: bytes, request: LogRequest, received_ms: int) -> list[LogRecord]:
    """Return the logs in `raw`, all of them. CPU-bound: some milliseconds.

    Raises:
        Refusal: 400 with the line, or with the paths of all that is wrong; nothing is to be stored then.

    """
    query = request.query
    defaults = Defaults(*(query.get(name) or None for name in ("source", "environment", "level", "dataset")))
    try:
        name, text = _choose(raw, request)
        entries = read_entries(text, name, defaults, received_ms)
    except FormatError as error:
        raise Refusal(400, error.message, document=error.document()) from None
    known = request.batch is not None and _BATCH.fullmatch(request.batch)
    batch = uuid.UUID(request.batch if known else new_ordered_id())
    mask = _Masking()
    ids = batch_ids(batch, len(entries))
    return [_record(entry, given_id, received_ms, mask) for entry, given_id in zip(entries, ids, strict=True)]


class _Masking:
    """Masks the texts of one request; what most of its logs share (source, environment) once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = mask_text(text, RECEIVER_POLICY)
        return known


def _choose(raw: bytes, request: LogRequest) -> tuple[FormatName, str]:
    """Return the format, by the query, the Content-Type or the body, and the body's text."""
    asked = request.query.get("format")
    if asked:
        try:
            name = format_name(asked)
        except ValueError as error:
            issues = [{"path": ["format"], "message": str(error)}]
            raise Refusal(400, str(error), document={"error": str(error), "issues": issues}) from None
        return name, decode(raw, name)
    declared = content_type_format(request.content_type)
    text = decode(raw, declared or "text")
    found = sniff(text)
    if declared is None:
        return found, decode(raw, found)  # again: what is all or nothing is not read as Latin-1
    return ("obl" if declared == "json" and found == "obl" else declared), text


def _record(entry: Entry, given_id: str, received_ms: int, mask: _Masking) -> LogRecord:
    occurred_ms = min(entry.get("timestamp", received_ms), received_ms)
    texts: dict[str, Any] = {field: mask(entry[key]) for key, field in _COLUMNS.items() if entry.get(key)}
    data = entry.get("data")
    return LogRecord(
        log_id=entry.get("id") or given_id,
        occurred_ms=occurred_ms,
        received_ms=received_ms,
        level=entry["level"],
        is_pii=entry["isPii"],
        message=mask(entry["message"]),
        step_index=entry.get("stepIndex"),
        tags=tuple(mask(tag) for tag in entry.get("tags", ())),
        data=mask_value(data, RECEIVER_POLICY) if data else None,
        **texts,
    )


def read_flow_name(raw: bytes) -> str:
    """Return the name of `{"name": ...}`.

    Raises:
        Refusal: 400 with the path of what is wrong.

    """
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refusal(
            400, "invalid JSON", document={"error": "invalid JSON", "code": "PARSE_ERROR"}
        ) from None
    name = document.get("name") if isinstance(document, dict) else None
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= _MOST_FLOW_NAME:
        message = f"expected 1 to {_MOST_FLOW_NAME} characters"
        issues = [{"path": ["name"], "message": message}]
        raise Refusal(
            400,
            "Validation error",
            document={"error": "Validation error", "code": "VALIDATION_ERROR", "issues": issues},
        )
    return mask_text(name.strip(), RECEIVER_POLICY)[:_MOST_FLOW_NAME]
