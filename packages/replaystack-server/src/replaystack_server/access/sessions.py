"""Who may read: the token of this start, and the browsers that signed in with it."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from typing import TYPE_CHECKING, Final

from ..store import Viewer
from .keys import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection

__all__ = ["SESSION_SECONDS", "Sessions", "cookie_name", "new_read_token"]

SESSION_SECONDS: Final = 30 * 24 * 3600
_MOST_SESSIONS = 256
"""Signing in again and again, by script, must not fill the memory: the oldest go."""


def new_read_token() -> str:
    """Return a new token of 256 random bits."""
    return secrets.token_urlsafe(32)


def cookie_name(connection: HTTPConnection) -> str:
    """Return the name of the session cookie.

    It holds the port, because browsers send the cookies of 127.0.0.1 to each of its ports:
    two servers side by side must not sign each other out.
    """
    server = connection.scope.get("server")
    return f"replaystack_session_{server[1] if server else 0}"


class Sessions:
    """Signed-in browsers, in memory: they end with the process, as the token does. Thread-safe."""

    def __init__(self, token: str, now: Callable[[], float] = time.monotonic) -> None:
        self._token = digest_of(token)
        self._now = now
        self._lock = threading.Lock()  # guards the dict
        self._ends: dict[bytes, float] = {}

    def is_token(self, presented: str) -> bool:
        """Tell in constant time whether this is the read token."""
        return hmac.compare_digest(digest_of(presented), self._token)

    def sign_in(self, presented: str) -> str | None:
        """Return a new session id for the right token, else None."""
        if not self.is_token(presented):
            return None
        session = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._ends) >= _MOST_SESSIONS:
                del self._ends[next(iter(self._ends))]
            self._ends[digest_of(session)] = self._now() + SESSION_SECONDS
        return session

    def sign_out(self, session: str) -> None:
        """End a session; unknown ones are ignored."""
        with self._lock:
            self._ends.pop(digest_of(session), None)

    def viewer(self, connection: HTTPConnection) -> Viewer | None:
        """Return who is asking, by `Authorization: Bearer` or by cookie; None for a stranger."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return Viewer("token") if self.is_token(token.strip()) else None
        session = connection.cookies.get(cookie_name(connection))
        return Viewer("session") if session and self._is_open(session) else None

    def _is_open(self, session: str) -> bool:
        # Looked up by digest: what the time of the lookup could tell is nothing about the id.
        with self._lock:
            ends = self._ends.get(digest_of(session))
        return ends is not None and self._now() < ends
