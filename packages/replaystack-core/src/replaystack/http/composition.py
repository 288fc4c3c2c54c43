"""From a finished recording to the fields of an event. Runs in the pump, not in the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..auth import detect_auth
from ..exchange import RawHeaders
from ..stacktrace import error_fields
from .head import header_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .recording import Recording
    from .tap import BodyTap

__all__ = ["STREAMING_MARKER", "compose"]

STREAMING_MARKER: Mapping[str, object] = {"captured": False, "reason": "Streaming response body not captured"}
"""The seed's marker, to the letter."""


def compose(recording: Recording) -> tuple[dict[str, object], dict[str, object]]:
    """Return the wire fields, raw, and what joins `metadata.replaystack`."""
    request, options, error = recording.request, recording.options, recording.error
    networks = options.proxy_networks
    answer = _body_headers(recording.response_headers or ())
    auth_mode, auth_scheme = detect_auth(request.by_name.items())
    fields: dict[str, Any] = {
        "traceId": recording.trace_id,
        "eventType": recording.event_type,
        "status": recording.status,
        "method": request.method,
        "endpoint": request.path,
        "requestUrl": request.url(networks),
        "authMode": auth_mode,
        "authScheme": auth_scheme,
        "requestHeaders": RawHeaders(_pairs(request.headers)) if options.capture_headers else None,
        "requestPayload": _body(recording.request_tap, request.by_name),
        "responseHeaders": _response_headers(recording),
        "responsePayload": _response_payload(recording, answer),
        "statusCode": recording.status_code,
        "executionTimeMs": recording.elapsed_ms,
        **(error_fields(error) if error is not None else {}),
        "breadcrumbs": [breadcrumb.to_dict() for breadcrumb in recording.breadcrumbs],
        "logs": recording.rendered_logs() or None,
        "sourceIp": request.client(networks),
        "userAgent": request.by_name.get("user-agent"),
    }
    own: dict[str, object] = {
        "route": recording.route,
        "user": recording.user,
        "session": recording.session,
        "flowId": recording.flow,
        "logsOmitted": recording.logs_omitted or None,
        "bodies": _bodies(recording, answer),
        "causes": [dict(cause) for cause in error.causes] if error is not None else [],
    }
    return {key: value for key, value in fields.items() if value is not None}, own


def _pairs(headers: Any) -> tuple[tuple[bytes, bytes], ...]:
    """Return header pairs as the exact types that masking takes; some servers use lists."""
    return tuple([(bytes(name), bytes(value)) for name, value in headers])


def _body_headers(headers: Any) -> dict[str, str]:
    """Return what an answer's head says about its body."""
    found = {}
    for name in (b"content-type", b"content-encoding"):
        value = header_value(headers, name)
        if value is not None:
            found[name.decode()] = value.decode("latin-1")
    return found


def _response_headers(recording: Recording) -> RawHeaders | None:
    if not recording.options.capture_headers or recording.response_headers is None:
        return None
    return RawHeaders(_pairs(recording.response_headers))


def _body(tap: BodyTap | None, headers: Mapping[str, str]) -> object:
    return None if tap is None else tap.body(headers.get("content-type"), headers.get("content-encoding"))


def _response_payload(recording: Recording, headers: Mapping[str, str]) -> object:
    if recording.response_payload is not None:
        return recording.response_payload
    if recording.response_tap is None:
        return None
    if recording.streamed and not recording.options.capture_streaming_body:
        return STREAMING_MARKER
    return _body(recording.response_tap, headers)


def _bodies(recording: Recording, answer: Mapping[str, str]) -> dict[str, Any]:
    """Return `metadata.replaystack.bodies`: what of each body was seen, and how it ended."""
    bodies: dict[str, Any] = {}
    tap, sent = recording.request_tap, recording.request.by_name
    if tap is not None:
        request = _measure(tap, sent)
        if not tap.complete and (tap.declared_bytes or "transfer-encoding" in sent):
            request["unread"] = True  # the application did not read it to its end
        if request:
            bodies["request"] = request
    tap = recording.response_tap
    if tap is not None:
        response = _measure(tap, answer)
        if recording.streamed:
            response["streamed"] = True
        if not tap.complete:
            response["incomplete"] = True
        if response:
            bodies["response"] = response
    if recording.disconnected:
        bodies["disconnected"] = True
    return bodies


def _measure(tap: BodyTap, headers: Mapping[str, str]) -> dict[str, Any]:
    total = max(tap.declared_bytes or 0, tap.seen_bytes)
    if not total:
        return {}
    measured: dict[str, Any] = {"capturedBytes": tap.held_bytes, "totalBytes": total}
    content_type = headers.get("content-type")
    if content_type:
        measured["contentType"] = content_type.partition(";")[0].strip().lower()
    return measured
