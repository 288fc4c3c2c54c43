"""An entry as `POST /v1/logs` takes it (WIRE.md section 2), within the limits of that wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .levels import TIMBER_NAMES

if TYPE_CHECKING:
    from ..config import Config
    from .entry import LogEntry

__all__ = ["LIMITS", "MESSAGE_MAX", "STEP_INDEX_MAX", "TAGS_MAX", "TAG_MAX", "to_wire"]

CUT: Final = "…"
MESSAGE_MAX: Final = 10_000
TAGS_MAX: Final = 20
TAG_MAX: Final = 50
STEP_INDEX_MAX: Final = 1000
EMPTY_MESSAGE: Final = "[empty]"
"""The wire wants one character at least."""

LIMITS: Final[dict[str, int]] = {
    "message": MESSAGE_MAX,
    "source": 100,
    "errorName": 200,
    "errorStack": 10_000,
    "userId": 100,
    "sessionId": 100,
    "requestId": 100,
    "version": 50,
    "dataset": 50,
    "flowId": 50,
    "environment": 50,
    "ipAddress": 100,
    "country": 10,
}
"""Characters. What is longer is cut, visibly: an entry that says most of it is worth more than none."""

_KEEPS_END: Final = frozenset({"errorStack"})


def to_wire(
    entry: LogEntry, config: Config, *, advertised: bool
) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Return the envelope, the fields (`data`), and how many parts were cut. What is None is left out."""
    fields = dict(entry.fields)
    envelope: dict[str, Any] = {
        "level": TIMBER_NAMES[entry.level],
        "message": entry.message or EMPTY_MESSAGE,
        "source": config.service_name or entry.logger,
        "environment": config.environment,
        "version": config.app_version,
        "userId": entry.user_id,
        "sessionId": entry.session_id,
        "requestId": entry.request_id,
        "errorName": entry.error_name,
        "errorStack": entry.error_stack,
        "flowId": entry.flow_id,
        "dataset": entry.dataset,
        "ipAddress": entry.ip_address,
        "country": entry.country,
    }
    shortened = 0
    for key, limit in LIMITS.items():
        text = envelope[key]
        if text is not None and len(text) > limit:
            envelope[key] = _cut(text, limit, keep_end=key in _KEEPS_END)
            shortened += 1
    if entry.tags:
        envelope["tags"] = [
            tag if len(tag) <= TAG_MAX else _cut(tag, TAG_MAX) for tag in entry.tags[:TAGS_MAX]
        ]
        shortened += len(entry.tags) > TAGS_MAX or any(len(tag) > TAG_MAX for tag in entry.tags)
        if len(entry.tags) > TAGS_MAX:
            envelope["tags"][-1] = f"{CUT}[+{len(entry.tags) - TAGS_MAX + 1} tags]"
    step = entry.step_index
    if step is not None:
        if step <= STEP_INDEX_MAX:
            envelope["stepIndex"] = step
        else:  # the wire knows no larger one: its true place stays readable
            fields.setdefault("stepIndex", step)
            shortened += 1
    if entry.correlation_id is not None and entry.correlation_id != entry.request_id:
        fields.setdefault("correlation_id", entry.correlation_id)
    envelope["timestamp"] = int(entry.timestamp * 1000)
    if advertised:
        envelope["id"] = entry.id
        envelope["logger"] = entry.logger
        envelope["isPii"] = entry.is_pii
    return {key: value for key, value in envelope.items() if value is not None}, fields, shortened


def _cut(text: str, limit: int, *, keep_end: bool = False) -> str:
    """Cut a masked text, and say how much is missing. It is masked once more on its way out."""
    marker = f"{CUT}[+{len(text) - limit} characters]"
    room = limit - len(marker)
    if room <= 0:
        return text[: limit - 1] + CUT
    marker = f"{CUT}[+{len(text) - room} characters]"
    room = limit - len(marker)
    head = room // 2 if keep_end else room
    return text[:head] + marker + (text[len(text) - (room - head) :] if keep_end else "")
