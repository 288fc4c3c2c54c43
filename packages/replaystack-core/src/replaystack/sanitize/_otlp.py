"""Log records as OpenTelemetry's OTLP has them in JSON: masked here, once more, on their way out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ._backend import mask_text, mask_value
from ._masked import Masked, seal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._policy import Policy

__all__ = ["otlp_document"]

_INT64: Final = 2**63


def otlp_document(
    records: Sequence[Mapping[str, Any]], resource: Mapping[str, str], scope_version: str, policy: Policy
) -> Masked:
    """Return an `ExportLogsServiceRequest` as JSON.

    A record has `scope` (the logger's name), `timeUnixNano` (int), `severityNumber`, `severityText`,
    `body` (text) and `attributes` (a dict of plain JSON values), and may have `traceId` (32 hex
    digits). Records of one scope stand together, in their order.
    """
    scopes: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        scopes.setdefault(record["scope"], []).append(_record(record, policy))
    document = {
        "resourceLogs": [
            {
                "resource": {"attributes": _attributes(resource, policy)},
                "scopeLogs": [
                    {
                        "scope": {"name": mask_text(name, policy), "version": scope_version},
                        "logRecords": found,
                    }
                    for name, found in scopes.items()
                ],
            }
        ]
    }
    return seal(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def _record(record: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    # 64-bit numbers are strings in the JSON form of Protocol Buffers.
    moment = str(int(record["timeUnixNano"]))
    shaped: dict[str, Any] = {
        "timeUnixNano": moment,
        "observedTimeUnixNano": moment,
        "severityNumber": int(record["severityNumber"]),
        "severityText": mask_text(record["severityText"], policy),
        "body": {"stringValue": mask_text(record["body"], policy)},
        "attributes": _attributes(record["attributes"], policy),
    }
    trace_id = record.get("traceId")
    if type(trace_id) is str and len(trace_id) == 32 and set(trace_id) <= set("0123456789abcdef"):
        shaped["traceId"] = trace_id  # in hex: the one place where OTLP's JSON is not that of its format
    return shaped


def _attributes(values: Mapping[str, Any], policy: Policy) -> list[dict[str, Any]]:
    masked = mask_value(dict(values), policy)
    if type(masked) is not dict:
        masked = {"value": masked}
    return [{"key": key, "value": _any_value(value)} for key, value in masked.items()]


def _any_value(value: Any) -> dict[str, Any]:
    """Return a plain JSON value as `AnyValue`; None is one without a value."""
    kind = type(value)
    if kind is str:
        return {"stringValue": value}
    if kind is bool:
        return {"boolValue": value}
    if kind is int:
        return {"intValue": str(value)} if -_INT64 <= value < _INT64 else {"stringValue": str(value)}
    if kind is float:
        return {"doubleValue": value}
    if kind is list:
        return {"arrayValue": {"values": [_any_value(item) for item in value]}}
    if kind is dict:
        pairs = [{"key": key, "value": _any_value(item)} for key, item in value.items()]
        return {"kvlistValue": {"values": pairs}}
    return {}
