"""Masked bytes that were outside of this process and come back: masked again, or proved to be the same."""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING, Final

from ._backend import encode_event
from ._json import loads
from ._limits import Limits
from ._log_entries import encode_log_entry
from ._masked import seal

if TYPE_CHECKING:
    from ._masked import Masked
    from ._policy import Policy

__all__ = ["PROOF_BYTES", "prove", "reseal", "reseal_log_entry"]

PROOF_BYTES: Final = 8
"""Of a proof: it is kept in memory for each event on disk, and whoever forges has one guess for each."""

_key: bytes | None = None


def prove(event: Masked) -> bytes:
    """Return what tells later, in this process, that bytes from a file are those of `event`.

    A keyed hash; the key is made at first use, never leaves the process and dies with it.
    """
    return _proof(event.data)


def _proof(data: bytes) -> bytes:
    global _key  # noqa: PLW0603 - one for the process: importing draws no random numbers
    if _key is None:
        _key = os.urandom(32)
    return hmac.digest(_key, data, "sha256")[:PROOF_BYTES]


def reseal(data: bytes, policy: Policy, limits: Limits | None = None, *, proof: bytes = b"") -> Masked | None:
    """Return one event that was read from a file as `Masked`, or None if it is no JSON object.

    With the `proof` that `prove` gave for these very bytes they are sealed as they are. All else may
    have been written by another version, under another policy, or by somebody else, and no checksum
    tells: it goes the road of every event, `encode_event` under the policy of the client that sends
    it. What was masked under the same policy comes back the same, but for the spelling of numbers and
    repeated keys inside of bodies. Never raises; without proof it costs what encoding an event does.
    """
    if proof and hmac.compare_digest(_proof(data), proof):
        return seal(data)
    try:
        event = loads(data.decode())
    except (ValueError, RecursionError):  # no UTF-8, no JSON, or nested beyond all events
        return None
    return encode_event(event, policy, limits) if type(event) is dict else None


def reseal_log_entry(
    data: bytes, policy: Policy, limits: Limits | None = None, *, proof: bytes = b""
) -> Masked | None:
    """Return one log entry that was read from a file as `Masked`: what `reseal` does for events."""
    if proof and hmac.compare_digest(_proof(data), proof):
        return seal(data)
    try:
        entry = loads(data.decode())
    except (ValueError, RecursionError):
        return None
    if type(entry) is not dict:
        return None
    fields = entry.pop("data", None)
    if fields is not None and type(fields) is not dict:
        fields = {"value": fields}
    return encode_log_entry(entry, fields, policy, limits or Limits())
