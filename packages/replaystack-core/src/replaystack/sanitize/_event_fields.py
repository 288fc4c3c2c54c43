"""What each field of an event is to the encoder: which rules it gets, and how long it may be."""

from __future__ import annotations

from typing import Final

from ._limits import ERROR_MESSAGE_BYTES, STACK_TRACE_BYTES, TEXT_BYTES

__all__ = [
    "ENTRY_FIELDS",
    "ENTRY_TEXTS",
    "HEADERS",
    "KNOWN",
    "LISTS",
    "NUMBERS",
    "PAYLOADS",
    "TEXTS",
    "is_evidence",
]

HEADERS: Final = frozenset({"requestHeaders", "responseHeaders"})
PAYLOADS: Final = frozenset({"requestPayload", "responsePayload"})
LISTS: Final = frozenset({"breadcrumbs", "logs", "stackFrames"})

# Never matched by key (MASKING.md section 1); each with its limit in bytes.
TEXTS: Final = {
    **dict.fromkeys(
        """traceId eventType status method endpoint authMode authScheme errorName serviceName environment
        appVersion commitHash sourceIp userAgent sessionId userId requestId flowId""".split(),  # noqa: SIM905 - reads as the contract's list does
        TEXT_BYTES,
    ),
    "errorMessage": ERROR_MESSAGE_BYTES,
    "stackTrace": STACK_TRACE_BYTES,
}
NUMBERS: Final = frozenset({"statusCode", "executionTimeMs"})

# The fields of an entry of a list that are never matched by key.
ENTRY_TEXTS: Final = frozenset(
    """message category level timestamp functionName fileName lineNumber columnNumber raw content logger
    is_pii isPii source environment version errorName errorStack stepIndex dataset tags ipAddress country
    userId sessionId requestId flowId traceId id""".split()  # noqa: SIM905 - same
)

KNOWN: Final = HEADERS | PAYLOADS | LISTS | NUMBERS | TEXTS.keys() | {"requestUrl"}

ENTRY_FIELDS: Final = frozenset({"metadata", "data", "fields"})

_EVIDENCE_KEYS: Final = frozenset({"policy", "rules", "masked", "dropped"})
_COUNT_MAX: Final = 1 << 53  # beyond it JavaScript counts no more


def is_evidence(value: object) -> bool:
    """Tell whether `value` is what the encoder wrote into an event earlier."""
    if type(value) is not dict or not {"policy", "rules", "masked"} <= value.keys() <= _EVIDENCE_KEYS:
        return False
    counts = [item for key, item in value.items() if key != "policy"]
    return type(value["policy"]) is str and all(
        type(item) is int and 0 <= item < _COUNT_MAX for item in counts
    )
