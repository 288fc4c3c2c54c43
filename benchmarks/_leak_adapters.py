"""Our own SDK in the scorecard, as functions that take an event and return the bytes which would leave.

- replaystack: `encode_event`, whose bytes are what the sender writes; an exception goes through the client.
- replaystack client: everything through `ReplayStackClient` with a transport that keeps what it is given.
- the two ends of the scale, which prove that the scorer can find fault: masking nothing, masking all.
"""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replaystack.client import ReplayStackClient
from replaystack.exchange import RawBody, RawHeaders
from replaystack.sanitize import Policy, encode_event
from replaystack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.leak_cases import Event

__all__ = ["Adapter", "mask_all", "mask_nothing", "ours", "ours_through_client"]


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

    def post(self, url: str, json: object, headers: dict[str, str], timeout: float) -> _Keeper:
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
        return {
            str(_shown(key)): repr(item) if item is value else _shown(item) for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_shown(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return value.decode("latin-1")
    if isinstance(value, BaseException):
        return "".join(traceback.format_exception(type(value), value, value.__traceback__))
    return value if isinstance(value, (str, int, float, type(None))) else repr(value)
