"""One function per SDK that takes an event and returns the bytes which would leave the process.

Every SDK gets the same event in the most favourable way that its documentation offers, with its default rules:

- replaystack: `encode_event`, whose bytes are what the sender writes; an exception goes through the client.
- replaystack client: everything through `ReplayStackClient` with a transport that keeps what it is given.
- sentry-sdk: the scrubber set to recursive, no default PII, no local variables; the request body, form and
  headers through the extraction and the header filter of its own web integrations, everything else as `extra`
  and breadcrumbs (both are scrubbed; contexts are not). A body that its integrations do not parse is not sent
  by them, so it cannot leak. It does not capture response bodies by itself: the application hands one over.
- logfire: attributes of a log, bodies parsed where they are JSON or forms; no attribute is given one of the names
  that its scrubber skips (`http.url`, `exception.message`), except that exceptions are recorded its own way.
- structlog: its processors for JSON and exceptions. It masks nothing by itself and says so; it stands here
  for what plain structured logging lets through.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from replaystack.client import ReplayStackClient
from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import Policy, encode_event
from replaystack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.leak_cases import Event

__all__ = ["PEERS", "Adapter", "mask_all", "mask_nothing", "ours", "ours_through_client"]


@dataclass(frozen=True, slots=True)
class Adapter:
    """An SDK, ready to encode events."""

    name: str
    version: str
    encode: Callable[[Event], bytes]


class _Keeper:
    """A transport that keeps the last event, as JSON."""

    status_code = 200

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def post(self, url: str, json: object, headers: dict[str, str], timeout: float) -> _Keeper:  # noqa: A002 - the seed's names
        del url, headers, timeout
        self.sent.append(_dumps(json))
        return self

    def json(self) -> dict[str, object]:
        return {"success": True}


def _dumps(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


# --- ours -----------------------------------------------------------------------------------------


def ours() -> Adapter:
    """Return this SDK: the encoder that every event passes through."""
    policy = Policy.build()
    through_client = ours_through_client().encode

    def encode(event: Event) -> bytes:
        return through_client(event) if "exception" in event else encode_event(event, policy).data

    return Adapter("replaystack", __version__, encode)


def ours_through_client() -> Adapter:
    """Return this SDK as an application uses it: the public client, with a transport of the user's."""

    def encode(event: Event) -> bytes:
        keeper = _Keeper()
        fields = dict(event)
        error = fields.pop("exception", None)
        client = ReplayStackClient(
            api_key="key-of-the-scorecard", transport=keeper, async_send=False, raise_on_error=True
        )
        with client:
            if error is None:
                client.capture_event(**fields)
            else:
                client.capture_exception(error, **fields)
        if len(keeper.sent) != 1:
            raise AssertionError(f"expected one event: got {len(keeper.sent)}")
        return keeper.sent[0]

    return Adapter("replaystack client", __version__, encode)


# --- the two ends of the scale --------------------------------------------------------------------


def mask_nothing(event: Event) -> bytes:
    """Encode everything as it is: what a scorer must find fault with in every leak case."""
    return _dumps(_shown(event))


def mask_all(event: Event) -> bytes:
    """Mask everything: what a scorer must find fault with in every safe case."""
    return _dumps(dict.fromkeys(event, "[MASKED]"))


