"""A whole server in one line, for tests of anything that sends events."""

from __future__ import annotations

import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .app import create_app
from .serving import Server, listen, url_of
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .service import Service

__all__ = ["RunningServer", "running_server"]

_START_SECONDS = 30.0
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers."""

    url: str
    """`http://127.0.0.1:<port>`, without a slash at the end."""
    key: str
    """An ingest key."""
    token: str
    """The read token, for `Authorization: Bearer`."""
    viewer_token: str
    """The one that reads no personal logs."""
    database: Path
    service: Service
    """What stands behind it, for a look at its store."""

    @property
    def login_url(self) -> str:
        """The link that signs a browser in."""
        return f"{self.url}/login?token={self.token}"

    @property
    def viewer_login_url(self) -> str:
        """The same for a reader who sees no personal logs."""
        return f"{self.url}/login?token={self.viewer_token}"


@contextmanager
def running_server(**settings: Any) -> Iterator[RunningServer]:
    """Run a server on a free port of 127.0.0.1, in a thread, for the length of the block.

    Args:
        settings: those of `Settings`; without `database` it keeps its events in a temporary
            directory that goes with it.

    Raises:
        RuntimeError: it did not start or stop within 30 seconds.

    """
    with tempfile.TemporaryDirectory(prefix="replaystack-") as directory:
        settings.setdefault("database", Path(directory) / "events.sqlite3")
        chosen = Settings(**settings)
        app = create_app(chosen)
        service: Service = app.state.service
        bound = listen("127.0.0.1", 0)
        started = threading.Event()
        server = Server(app, on_started=started.set)
        thread = threading.Thread(target=server.run, args=([bound],), name="replaystack-server", daemon=True)
        url = url_of(bound)
        thread.start()
        try:
            if not started.wait(_START_SECONDS):
                raise RuntimeError(f"the server did not start within {_START_SECONDS:g} s")
            yield RunningServer(
                url, service.ingest_key, service.read_token, service.viewer_token, chosen.database, service
            )
        finally:
            server.should_exit = True
            thread.join(_STOP_SECONDS)
        if thread.is_alive():
            raise RuntimeError(f"the server did not stop within {_STOP_SECONDS:g} s")
