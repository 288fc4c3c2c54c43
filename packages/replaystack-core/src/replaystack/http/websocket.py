"""A websocket from its handshake to its close, as one exchange.

Its messages are counted, never kept: a connection may live for days, and what it says has no end at
which it could be masked as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .recording import Recording

if TYPE_CHECKING:
    from ..event import EventStatus
    from .head import HeaderPairs
    from .tap import BodyTap

__all__ = ["SocketRecording"]

SWITCHING_PROTOCOLS = 101
FORBIDDEN = 403
"""What a server answers to a handshake that the application closes."""

_GOOD_CODES = frozenset({1000, 1001, 1005})
"""Normal closure, going away (a page that was left), none given (RFC 6455, section 7.4.1)."""
_ABNORMAL_CODE = 1006
_INTERNAL_ERROR_CODE = 1011


@dataclass(slots=True)
class Traffic:
    """What passed in one direction."""

    messages: int = 0
    size_bytes: int = 0


class SocketRecording(Recording):
    """One websocket. The handshake is its request and answer; the close code decides its status.

    An answer other than the handshake's (a denial) is recorded by `response_start` and
    `response_chunk`, like any other.
    """

    noun = "Websocket"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_tap: BodyTap | None = None
        self.received: Traffic = Traffic()
        self.sent: Traffic = Traffic()
        self._subprotocol: str | None = None
        self._close_code: int | None = None
        self._close_reason: str | None = None
        self.closed_by: Literal["application", "caller"] | None = None

    def accepted(self, headers: HeaderPairs, subprotocol: str | None) -> None:
        """Note that the application took the handshake."""
        self.response_start(SWITCHING_PROTOCOLS, headers)
        self.response_tap: BodyTap | None = None
        self._subprotocol = subprotocol

    def message(self, traffic: Traffic, data: bytes | str | None) -> None:
        """Count one message of `received` or `sent`."""
        if data is not None and not self.ended:
            traffic.messages += 1
            if isinstance(data, str) and not data.isascii():
                data = data.encode("utf-8", "replace")
            traffic.size_bytes += len(data)

    def closed(self, code: int | None, reason: str | None, by: Literal["application", "caller"]) -> None:
        """Note the close. The first one counts. Before the handshake is taken it is a refusal."""
        if self.ended or self.closed_by is not None:
            return
        self.closed_by, self._close_code, self._close_reason = by, code, reason
        if by == "caller":
            self.disconnected: bool = code == _ABNORMAL_CODE
        elif self.status_code is None:
            self.status_code: int | None = FORBIDDEN

    def _judge(self) -> EventStatus:
        judged = super()._judge()
        if judged != "success":
            return judged
        if self._close_code is None or self._close_code in _GOOD_CODES:
            return "success"
        by_us = self.closed_by == "application"
        return "failed" if by_us and self._close_code == _INTERNAL_ERROR_CODE else "warning"

    def compose(self) -> tuple[dict[str, object], dict[str, object]]:
        """Add `websocket` to our own part: how it was closed, and how much passed."""
        fields, own = super().compose()
        numbers: dict[str, object] = {
            "receivedMessages": self.received.messages,
            "receivedBytes": self.received.size_bytes,
            "sentMessages": self.sent.messages,
            "sentBytes": self.sent.size_bytes,
            "closeCode": self._close_code,
            "closeReason": self._close_reason or None,
            "closedBy": self.closed_by,
            "subprotocol": self._subprotocol,
        }
        own["websocket"] = {name: value for name, value in numbers.items() if value is not None}
        return fields, own