def _shown(value: Any) -> Any:
    """Return a tree that `json.dumps` takes, with everything that can be read in `value`."""
    if isinstance(value, RawBody):
        return value.data.decode("latin-1")
    if isinstance(value, RawHeaders):
        return [[name.decode("latin-1"), text.decode("latin-1")] for name, text in value.items]
    if isinstance(value, dict):
        return {str(_shown(key)): repr(item) if item is value else _shown(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_shown(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    if isinstance(value, BaseException):
        return "".join(traceback.format_exception(type(value), value, value.__traceback__))
    return value if isinstance(value, (str, int, float, type(None))) else repr(value)


# --- peers ----------------------------------------------------------------------------------------


def _headers_of(value: Any) -> Any:
    if isinstance(value, RawHeaders):
        value = [(name.decode("latin-1"), text.decode("latin-1")) for name, text in value.items]
    if isinstance(value, list):
        folded: dict[str, Any] = {}
        for name, text in value:
            folded[name] = f"{folded[name]}, {text}" if name in folded else text
        return folded
    return value


def _body_of(value: Any) -> Any:
    """Return a raw body as an application would hand it over: parsed if it is JSON or a form, else as text."""
    if not isinstance(value, RawBody):
        return value
    kind = (value.content_type or "").split(";")[0]
    text = value.data.decode("utf-8", "replace")
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if kind == "application/x-www-form-urlencoded":
        return {name: texts[0] if len(texts) == 1 else texts for name, texts in parse_qs(text).items()} or text
    return text


def sentry() -> Adapter:
    """Return sentry-sdk. Raises ImportError if it is not installed."""
    import sentry_sdk  # noqa: PLC0415 - an optional peer
    from sentry_sdk.integrations._wsgi_common import RequestExtractor, _filter_headers  # noqa: PLC0415, PLC2701 - same
    from sentry_sdk.scrubber import EventScrubber  # noqa: PLC0415 - same
    from sentry_sdk.transport import Transport  # noqa: PLC0415 - same

    sent: list[bytes] = []

    class Keeper(Transport):  # type: ignore[misc,unused-ignore]  # untyped where the peer is absent
        def capture_envelope(self, envelope: Any) -> None:
            buffer = io.BytesIO()
            envelope.serialize_into(buffer)
            sent.append(buffer.getvalue())

    class Extractor(RequestExtractor):  # type: ignore[misc,unused-ignore]  # same
        def env(self) -> dict[str, Any]:
            return {"CONTENT_LENGTH": len(self.request.data), "CONTENT_TYPE": self.request.content_type or ""}

        def cookies(self) -> dict[str, str]:
            return {}

        def raw_data(self) -> bytes:
            return bytes(self.request.data)

        def form(self) -> dict[str, Any] | None:
            if not (self.request.content_type or "").startswith("application/x-www-form-urlencoded"):
                return None
            found = _body_of(self.request)
            return found if isinstance(found, dict) else None

        def files(self) -> None:
            return None

    sentry_sdk.init(
        dsn="https://public@127.0.0.1/1",
        transport=Keeper,
        event_scrubber=EventScrubber(recursive=True),
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="always",
        auto_enabling_integrations=False,
        default_integrations=False,
    )

    def encode(event: Event) -> bytes:
        fields = dict(event)
        sent.clear()

        def add_request(made: Any, _hint: Any) -> Any:
            request = fields.get("requestPayload")
            if isinstance(request, RawBody):
                Extractor(request).extract_into_event(made)
            elif request is not None:
                made.setdefault("request", {})["data"] = request
            if "requestHeaders" in fields:
                made.setdefault("request", {})["headers"] = dict(_filter_headers(_headers_of(fields["requestHeaders"])))
            if "requestUrl" in fields:
                parts = urlsplit(fields["requestUrl"])
                address = parts._replace(query="", fragment="").geturl()
                made.setdefault("request", {}).update(url=address, query_string=parts.query)
            return made

        with sentry_sdk.new_scope() as scope:
            scope.add_event_processor(add_request)
            for entry in [*fields.get("breadcrumbs", ()), *fields.get("logs", ())]:
                data = {key: item for key, item in entry.items() if key not in ("message", "category", "level")}
                data.update(data.pop("metadata", {}))
                scope.add_breadcrumb(message=entry["message"], category=entry.get("category"), data=data)
            handled = {"requestPayload", "requestHeaders", "requestUrl", "breadcrumbs", "logs", "exception"}
            for key in fields.keys() - handled - {"errorMessage"}:
                value = _headers_of(fields[key]) if key == "responseHeaders" else _body_of(fields[key])
                scope.set_extra(key, value)
            if "exception" in fields:
                sentry_sdk.capture_exception(fields["exception"])
            else:
                sentry_sdk.capture_message(fields.get("errorMessage", "captured"))
        return b"\n".join(sent)

    return Adapter("sentry-sdk", importlib.metadata.version("sentry-sdk"), encode)


def logfire() -> Adapter:
    """Return logfire. Raises ImportError if it is not installed."""
    import logfire as sdk  # noqa: PLC0415 - an optional peer
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult  # noqa: PLC0415

    sent: list[bytes] = []

    class Keeper(SpanExporter):  # type: ignore[misc,unused-ignore]  # untyped where the peer is absent
        def export(self, spans: Any) -> Any:
            sent.extend(span.to_json(indent=None).encode("utf-8", "replace") for span in spans)
            return SpanExportResult.SUCCESS

    sdk.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        inspect_arguments=False,
        additional_span_processors=[SimpleSpanProcessor(Keeper())],
    )

    def encode(event: Event) -> bytes:
        sent.clear()
        fields = dict(event)
        error = fields.pop("exception", None)
        for entry in [*fields.pop("breadcrumbs", ()), *fields.pop("logs", ())]:
            extra = {key: item for key, item in entry.items() if key not in ("message", "metadata")}
            extra.update(entry.get("metadata", {}))
            sdk.log("info", "{text}", attributes={"text": entry["message"], **extra})
        attributes = {
            key: _headers_of(value) if key.endswith("Headers") else _body_of(value) for key, value in fields.items()
        }
        sdk.log("error", "captured", attributes=attributes, exc_info=error)
        return b"\n".join(sent)

    return Adapter("logfire", importlib.metadata.version("logfire"), encode)


def structlog() -> Adapter:
    """Return structlog. Raises ImportError if it is not installed."""
    import structlog as sdk  # noqa: PLC0415 - an optional peer

    logger = sdk.wrap_logger(
        sdk.ReturnLogger(),
        processors=[sdk.processors.add_log_level, sdk.processors.format_exc_info, sdk.processors.JSONRenderer()],
    )

    def encode(event: Event) -> bytes:
        fields = {
            key: _headers_of(value) if key.endswith("Headers") else _body_of(value) for key, value in event.items()
        }
        if "exception" in fields:
            fields["exc_info"] = fields.pop("exception")
        return str(logger.info("captured", **fields)).encode("utf-8", "replace")

    return Adapter("structlog", importlib.metadata.version("structlog"), encode)


PEERS: Final[dict[str, Callable[[], Adapter]]] = {
    "sentry-sdk": sentry,
    "logfire": logfire,
    "structlog": structlog,
}
