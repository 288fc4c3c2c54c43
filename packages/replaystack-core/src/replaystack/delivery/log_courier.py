"""One attempt with log entries: `POST /v1/logs` (WIRE.md section 2)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from ..diagnostics import RateLimitedLogger
from ..errors import ReceiverRejected
from ..sanitize import logs_document
from .courier import Outcome, answer_message, key_headers
from .retry import judge, retry_after_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .capabilities import Capabilities
    from .pending import DropReason, Parcel
    from .transport import Transport

__all__ = ["LOGS_PATH", "LogCourier"]

_log = RateLimitedLogger(__name__)

LOGS_PATH = "/v1/logs"
_NO_SUCH_ENDPOINT = frozenset({404, 405})
_UNSUPPORTED_MEDIA_TYPE = 415
_GZIP_MIN_BYTES = 1024


class LogCourier:
    """Speaks WIRE.md section 2 over a transport of its own. For the holder of the pump's ownership."""

    def __init__(
        self,
        transport: Transport,
        capabilities: Capabilities,
        *,
        base_url: str,
        api_key: str,
        batch_max_entries: int,
        without_asking: bool = False,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self._capabilities = capabilities
        self._url = base_url + LOGS_PATH
        # X-API-Key: by that name the Timberlogs seed's receiver knows the key.
        self._headers = {**key_headers(api_key), "X-API-Key": api_key}
        self._batch_max_entries = batch_max_entries
        self._without_asking = without_asking and transport.bulk_capable
        self._wall = wall
        self._endpoint_missing = False
        self._gzip_refused = False
        self._said = False

    @property
    def batch_limit(self) -> int:
        """How many entries a request may carry."""
        return self._batch_max_entries

    @property
    def refusal(self) -> DropReason | None:
        """`no_log_receiver` once it is known that nobody takes log entries; said once."""
        known = self._capabilities.known and "logs" not in self._capabilities
        if self._endpoint_missing or (known and not self._without_asking):
            if not self._said:
                self._said = True
                _log.log(
                    logging.INFO,
                    "the receiver takes no log entries (%s): they travel inside of events, or stay here",
                    "no_log_receiver",
                    extra={"reason": "no_log_receiver"},
                )
            return "no_log_receiver"
        return None

    def ask_capabilities(self, timeout_seconds: float) -> Outcome | None:
        """Ask the receiver, again and again until it answers; meanwhile entries wait."""
        error = self._capabilities.ask_until_known(timeout_seconds)
        if self._capabilities.known or self._without_asking:
            return None
        return Outcome("retry", error=error or ReceiverRejected("the receiver does not answer", 503))

    def send(self, parcels: Sequence[Parcel], timeout_seconds: float) -> Outcome:
        """Make one attempt. Blocks; never raises."""
        try:
            body = logs_document([parcel.masked for parcel in parcels])
            headers = self._headers.copy()
            if "gzip" in self._capabilities and not self._gzip_refused and len(body) >= _GZIP_MIN_BYTES:
                headers["Content-Encoding"] = "gzip"
            answer = self._transport.post(self._url, body, headers, timeout_seconds)
        except Exception as error:  # noqa: BLE001 - whatever a network raises
            return Outcome("retry", error=error)
        self._capabilities.learn(answer)
        verdict = judge(answer.status)
        if verdict == "delivered":
            return Outcome(verdict, answer.status)
        document = answer.json()
        if answer.status == _UNSUPPORTED_MEDIA_TYPE and "Content-Encoding" in headers:
            self._gzip_refused = True
            return Outcome("rejected", answer.status, otherwise=True)
        if answer.status in _NO_SUCH_ENDPOINT:
            self._endpoint_missing = True
            return Outcome("rejected", answer.status, otherwise=True)  # back to the queue, which then ends
        after = retry_after_seconds(answer.headers.get("retry-after"), self._wall())
        if after is None and isinstance(document, dict):
            after = retry_after_seconds(_number(document.get("retryAfter")), self._wall())
        return Outcome(
            verdict,
            answer.status,
            error=ReceiverRejected(answer_message(answer.status, _worded(document)), answer.status),
            retry_after_seconds=after,
        )

    def while_waiting(self, work: Callable[[], None]) -> None:
        """Have `work` called a few times a second, on the sending thread, while an answer is waited for."""
        self._transport.while_waiting = work

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()


def _number(value: object) -> str | None:
    return str(value) if type(value) in (int, float) else None


def _worded(document: Any) -> Any:
    """Return the error of the Timberlogs seed, `{"error": ..., "issues": [...]}`, as ours is worded."""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, str):
        return document
    issues = document.get("issues")
    first = issues[0] if isinstance(issues, list) and issues else None
    if not isinstance(first, dict):
        return {"message": error}
    path = first.get("path")
    where = ".".join(str(part) for part in path) if isinstance(path, list) else ""
    return {"message": f"{error}: {where}: {first.get('message')}"}
