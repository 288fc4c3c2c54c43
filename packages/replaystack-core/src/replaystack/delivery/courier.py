"""One attempt: which URL, which headers, one event or a batch, and what the answer means.

Keeps what it has learned of the receiver (capabilities), and no event.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ReceiverRejected
from ..event import CaptureResponse
from ..sanitize import bulk_document
from ..version import __version__
from .capabilities import Capabilities
from .retry import Verdict, judge, retry_after_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..sanitize import Masked
    from .pending import DropReason, Parcel
    from .transport import Answer, Transport

__all__ = ["BULK_MAX_BYTES", "Carrier", "Courier", "Outcome", "answer_message", "key_headers"]

BULK_MAX_BYTES = 4 * 1024 * 1024 - 1024
"""WIRE.md section 1: a bulk request carries at most 4 MiB; the rest is for commas and the envelope."""
_BULK_PATH = "/api/v1/ingest/bulk-events"
_NO_BULK = frozenset({404, 405})
_UNSUPPORTED_MEDIA_TYPE = 415
_GZIP_MIN_BYTES = 1024
"""Below this the two headers cost about as much as compression gains."""
_MESSAGE_MAX_CHARS = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to."""

    verdict: Verdict
    status: int | None = None
    error: Exception | None = None
    retry_after_seconds: float | None = None
    response: CaptureResponse | None = None
    refused: tuple[int, ...] = ()
    """Positions in the batch that a 2xx names as rejected."""
    otherwise: bool = False
    """The receiver has no bulk endpoint, or takes no gzip: the same events go out again the other way."""


class Carrier(Protocol):
    """What a pump sends with: for events a `Courier`, for log entries a `LogCourier`."""

    @property
    def batch_limit(self) -> int:
        """How many the next request may carry."""

    @property
    def refusal(self) -> DropReason | None:
        """Why nothing can be sent at all, ever; None: it can."""

    def ask_capabilities(self, timeout_seconds: float) -> Outcome | None:
        """Ask the receiver what it takes, if that is not known. An outcome: sending must wait for it."""

    def send(self, parcels: Sequence[Parcel], timeout_seconds: float) -> Outcome:
        """Make one attempt. Blocks; never raises."""

    def while_waiting(self, work: Callable[[], None]) -> None:
        """Have `work` called a few times a second, on the sending thread, while an answer is waited for."""

    def close(self) -> None:
        """Let go of connections."""


def key_headers(api_key: str) -> dict[str, str]:
    """Return the headers that every request carries."""
    return {
        "Content-Type": "application/json",
        "x-tracereplay-api-key": api_key,
        "x-replaystack-api-key": api_key,
        "x-replaystack-sdk": "python",
        "x-replaystack-sdk-version": __version__,
    }


