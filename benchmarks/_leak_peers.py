"""The peers of the scorecard, as functions that take an event and return the bytes which would leave.

Each gets the event in the most favourable way that its documentation offers, with its default rules:

- sentry-sdk: the scrubber set to recursive, no default PII, no local variables; the request body, form and
  headers through the extraction and the header filter of its own web integrations, everything else as `extra`
  and breadcrumbs (both are scrubbed; contexts are not). A body that its integrations do not parse is not sent
  by them, so it cannot leak. It captures no answers by itself: the application hands them over as `extra`.
- logfire: attributes of a log, bodies parsed where they are JSON or forms. No attribute is given one of the
  names that its scrubber skips (`http.url`, `exception.message`); exceptions are recorded its own way.
- structlog: its processors for JSON and exceptions. It masks nothing by itself and does not claim to; it
  stands here for what plain structured logging lets through.

All of them are optional, and imported when they are built.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import io
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from benchmarks._leak_adapters import Adapter

from replaystack.exchange import RawBody, RawHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.leak_cases import Event

__all__ = ["PEERS"]


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
    """Return a raw body as an application hands it over: parsed if it is JSON or a form, else as text."""
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
        return {
            name: texts[0] if len(texts) == 1 else texts for name, texts in parse_qs(text).items()
        } or text
    return text


_BREADCRUMB_FIELDS: Final = frozenset({"message", "category", "level"})
_SENTRY_FIELDS: Final = frozenset(
    {"requestPayload", "requestHeaders", "requestUrl", "breadcrumbs", "logs", "exception", "errorMessage"}
)


def sentry() -> Adapter:
    """Return sentry-sdk. Raises ImportError if it is not installed."""
    sdk: Any = importlib.import_module("sentry_sdk")
    web: Any = importlib.import_module("sentry_sdk.integrations._wsgi_common")
    scrubber: Any = importlib.import_module("sentry_sdk.scrubber")
    transport: Any = importlib.import_module("sentry_sdk.transport")
    sent: list[bytes] = []

    class Keeper(transport.Transport):  # type: ignore[misc]  # the peers are optional: untyped here
        def capture_envelope(self, envelope: Any) -> None:
            buffer = io.BytesIO()
            envelope.serialize_into(buffer)
            sent.append(buffer.getvalue())

    class Extractor(web.RequestExtractor):  # type: ignore[misc]  # the peers are optional: untyped here
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

    sdk.init(
        dsn="https://public@127.0.0.1/1",
        transport=Keeper,
        event_scrubber=scrubber.EventScrubber(recursive=True),
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="always",
        auto_enabling_integrations=False,
        default_integrations=False,
    )

    def encode(event: Event) -> bytes:
        sent.clear()
        with sdk.new_scope() as scope:
            scope.add_event_processor(lambda made, _hint: _sentry_request(made, event, Extractor, web))
            for entry in [*event.get("breadcrumbs", ()), *event.get("logs", ())]:
                scope.add_breadcrumb(**_sentry_breadcrumb(entry))
            for key in event.keys() - _SENTRY_FIELDS:
                as_body = _body_of if key != "responseHeaders" else _headers_of
                scope.set_extra(key, as_body(event[key]))
            if "exception" in event:
                sdk.capture_exception(event["exception"])
            else:
                sdk.capture_message(event.get("errorMessage", "captured"))
        return b"\n".join(sent)

    return Adapter("sentry-sdk", importlib.metadata.version("sentry-sdk"), encode)


def _sentry_breadcrumb(entry: dict[str, Any]) -> dict[str, Any]:
    data = {key: item for key, item in entry.items() if key not in _BREADCRUMB_FIELDS}
    data.update(data.pop("metadata", {}))
    return {"message": entry["message"], "category": entry.get("category"), "data": data}


def _sentry_request(made: dict[str, Any], fields: Event, extractor: Any, web: Any) -> dict[str, Any]:
    """Add the request as the web integrations of sentry-sdk do."""
    body = fields.get("requestPayload")
    if isinstance(body, RawBody):
        extractor(body).extract_into_event(made)
    elif body is not None:
        made.setdefault("request", {})["data"] = body
    if "requestHeaders" in fields:
        filtered = web._filter_headers(_headers_of(fields["requestHeaders"]))  # noqa: SLF001 - theirs
        made.setdefault("request", {})["headers"] = dict(filtered)
    if "requestUrl" in fields:  # a fragment never reaches a server, so it is not in there
        parts = urlsplit(fields["requestUrl"])
        address = parts._replace(query="", fragment="").geturl()
        made.setdefault("request", {}).update(url=address, query_string=parts.query)
    return made


def logfire() -> Adapter:
    """Return logfire. Raises ImportError if it is not installed."""
    sdk: Any = importlib.import_module("logfire")
    export: Any = importlib.import_module("opentelemetry.sdk.trace.export")
    sent: list[bytes] = []

    class Keeper(export.SpanExporter):  # type: ignore[misc]  # the peers are optional: untyped here
        def export(self, spans: Any) -> Any:
            sent.extend(span.to_json(indent=None).encode("utf-8", "replace") for span in spans)
            return export.SpanExportResult.SUCCESS

    sdk.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        inspect_arguments=False,
        additional_span_processors=[export.SimpleSpanProcessor(Keeper())],
    )

    def encode(event: Event) -> bytes:
        sent.clear()
        fields = dict(event)
        error = fields.pop("exception", None)
        for entry in [*fields.pop("breadcrumbs", ()), *fields.pop("logs", ())]:
            extra = {key: item for key, item in entry.items() if key != "metadata"}
            extra.update(entry.get("metadata", {}))
            sdk.log("info", "{message}", attributes=extra)
        attributes = {
            key: _headers_of(value) if key.endswith("Headers") else _body_of(value)
            for key, value in fields.items()
        }
        sdk.log("error", "captured", attributes=attributes, exc_info=error)
        return b"\n".join(sent)

    return Adapter("logfire", importlib.metadata.version("logfire"), encode)


def structlog() -> Adapter:
    """Return structlog. Raises ImportError if it is not installed."""
    sdk: Any = importlib.import_module("structlog")

    logger = sdk.wrap_logger(
        sdk.ReturnLogger(),
        processors=[
            sdk.processors.add_log_level,
            sdk.processors.format_exc_info,
            sdk.processors.JSONRenderer(),
        ],
    )

    def encode(event: Event) -> bytes:
        fields = {
            key: _headers_of(value) if key.endswith("Headers") else _body_of(value)
            for key, value in event.items()
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
