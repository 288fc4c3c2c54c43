"""Who is signed in: passwords are checked against a slow hash, sessions live in memory."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass

__all__ = ["Session", "Sessions"]


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in customer."""

    id: str
    customer: str
    csrf_token: str


class Sessions:
    """The shop's sessions. Safe from any thread."""

    def __init__(self, customer: str, password: str) -> None:
        """Know one customer, and of the password only its hash."""
        self._customer = customer
        self._salt = secrets.token_bytes(16)
        self._hash = self._digest(password)
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()  # guards _sessions: handlers run on several threads

    def open(self, customer: str, password: str) -> Session | None:
        """Return a new session, or None when name and password do not belong together."""
        if not hmac.compare_digest(self._digest(password), self._hash) or customer != self._customer:
            return None
        session = Session(secrets.token_urlsafe(24), customer, secrets.token_urlsafe(18))
        with self._lock:
            self._sessions[session.id] = session
        return session

    def find(self, session_id: str | None) -> Session | None:
        """Return the session with this id, or None."""
        with self._lock:
            return self._sessions.get(session_id or "")

    def guest_token(self, order_id: int) -> str:
        """Return the token that lets anyone who has it look at one order."""
        return hmac.new(self._salt, b"order %d" % order_id, hashlib.sha256).hexdigest()[:32]

    def _digest(self, password: str) -> bytes:
        # n=2**12 takes some ten milliseconds: slow enough for an example, quick enough for its tests.
        return hashlib.scrypt(password.encode(), salt=self._salt, n=2**12, r=8, p=1)
