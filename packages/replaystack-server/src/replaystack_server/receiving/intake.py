"""From posted bytes to events that may be stored: parse, check, mask, describe."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from replaystack.sanitize import RECEIVER_POLICY, Limits, encode_event
from replaystack.wire import RESERVED_METADATA_KEY

from ..answers import Refusal
from ..moments import parse_ms
from ..store import IncomingEvent, attached_logs
from ..store.search import ENDPOINT_BYTES, ERROR_BYTES, MESSAGE_BYTES, TAGS_BYTES, clip
from .schema import SchemaError, check_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Batch", "describe", "read_batch", "read_event"]

_LIMITS: Final = Limits(max_payload_bytes=1024 * 1024)
"""The most that a client may choose: our second pass never cuts what a first one let through."""

_AROUND_LOGS: Final = frozenset({"logs", "serviceName", "environment", "appVersion", "traceId", "metadata"})
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Batch:
    """What can be stored of a batch, and what cannot."""

    events: tuple[IncomingEvent, ...]
    rejected: tuple[dict[str, Any], ...]
    """`{"index": ..., "message": ...}` each."""


def read_event(raw: bytes, received_ms: int) -> IncomingEvent:
    """Return the one event in `raw`. CPU-bound: milliseconds for a large one.

    Raises:
        Refusal: 400 for what is no JSON object, 422 for a key of the wrong type.

    """
    document = _parse(raw)
    if not isinstance(document, dict):
        raise Refusal(400, "body: expected one event as a JSON object")
    try:
        return _incoming(check_event(document), received_ms)
    except SchemaError as error:
        raise Refusal(422, str(error)) from None


def read_batch(raw: bytes, received_ms: int, most_events: int) -> Batch:
    """Return the events in `raw`; a bad one is listed and does not take its neighbours along.

    Raises:
        Refusal: 400 for what is no JSON object, 422 if `events` is no list of 1 to `most_events`.

    """
    document = _parse(raw)
    if not isinstance(document, dict):
        raise Refusal(400, 'body: expected a JSON object {"events": [...]}')
    events = document.get("events")
    if not isinstance(events, list) or not events:
        raise Refusal(422, "events: expected a list of at least one event")
    if len(events) > most_events:
        raise Refusal(422, f"events: expected at most {most_events} events, got {len(events)}")
    accepted: list[IncomingEvent] = []
    rejected: list[dict[str, Any]] = []
    for index, event in enumerate(events):
        try:
            accepted.append(_incoming(check_event(event, f"events[{index}]"), received_ms))
        except SchemaError as error:
            rejected.append({"index": index, "message": str(error)})
    return Batch(tuple(accepted), tuple(rejected))


def describe(document: bytes, event_id: str, received_ms: int) -> IncomingEvent:
    """Return what is stored of a masked event.

    Args:
        document: one masked event, JSON; every column is read from it and from nothing else.
        event_id: a UUID.
        received_ms: milliseconds since the epoch.

    """
    event = json.loads(document)
    reserved = _reserved(event)
    occurred_ms = parse_ms(str(reserved.get("timestamp", "")))
    return IncomingEvent(
        event_id=event_id,
        # A clock that runs ahead must not pin its events to the top of the list.
        occurred_ms=min(received_ms, max(0, received_ms if occurred_ms is None else occurred_ms)),
        received_ms=received_ms,
        # Both are absent only where masking failed as a whole and left nothing of the event.
        event_type=event.get("eventType", "custom"),
        status=event.get("status", "failed"),
        method=_short(event.get("method")),
        endpoint=_short(event.get("endpoint"), ENDPOINT_BYTES),
        route=_short(reserved.get("route"), ENDPOINT_BYTES),
        status_code=_number(event.get("statusCode")),
        execution_time_ms=_number(event.get("executionTimeMs")),
        error=_short(event.get("errorName"), ERROR_BYTES),
        message=_short(event.get("errorMessage"), MESSAGE_BYTES),
        tags=clip(" ".join(_tags(event, reserved)), TAGS_BYTES),
        service=_short(event.get("serviceName")),
        environment=_short(event.get("environment")),
        trace_id=_short(event.get("traceId")),
        process=_short(reserved.get("process")),
        sequence=_number(reserved.get("sequence")),
        document=document,
    )


def _parse(raw: bytes) -> Any:
    # The standard parser and not orjson, which turns integers above 64 bits into floats:
    # an event is kept as it was sent.
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except RecursionError:
        raise Refusal(400, "body: nested too deeply") from None
    except UnicodeDecodeError as error:
        raise Refusal(400, f"body: not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise Refusal(400, f"body: not JSON at {where}: {error.msg}") from None
    except ValueError:  # an integer of more digits than Python converts
        raise Refusal(400, "body: a number is too long") from None


def _no_constant(name: str) -> NoReturn:
    raise Refusal(400, f"body: {name} is not JSON")


def _incoming(event: Mapping[str, Any], received_ms: int) -> IncomingEvent:
    # Taken before masking, so that no value rule can make two events one; checked to be a UUID.
    event_id = str(_reserved(event).get("eventId") or uuid.uuid4()).lower()
    logs = event.get("logs")
    rest = {key: value for key, value in event.items() if key != "logs"}
    incoming = describe(encode_event(rest, RECEIVER_POLICY, _LIMITS).data, event_id, received_ms)
    if not logs:
        return incoming
    # Apart from the event, so that its document stays byte for byte what masking made of it. The
    # metadata is there for what the entries take over: whose request it was.
    around = {key: value for key, value in event.items() if key in _AROUND_LOGS}
    masked = json.loads(encode_event(around, RECEIVER_POLICY, _LIMITS).data)
    records = attached_logs(masked, event_id, incoming.occurred_ms, received_ms)
    return replace(incoming, logs=tuple(records))


def _reserved(event: Mapping[str, Any]) -> dict[str, Any]:
    metadata = event.get("metadata")
    reserved = metadata.get(RESERVED_METADATA_KEY) if isinstance(metadata, dict) else None
    return {k: v for k, v in reserved.items() if v is not None} if isinstance(reserved, dict) else {}


def _short(value: object, most_bytes: int = 200) -> str | None:
    """Return a text for a column; the document keeps the whole."""
    return clip(value, most_bytes) if isinstance(value, str) else None


def _number(value: object) -> int | None:
    """Return a whole number for a column; masking may have made a text of one that looks like a card."""
    return round(value) if isinstance(value, int | float) else None


def _tags(event: Mapping[str, Any], reserved: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a search should find an event by, the most telling first: the end may be cut."""
    for key in ("traceId", "serviceName", "environment"):
        if isinstance(event.get(key), str):
            yield event[key]
    # `PaymentError` is one word to the index; so that `Error` or `payment error` find it as well:
    name = event.get("errorName")
    if isinstance(name, str) and _HUMP.search(name):
        yield _HUMP.sub(" ", name)
    for key in ("route", "user", "session", "flowId", "parentTraceId"):
        if isinstance(reserved.get(key), str):
            yield reserved[key]
    metadata = event.get("metadata")
    if isinstance(metadata, dict):
        tags = metadata.get("tags")
        yield from (tag for tag in (tags if isinstance(tags, list) else [tags]) if isinstance(tag, str))
        for key, value in metadata.items():
            if key not in {"tags", RESERVED_METADATA_KEY} and isinstance(value, str | int):
                yield f"{key} {value}"
