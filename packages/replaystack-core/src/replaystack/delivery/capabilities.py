"""What one receiver takes beyond single events (WIRE.md section 1): asked once, learnt from any answer."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .transport import Answer, Transport

__all__ = ["Capabilities"]

_log = logging.getLogger(__name__)

_PATH = "/api/v1/ingest/capabilities"
_HEADER = "x-replaystack-capabilities"


class Capabilities:
    """Of one client in one process: what both of its couriers know. For the threads that send."""

    def __init__(
        self, transport: Transport, *, base_url: str, headers: Mapping[str, str], may_ask: bool
    ) -> None:
        self._transport = transport
        self._url = base_url + _PATH
        self._headers = headers
        self._may_ask = may_ask and transport.bulk_capable
        self.words: frozenset[str] = frozenset()
        self.known: bool = not transport.bulk_capable
        """Whether any answer came yet. A user's own transport is not asked: it sends in one way."""

    def __contains__(self, word: str) -> bool:
        return word in self.words

    def ask_once(self, timeout_seconds: float) -> None:
        """Ask before the first event is sent. Blocks; never raises.

        No answer and anything but 200 mean: nothing. The header on any later answer counts too.
        """
        if self._may_ask and not self.known:
            self._may_ask = False
            self._ask(timeout_seconds)

    def ask_until_known(self, timeout_seconds: float) -> Exception | None:
        """Ask unless an answer has come; return what the network raised. Blocks; never raises.

        For log entries: whether there is anybody to send them to must be known, and not guessed.
        """
        return None if self.known else self._ask(timeout_seconds)

    def _ask(self, timeout_seconds: float) -> Exception | None:
        try:
            answer = self._transport.get(self._url, self._headers, timeout_seconds)
        except Exception as error:  # noqa: BLE001 - what a network raises; the first event will meet it too
            return error
        if answer.status == 200:
            self.learn(answer)
        elif answer.status < 500:  # what is broken for the moment says nothing about what it can do
            self.known = True
        return None

    def learn(self, answer: Answer) -> None:
        """Read what any answer says of it."""
        advertised = answer.headers.get(_HEADER)
        if advertised is not None:
            words = frozenset(word.strip().lower() for word in advertised.split(","))
            if words != self.words:
                with contextlib.suppress(Exception):  # a logging filter is the user's, and may raise
                    _log.debug("beyond single events the receiver takes: %s", ", ".join(sorted(words)))
            self.words = words
        if advertised is not None or answer.status < 300:
            self.known = True
