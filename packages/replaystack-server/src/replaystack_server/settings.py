"""What the person who starts a server may choose, with the reason for each default."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from replaystack.errors import ConfigError

__all__ = ["INGEST_KEY_VARIABLE", "READ_TOKEN_VARIABLE", "VIEWER_TOKEN_VARIABLE", "Settings"]

INGEST_KEY_VARIABLE: Final = "REPLAYSTACK_SERVER_INGEST_KEY"
READ_TOKEN_VARIABLE: Final = "REPLAYSTACK_SERVER_READ_TOKEN"  # noqa: S105 - the name of a variable
VIEWER_TOKEN_VARIABLE: Final = "REPLAYSTACK_SERVER_VIEWER_TOKEN"  # noqa: S105 - same

_SHORTEST_SECRET = 16
"""Characters. Secrets are stored as plain digests, which protects only what cannot be guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One server's choices; a bad one raises `ConfigError` (a `ValueError`) here, not later."""

    database: Path = Path("replaystack.sqlite3")
    """The one file that holds everything; made, readable by its owner only, if it does not exist."""

    allowed_hosts: tuple[str, ...] = ()
    """Host names that a browser may use for this server besides 127.0.0.1, localhost and [::1]."""

    ingest_key: str | None = field(default=None, repr=False)
    """The key that senders use. None makes a new one at each start; earlier ones stay valid."""

    read_token: str | None = field(default=None, repr=False)
    """The secret for reading everything (scopes `read` and `read:pii`), by login link or as a bearer
    token. None makes a new one at each start."""

    viewer_token: str | None = field(default=None, repr=False)
    """The same for reading what is not personal (scope `read`). None makes a new one at each start."""

    max_body_bytes: int = 8 * 1024 * 1024
    """Of one posted event (WIRE.md section 1)."""

    max_bulk_bytes: int = 4 * 1024 * 1024
    """Of one posted batch (WIRE.md section 1)."""

    max_bulk_events: int = 100
    """In one posted batch (WIRE.md section 1)."""

    body_timeout_seconds: float = 30.0
    """In which a body must have arrived, so that a dripping sender holds no memory for long."""

    heartbeat_seconds: float = 15.0
    """Between two signs of life on a quiet event stream; proxies cut silent ones after 30 to 60."""

    max_streams: int = 64
    """Event streams open at the same time; each one runs a small query per commit."""

    def __post_init__(self) -> None:
        for name in ("max_body_bytes", "max_bulk_bytes", "max_bulk_events", "max_streams"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1: got {getattr(self, name)!r}")
        for name in ("body_timeout_seconds", "heartbeat_seconds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0: got {getattr(self, name)!r}")
        for name in ("ingest_key", "read_token", "viewer_token"):
            secret: str | None = getattr(self, name)
            if secret is not None and (len(secret) < _SHORTEST_SECRET or not _is_token(secret)):
                raise ConfigError(
                    f"{name} must be at least {_SHORTEST_SECRET} visible ASCII characters without blanks: "
                    f"got {len(secret)} characters"
                )
        if self.viewer_token is not None and self.viewer_token == self.read_token:
            raise ConfigError("viewer_token must differ from read_token: it may read less")


def _is_token(secret: str) -> bool:
    return all("!" <= character <= "~" for character in secret)
