"""The Timberlogs client: settings, a recorder and a logger put together."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..diagnostics import Guard
from ..logs import flows
from ..logs.formats import format_name
from ..logs.ingestion import RawIngestion
from ..logs.levels import SEVERITY, read_level
from ..logs.logger import Logger
from ..recorder import Recorder, beside_the_loop, register, unregister
from ..sanitize import Policy, require_backend
from ._settings import NO_KEY, TimberlogsConfig, complete_retry, resolve_settings
from ._verbs import Flow, Verbs

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ..delivery import Stats
    from ..logs.formats import FormatName

__all__ = ["IngestRawOptions", "TimberlogsClient", "create_timberlogs"]

_log = logging.getLogger("replaystack.timberlogs")


@dataclass
class IngestRawOptions:
    """What logs of a raw body get that lack it."""

    source: str | None = None
    environment: str | None = None
    level: str | None = None
    dataset: str | None = None


class TimberlogsClient(Verbs):
    """The Timberlogs client. Thread-safe; starts its sender's thread with the first log.

    Raises:
        ValidationError: a setting cannot work. Of the verbs `ingest_raw` alone raises.

    """

    def __init__(self, config: TimberlogsConfig) -> None:
        self.config: TimberlogsConfig = config
        retry = complete_retry(config)
        resolved = resolve_settings(config, retry)
        self._has_key = resolved.api_key != NO_KEY
        if not self._has_key:
            _log.warning("no api_key: log entries stay in this process, for its local sinks")
        require_backend()
        self.recorder: Recorder = Recorder(resolved, policy=Policy.build(), guard=Guard(config.on_error))
        self.recorder.user, self.recorder.session = config.user_id, config.session_id
        self._least = SEVERITY[read_level(config.min_level) or "debug"]
        self._logger = Logger(config.source, self.recorder)
        self._client = self
        delay = retry["initial_delay_ms"] / 1000
        self._ingestion = RawIngestion(resolved, self.recorder.policy, initial_delay_seconds=delay)
        register(self.recorder)

    def should_log(self, level: str) -> bool:
        """Tell whether `level` is at least `min_level`. An unknown level is logged as info."""
        return SEVERITY[read_level(level) or "info"] >= self._least

    def flow(self, name: str) -> Flow:
        """Return a flow with a local id."""
        return Flow(self, flows.new_flow(name, recorder=self.recorder, logger=self.config.source))

    async def flow_async(self, name: str) -> Flow:
        """Return a flow whose id the receiver makes; a local one where it does not answer. Never raises."""
        made = await flows.new_flow_async(name, recorder=self.recorder, logger=self.config.source)
        return Flow(self, made)

    def ingest_raw(
        self, body: str, format: FormatName, options: IngestRawOptions | dict[str, str] | None = None
    ) -> None:
        """Send logs that another program wrote, masked; blocks until all of it is taken.

        Raises:
            RuntimeError: there is no key. Before any I/O, like the next one.
            ValueError: an unknown format or option; a body that cannot be read.
            Exception: what the transport raised in its last attempt, or the receiver's refusal.

        """
        if not self._has_key:
            raise RuntimeError("ingest_raw needs an API key: pass api_key=... or set REPLAYSTACK_API_KEY")
        self._ingestion.send(body, format_name(format), options)

    async def ingest_raw_async(
        self, body: str, format: FormatName, options: IngestRawOptions | dict[str, str] | None = None
    ) -> None:
        """Do as `ingest_raw`; the event loop goes on."""
        await beside_the_loop(lambda: self.ingest_raw(body, format, options))

    def set_user_id(self, user_id: str | None) -> TimberlogsClient:
        """Name the user of later logs; None forgets it."""
        self.recorder.user = user_id
        return self

    def set_session_id(self, session_id: str | None) -> TimberlogsClient:
        """Name the session of later logs; None forgets it."""
        self.recorder.session = session_id
        return self

    def flush(self, timeout_seconds: float | None = None) -> None:
        """Send everything logged so far, what is in flight included; waits 10 s at most, or as told."""
        with self.recorder.guard.protect("flush"):
            self.recorder.flush(timeout_seconds)

    async def flush_async(self, timeout_seconds: float | None = None) -> None:
        """Do as `flush`; the event loop goes on."""
        await beside_the_loop(lambda: self.flush(timeout_seconds))

    def disconnect(self, timeout_seconds: float | None = None) -> None:
        """Flush and stop. Later logs are counted as dropped (`closed`). Twice is fine."""
        with self.recorder.guard.protect("disconnect"):
            self.recorder.close(timeout_seconds)
        if not self.recorder.undelivered:
            unregister(self.recorder)

    async def disconnect_async(self, timeout_seconds: float | None = None) -> None:
        """Do as `disconnect`; the event loop goes on."""
        await beside_the_loop(lambda: self.disconnect(timeout_seconds))

    def stats(self) -> Stats:
        """Return the account of every entry (ours; the seed had none)."""
        stats = self.recorder.stats()
        return stats.logs or stats

    def __enter__(self) -> TimberlogsClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.disconnect()

    async def __aenter__(self) -> TimberlogsClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.disconnect_async()


def create_timberlogs(  # noqa: PLR0917 - the seed's signature
    source: str,
    environment: str,
    api_key: str | None = None,
    dataset: str | None = None,
    version: str | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    batch_size: int = 10,
    flush_interval: float = 5.0,
    min_level: str = "debug",
    on_error: Callable[[BaseException], None] | None = None,
    max_retries: int = 3,
    initial_delay_ms: int = 1000,
    max_delay_ms: int = 30_000,
    *,
    endpoint: str | None = None,
) -> TimberlogsClient:
    """Return a client with these settings (`TimberlogsConfig`). Raises `ValidationError`."""
    retry = {
        "max_retries": max_retries,
        "initial_delay_ms": initial_delay_ms,
        "max_delay_ms": max_delay_ms,
    }
    config = TimberlogsConfig(source, environment, api_key, dataset, version, user_id, session_id)
    config.batch_size, config.flush_interval, config.min_level = batch_size, flush_interval, min_level
    config.on_error, config.retry, config.endpoint = on_error, retry, endpoint
    return TimberlogsClient(config)
