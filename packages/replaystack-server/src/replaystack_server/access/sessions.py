"""Who may read: the tokens of this start with their scopes, and the browsers that signed in with one."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from typing import TYPE_CHECKING, Final, Literal

from ..store import Viewer
from .keys import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection

__all__ = ["SCOPES", "SESSION_SECONDS", "Role", "Sessions", "cookie_name", "new_read_token"]

Role = Literal["owner", "viewer"]

SCOPES: Final[dict[Role, frozenset[str]]] = {
    "owner": frozenset({"read", "read:pii"}),
    "viewer": frozenset({"read"}),
}
"""What a token may do, and every browser that signed in with it. Both are made anew at each start."""

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

    def __init__(
        self, token: str, now: Callable[[], float] = time.monotonic, *, viewer_token: str | None = None
    ) -> None:
        self._tokens: list[tuple[bytes, Role]] = [(digest_of(token), "owner")]
        if viewer_token is not None:
            self._tokens.append((digest_of(viewer_token), "viewer"))
        self._now = now
        self._lock = threading.Lock()  # guards the dict
        self._open: dict[bytes, tuple[float, Role]] = {}

    def role_of(self, presented: str) -> Role | None:
        """Return, in a time that tells nothing, whose token this is; None for nobody's."""
        digest = digest_of(presented)
        found: Role | None = None
        for known, role in self._tokens:
            if hmac.compare_digest(digest, known) and found is None:
                found = role
        return found

    def sign_in(self, presented: str) -> str | None:
        """Return a new session id, with the role of the token, for a right one, else None."""
        role = self.role_of(presented)
        if role is None:
            return None
        session = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._open) >= _MOST_SESSIONS:
                del self._open[next(iter(self._open))]
            self._open[digest_of(session)] = (self._now() + SESSION_SECONDS, role)
        return session

    def sign_out(self, session: str) -> None:
        """End a session; unknown ones are ignored."""
        with self._lock:
            self._open.pop(digest_of(session), None)

    def viewer(self, connection: HTTPConnection) -> Viewer | None:
        """Return who is asking, by `Authorization: Bearer` or by cookie; None for a stranger."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return _viewer("token", self.role_of(token.strip()))
        session = connection.cookies.get(cookie_name(connection))
        return _viewer("session", self._role(session)) if session else None

    def _role(self, session: str) -> Role | None:
        # Looked up by digest: what the time of the lookup could tell is nothing about the id.
        with self._lock:
            ends, role = self._open.get(digest_of(session), (self._now(), None))
        return role if self._now() < ends else None


def _viewer(name: str, role: Role | None) -> Viewer | None:
    return None if role is None else Viewer(name, may_read_pii="read:pii" in SCOPES[role])
