"""What one server is made of, put together in one place."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from replaystack.sanitize import require_backend

from .access.keys import IngestKeys, new_ingest_key
from .access.sessions import Sessions, new_read_token
from .reading.feed import Feed
from .store import SqliteStore, Store

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from .settings import Settings

__all__ = ["Service", "service_of"]

_MASKING_THREADS: Final = 2
"""Masking is pure CPU: more threads would only take turns with the event loop."""

_BODIES: Final = 32
"""Bodies in memory at the same time, of 8 MiB at most each."""


class Service:
    """The parts, shared by all requests. Opening blocks for the disk; `close` ends it.

    Raises:
        StoreError: the database cannot be used.
        ImportError: `REPLAYSTACK_BACKEND=native`, and the native extension cannot be loaded.

    """

    def __init__(self, settings: Settings) -> None:
        require_backend()
        self.settings = settings
        self.feed: Feed = Feed(settings.max_streams)
        store = SqliteStore(settings.database, on_commit=self.feed.wake)
        self.store: Store = store
        self.keys: IngestKeys = IngestKeys(store)
        self.ingest_key: str = settings.ingest_key or new_ingest_key()
        self.keys.add(self.ingest_key)
        self.read_token: str = settings.read_token or new_read_token()
        self.viewer_token: str = settings.viewer_token or new_read_token()
        self.sessions: Sessions = Sessions(self.read_token, viewer_token=self.viewer_token)
        self.masking: ThreadPoolExecutor = ThreadPoolExecutor(
            _MASKING_THREADS, thread_name_prefix="replaystack-masking"
        )
        self.bodies: asyncio.Semaphore = asyncio.Semaphore(_BODIES)

    def now_ms(self) -> int:
        """Return the milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def close(self) -> None:
        """End streams, write what is queued, close the file. Blocks; twice is fine."""
        self.feed.close()
        self.masking.shutdown()
        self.store.close()


def service_of(connection: HTTPConnection) -> Service:
    """Return the service behind a request."""
    service = connection.app.state.service
    assert isinstance(service, Service)  # noqa: S101 - `create_app` has set it
    return service
