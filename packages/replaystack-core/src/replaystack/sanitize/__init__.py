"""What may leave the process: masking, limits, encoding. The only maker of `Masked` bytes."""

from __future__ import annotations

from typing import Any

from ._documents import bulk_document, without_bodies
from ._event import encode_event
from ._explain import Finding, explain
from ._limits import Limits
from ._marks import MASKED, dropped, truncated
from ._masked import Masked
from ._policy import RECEIVER_POLICY, RULES_VERSION, VALUE_CLASSES, Policy
from ._rules import Rules
from ._walk import Walker

__all__ = [
    "RECEIVER_POLICY",
    "RULES_VERSION",
    "VALUE_CLASSES",
    "Finding",
    "Limits",
    "Masked",
    "Policy",
    "bulk_document",
    "encode_event",
    "explain",
    "mask_text",
    "mask_url",
    "mask_value",
    "without_bodies",
]


_VALUE_BYTES = 4 * 524_288  # as far as a payload over its limit is looked at: what goes on may have no end


def mask_value(value: object, policy: Policy) -> Any:
    """Return `value` as plain JSON values of its own, masked by key and by value.

    What would take more than 2 MiB becomes `{"__truncated": True, ...}`.
    Accepts anything, runs no code of its classes and never raises: what cannot be masked becomes
    `{"__unmasked_dropped": True}`.
    """
    try:
        walker = Walker(policy, _VALUE_BYTES)
        masked = walker.walk(value)
        return truncated(_VALUE_BYTES, _VALUE_BYTES, None, lower_bound=True) if walker.full else masked
    except Exception:  # noqa: BLE001 - fail closed: never the raw value
        return dropped()


def mask_text(text: str, policy: Policy) -> str:
    """Return `text` under the value rules. Never raises; linear in the length of the text."""
    try:
        return Rules(policy).text(text)
    except Exception:  # noqa: BLE001 - fail closed: never the raw text
        return MASKED


def mask_url(url: str, policy: Policy) -> str:
    """Return one URL, absolute or relative, without secrets; the rest of it byte for byte."""
    try:
        return Rules(policy).url(url)
    except Exception:  # noqa: BLE001 - fail closed: never the raw URL
        return MASKED
