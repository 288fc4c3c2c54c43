"""The ingest roads of WIRE.md section 1."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from fastapi import APIRouter, Request, Response

from ..answers import Refusal, success
from ..service import Service, service_of
from .body import read_body
from .capabilities import CAPABILITIES, INGEST_PREFIX
from .drops import stream_report
from .intake import read_batch, read_event
from .schema import Event

__all__ = ["router"]

T = TypeVar("T")

KEY_HEADERS: Final = ("x-replaystack-api-key", "x-tracereplay-api-key")

router: APIRouter = APIRouter(prefix=INGEST_PREFIX, tags=["ingest"])

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "not JSON, or no object"},
    401: {"description": "no valid ingest key"},
    413: {"description": "too large"},
    422: {"description": "a key has the wrong type; the message names its path"},
    503: {"description": "cannot store now; try again after `Retry-After` seconds"},
}
_EVENT_SCHEMA: Final = Event.model_json_schema(by_alias=True, ref_template="#/components/schemas/{model}")
_PARTS: Final = _EVENT_SCHEMA.pop("$defs")
SCHEMAS: Final[dict[str, Any]] = {"Event": _EVENT_SCHEMA, **_PARTS}
"""For the components of the OpenAPI document."""

_EVENT_REF: Final = {"$ref": "#/components/schemas/Event"}
_BATCH: Final = {
    "type": "object",
    "required": ["events"],
    "properties": {"events": {"type": "array", "items": _EVENT_REF, "minItems": 1, "maxItems": 100}},
}


def _accepts(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "security": [{"ingestKey": []}, {"ingestKeyOriginal": []}],
    }


@router.post("/events", status_code=201, responses=_ANSWERS, openapi_extra=_accepts(_EVENT_REF))
async def receive_event(request: Request) -> Response:
    """Store one event. A repeat of its `metadata.replaystack.eventId` is answered 200 and kept out."""
    service = _admitted(request)
    event = await _read(request, service, service.settings.max_body_bytes, read_event)
    report = stream_report(request, service.now_ms())
    (receipt,) = await asyncio.wrap_future(service.store.add([event], report))
    message, status = ("Event stored", 201) if receipt.is_new else ("Event was already stored", 200)
    return success({"eventId": receipt.event_id}, message, status)


@router.post("/bulk-events", responses=_ANSWERS, openapi_extra=_accepts(_BATCH))
async def receive_batch(request: Request) -> Response:
    """Store up to 100 events. `rejected` lists those that cannot be stored; the others are."""
    service = _admitted(request)
    most = service.settings.max_bulk_events
    batch = await _read(
        request, service, service.settings.max_bulk_bytes, lambda raw, now: read_batch(raw, now, most)
    )
    report = stream_report(request, service.now_ms())
    receipts = await asyncio.wrap_future(service.store.add(batch.events, report))
    return success({"accepted": len(receipts), "rejected": batch.rejected})


@router.get("/capabilities")
async def tell_capabilities(request: Request) -> Response:
    """Tell what this receiver takes beyond single events; the header of every answer says the same."""
    settings = service_of(request).settings
    limits = {
        "bodyBytes": settings.max_body_bytes,
        "bulkBytes": settings.max_bulk_bytes,
        "bulkEvents": settings.max_bulk_events,
    }
    return success({"capabilities": CAPABILITIES, "limits": limits})


def _admitted(request: Request) -> Service:
    """Return the service to a sender with a valid key; before any of the body is read."""
    service = service_of(request)
    presented = [key for name in KEY_HEADERS if (key := request.headers.get(name))]
    if not presented:
        raise Refusal(401, f"an ingest key is required in {KEY_HEADERS[0]} or {KEY_HEADERS[1]}")
    if not service.keys.admit(presented):
        raise Refusal(401, "the ingest key is not valid")
    return service


async def _read(request: Request, service: Service, most_bytes: int, prepare: Callable[[bytes, int], T]) -> T:
    """Read the body and prepare it in a thread: masking a large event would hold up the loop."""
    async with service.bodies:
        raw = await read_body(request, most_bytes, service.settings.body_timeout_seconds)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(service.masking, prepare, raw, service.now_ms())