class Courier:
    """Speaks WIRE.md section 1 over a transport. Safe in several threads at once."""

    def __init__(
        self,
        transport: Transport,
        *,
        ingest_url: str,
        base_url: str,
        api_key: str,
        batch_max_events: int,
        bulk_without_asking: bool = False,
        may_ask: bool = True,
        process: str = "",
        drops: Callable[[], Mapping[str, int]] = dict,
        wall: Callable[[], float] = time.time,
        capabilities: Capabilities | None = None,
    ) -> None:
        self._transport = transport
        self._ingest_url = ingest_url
        self._bulk_url = base_url + _BULK_PATH
        self._headers = key_headers(api_key)
        self._batch_max_events = batch_max_events
        self._bulk_without_asking = bulk_without_asking and transport.bulk_capable
        self._bulk_refused = False
        self._gzip_refused = False
        self._process = process
        self._drops = drops
        self._may_ask = may_ask and not self._bulk_without_asking
        self._capabilities = capabilities or Capabilities(
            transport, base_url=base_url, headers=self._headers, may_ask=may_ask
        )
        self._wall = wall

    @property
    def refusal(self) -> DropReason | None:
        """None: every receiver takes events."""
        return None

    @property
    def batch_limit(self) -> int:
        """How many events the next request may carry: 1 unless the receiver takes bulk."""
        bulk = self._bulk_without_asking or ("bulk" in self._capabilities and self._transport.bulk_capable)
        return self._batch_max_events if bulk and not self._bulk_refused else 1

    def ask_capabilities(self, timeout_seconds: float) -> Outcome | None:
        """Ask the receiver once what it takes beyond single events. Blocks; never raises; None always."""
        if self._may_ask:
            self._capabilities.ask_once(timeout_seconds)
        return None

    def send(self, parcels: Sequence[Parcel], timeout_seconds: float) -> Outcome:
        """Make one attempt with `parcels` (one, or a batch). Blocks; never raises."""
        bulk = len(parcels) > 1
        url = self._bulk_url if bulk else self._ingest_url
        try:
            body = bulk_document([parcel.masked for parcel in parcels]) if bulk else parcels[0].masked
            headers = self._headers_for(body)
            answer = self._transport.post(url, body, headers, timeout_seconds)
        except Exception as error:  # noqa: BLE001 - whatever a network or a user's transport raises
            return Outcome("retry", error=error)
        self._capabilities.learn(answer)
        if answer.status == _UNSUPPORTED_MEDIA_TYPE and "Content-Encoding" in headers:
            self._gzip_refused = True
            return Outcome("rejected", answer.status, otherwise=True)
        return self._read(answer, bulk=bulk)

    def _headers_for(self, body: Masked) -> dict[str, str]:
        """Return the headers of one request: what the receiver advertised decides on the optional ones."""
        headers = self._headers.copy()
        if not self._transport.bulk_capable:
            return headers
        if "gzip" in self._capabilities and not self._gzip_refused and len(body) >= _GZIP_MIN_BYTES:
            headers["Content-Encoding"] = "gzip"
        if "drops" in self._capabilities:
            headers["x-replaystack-process"] = self._process
            drops = self._drops()
            if drops:
                counts = (f"{reason}={count}" for reason, count in sorted(drops.items()))
                headers["x-replaystack-drops"] = ", ".join(counts)
        return headers

    def while_waiting(self, work: Callable[[], None]) -> None:
        """Have `work` called a few times a second, on the sending thread, while an answer is waited for."""
        self._transport.while_waiting = work

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()

    def _read(self, answer: Answer, *, bulk: bool) -> Outcome:
        verdict = judge(answer.status)
        document = answer.json()
        if verdict == "delivered":
            return Outcome(verdict, answer.status, response=_response(document), refused=_refused(document))
        if bulk and answer.status in _NO_BULK:
            self._bulk_refused = True
            return Outcome("rejected", answer.status, otherwise=True)
        return Outcome(
            verdict,
            answer.status,
            error=ReceiverRejected(answer_message(answer.status, document), answer.status),
            retry_after_seconds=retry_after_seconds(answer.headers.get("retry-after"), self._wall()),
        )


def _response(document: Any) -> CaptureResponse:
    """Read a 2xx answer; rubbish counts as a plain success."""
    if not isinstance(document, dict):
        return CaptureResponse(success=True)
    message, data = document.get("message"), document.get("data")
    return CaptureResponse(
        success=bool(document.get("success", True)),
        message=message if isinstance(message, str) else None,
        data=data if isinstance(data, dict) else None,
    )


def _refused(document: Any) -> tuple[int, ...]:
    """Return the positions in `data.rejected` of a bulk answer."""
    data = document.get("data") if isinstance(document, dict) else None
    rejected = data.get("rejected") if isinstance(data, dict) else None
    if not isinstance(rejected, list):
        return ()
    indices = (entry.get("index") for entry in rejected if isinstance(entry, dict))
    return tuple(sorted({index for index in indices if type(index) is int and index >= 0}))


def answer_message(status: int, document: Any) -> str:
    """Return what an answer that is no success says, for an error's text."""
    text = document.get("message") if isinstance(document, dict) else None
    if isinstance(text, str) and text:
        return text[:_MESSAGE_MAX_CHARS]
    return f"ReplayStack ingestion failed with status {status}"
