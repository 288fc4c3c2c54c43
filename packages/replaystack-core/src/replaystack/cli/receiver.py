"""Whether the receiver answers, what it takes, and, if asked to, whether it takes an event."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..clock import iso_timestamp, new_id
from ..delivery import HttpTransport
from ..sanitize import Policy, encode_event
from ..version import __version__
from .findings import MASKED, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..delivery.transport import Answer
    from .configuration import Setting
    from .findings import Finding

__all__ = ["TEST_ENDPOINT", "check_receiver"]

_CAPABILITIES_PATH = "/api/v1/ingest/capabilities"
TEST_ENDPOINT = "/replaystack/doctor"
"""Of the test event: with `metadata.doctor` beside it, nobody takes it for a real one."""

_MESSAGE_MAX_CHARS = 200


def check_receiver(setting: Setting, *, send: bool) -> Iterator[Finding]:
    """Ask for capabilities, which stores nothing; with `send`, post one marked event."""
    if not setting.is_address_usable:
        # The default address is another machine than the one that was meant: no key goes there.
        yield problem("receiver", "not asked: its address is malformed, so clients capture nothing")
        return
    transport = HttpTransport()
    try:
        yield from _ask(transport, setting)
        if send and setting.has_key:
            yield _send(transport, setting)
    finally:
        transport.close()


def _headers(setting: Setting) -> dict[str, str]:
    key = setting.config.api_key
    keys = {"x-tracereplay-api-key": key, "x-replaystack-api-key": key} if setting.has_key else {}
    return {**keys, "x-replaystack-sdk": "python", "x-replaystack-sdk-version": __version__}


def _ask(transport: HttpTransport, setting: Setting) -> Iterator[Finding]:
    config = setting.config
    url = config.base_url
    started = time.monotonic()
    try:
        answer = transport.get(url + _CAPABILITIES_PATH, _headers(setting), config.timeout_seconds)
    except Exception as error:  # noqa: BLE001 - whatever a network raises; its text has no query and no key
        yield problem("receiver", f"{url} cannot be reached: {_named(error, setting)}", url=url)
        return
    elapsed_ms = round((time.monotonic() - started) * 1000)
    facts: dict[str, Any] = {"url": url, "http_status": answer.status, "elapsed_ms": elapsed_ms}
    if answer.status not in {200, 404, 405}:
        yield problem("receiver", f"{url} {_refusal(answer, setting)}", **facts)
        return
    yield ok("receiver", f"{url} answers in {elapsed_ms} ms", **facts)
    told = answer.headers.get("x-replaystack-capabilities", "") if answer.status == 200 else ""
    capabilities = sorted({word.strip().lower() for word in told.split(",") if word.strip()})
    if capabilities:
        yield ok("capabilities", ", ".join(capabilities), capabilities=capabilities)
    else:
        text = "none advertised: events go out one by one, uncompressed"
        yield ok("capabilities", text, capabilities=[])


def _send(transport: HttpTransport, setting: Setting) -> Finding:
    config = setting.config
    event_id = new_id()
    event: Mapping[str, object] = {
        "traceId": event_id,
        "eventType": "custom",
        "status": "success",
        "endpoint": TEST_ENDPOINT,
        "serviceName": config.service_name or "replaystack-doctor",
        "environment": config.environment,
        "metadata": {
            "doctor": "a test event of the command `replaystack doctor --send`",
            "replaystack": {"eventId": event_id, "timestamp": iso_timestamp(time.time())},
        },
    }
    headers = {**_headers(setting), "Content-Type": "application/json"}
    facts: dict[str, Any] = {"event_id": event_id, "url": config.ingest_url}
    try:
        masked = encode_event(event, Policy.build())
        answer = transport.post(config.ingest_url, masked, headers, config.timeout_seconds)
    except Exception as error:  # noqa: BLE001 - as above
        return problem("event", f"the test event could not be sent: {_named(error, setting)}", **facts)
    facts["http_status"] = answer.status
    if not 200 <= answer.status < 300:
        return problem(
            "event", f"the test event was not taken: the receiver {_refusal(answer, setting)}", **facts
        )
    return ok("event", f"a test event was taken (endpoint {TEST_ENDPOINT}, eventId {event_id})", **facts)


def _refusal(answer: Answer, setting: Setting) -> str:
    status = answer.status
    if 300 <= status < 400:
        return f"answers {status}, a redirect: those are never followed, so set the final address"
    document = answer.json()
    message = document.get("message") if isinstance(document, dict) else None
    said = f" ({_quoted(message, setting)})" if isinstance(message, str) and message else ""
    if status in {401, 403}:
        return f"refuses the key: it answers {status}{said}"
    return f"answers {status}{said}"


def _named(error: Exception, setting: Setting) -> str:
    return f"{type(error).__name__}: {_quoted(str(error), setting)}"


def _quoted(text: str, setting: Setting) -> str:
    """Return what others said, without the key that they were given, and then cut: no half of it either."""
    if setting.has_key:
        text = text.replace(setting.config.api_key, MASKED)
    return text[:_MESSAGE_MAX_CHARS]
