"""The ingest keys: made here, kept as digests, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["IngestKeys", "KeyShelf", "digest_of", "new_ingest_key"]


class KeyShelf(Protocol):
    """Where digests of keys are kept; each method blocks until the disk has it."""

    def ingest_key_digests(self) -> list[bytes]:
        """Return all digests."""
        ...

    def add_ingest_key(self, digest: bytes, created_ms: int) -> None:
        """Add one."""
        ...

    def forget_ingest_keys(self) -> None:
        """Remove all."""
        ...


def new_ingest_key() -> str:
    """Return a new key of 192 random bits.

    The prefix is one that the value rules of masking know, so a key that strays into an
    event is masked like any other credential.
    """
    return f"rs_live_{secrets.token_hex(24)}"


def digest_of(secret: str) -> bytes:
    """Return what may be stored of a secret.

    A plain SHA-256 is enough, and quick enough for every request, because our own secrets
    are random; `Settings` asks for 16 characters where the user brings one.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class IngestKeys:
    """The keys that senders may use. Thread-safe."""

    def __init__(self, shelf: KeyShelf) -> None:
        self._shelf = shelf
        self._lock = threading.Lock()  # guards the replacement of the tuple below
        self._digests = tuple(shelf.ingest_key_digests())

    def add(self, key: str) -> None:
        """Let senders use `key`, now and after a restart. Blocks until it is on disk."""
        digest = digest_of(key)
        with self._lock:
            self._shelf.add_ingest_key(digest, int(time.time() * 1000))
            self._digests = (*self._digests, digest)

    def forget_all(self) -> None:
        """Revoke every key. Blocks until that is on disk."""
        with self._lock:
            self._shelf.forget_ingest_keys()
            self._digests = ()

    def admit(self, presented: Iterable[str]) -> bool:
        """Tell whether one of the presented keys is valid; the time taken tells nothing about them."""
        found = False
        for key in presented:
            candidate = digest_of(key)
            for digest in self._digests:
                found |= hmac.compare_digest(candidate, digest)
        return found
