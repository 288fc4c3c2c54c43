"""The ingest roads of WIRE.md sections 2 and 3: logs in six formats, and flows."""

import asyncio
import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from replaystack.logs.formats import FORMAT_CONTENT_TYPES, FORMATS

from ..answers import Refusal, plain
from ..service import Service, service_of
from .body import read_body
from .logs import LogRequest, read_flow_name, read_logs
from .routes import KEY_HEADERS

__all__ = ["router"]

router: APIRouter = APIRouter(prefix="/v1", tags=["logs"])

_FLOW_BYTES: Final = 16 * 1024
_FLOW_CHARACTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "`error`, and `issues` with paths or line numbers; nothing was stored"},
    401: {"description": "no valid ingest key"},
    413: {"description": "too large"},
    503: {"description": "cannot store now; try again after `Retry-After` seconds"},
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string"}} for kind in FORMAT_CONTENT_TYPES.values()},
    },
    "security": [{"ingestKey": []}, {"ingestKeyOriginal": []}],
}
_Text = Annotated[str | None, Query(description="fills a gap, replaces nothing")]


@router.post("/logs", responses=_ANSWERS, openapi_extra=_BODY)
async def receive_logs(
    request: Request,
    *,
    format: Annotated[str | None, Query(description=f"one of {', '.join(FORMATS)}")] = None,
    source: _Text = None,
    environment: _Text = None,
    level: _Text = None,
    dataset: _Text = None,
) -> Response:
    """Store 1 to 100 logs, or none of them. A log whose `id` is known is not stored again."""
    service = _admitted(request)
    asked = {
        "format": format,
        "source": source,
        "environment": environment,
        "level": level,
        "dataset": dataset,
    }
    beside = LogRequest(
        {name: text for name, text in asked.items() if text is not None},
        request.headers.get("content-type"),
        request.headers.get("x-replaystack-batch"),
    )
    settings = service.settings
    async with service.bodies:
        raw = await read_body(request, settings.max_body_bytes, settings.body_timeout_seconds)
        loop = asyncio.get_running_loop()
        now = service.now_ms()
        records = await loop.run_in_executor(service.masking, read_logs, raw, beside, now)
    receipts = await asyncio.wrap_future(service.store.logs.add(records))
    return plain({"success": True, "count": len(receipts), "timestamp": now})


@router.post("/flows", responses=_ANSWERS)
async def name_flow(request: Request) -> Response:
    """Give out the id of a new flow. It exists once its first log arrives."""
    service = _admitted(request)
    raw = await read_body(request, _FLOW_BYTES, service.settings.body_timeout_seconds)
    name = read_flow_name(raw)
    suffix = "".join(secrets.choice(_FLOW_CHARACTERS) for _ in range(8))
    return plain({"flowId": f"{name}-{suffix}", "name": name})


def _admitted(request: Request) -> Service:
    """Return the service to a sender with a valid key, in any of four headers; before the body is read."""
    service = service_of(request)
    headers = request.headers
    presented = [key for name in (*KEY_HEADERS, "x-api-key") if (key := headers.get(name))]
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        presented.append(token.strip())
    if not presented:
        raise Refusal(401, "Missing API key")
    if not service.keys.admit(presented):
        raise Refusal(401, "Invalid API key")
    return service
