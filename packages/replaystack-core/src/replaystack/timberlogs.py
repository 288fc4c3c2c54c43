"""The surface of the Timberlogs client, delivering through ReplayStack's recorder.

Names, defaults and wire are the seed's; what it did badly is not: no call blocks, sends, or raises
because of what is logged; everything is masked, bounded, counted and delivered at the process's
end (docs/logs.md says what differs).
"""

from __future__ import annotations

import dataclasses
import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .config import resolve
from .diagnostics import Guard
from .logs import flows
from .logs.formats import FORMAT_CONTENT_TYPES, FormatName, format_name
from .logs.ingestion import RawIngestion
from .logs.levels import SEVERITY, read_level
from .logs.logger import Logger
from .logs.options import LogOptions
from .logs.stamping import error_message, error_parts
from .logs.timber import LIMITS
from .recorder import Recorder, beside_the_loop, register, unregister
from .sanitize import Policy, require_backend
from .version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from .delivery import Stats

__all__ = [
    "FORMAT_CONTENT_TYPES",
    "Environment",
    "Flow",
    "FormatName",
    "IngestRawOptions",
    "LogEntry",
    "LogLevel",
    "LogOptions",
    "TimberlogsClient",
    "TimberlogsConfig",
    "ValidationError",
    "__version__",
    "create_timberlogs",
]

_log = logging.getLogger(__name__)

LogLevel = Literal["debug", "info", "warn", "error"]
Environment = str
"""development, staging, production, or any other name."""

_TIMEOUT_SECONDS = 30.0  # the seed's, of one attempt; nobody but the sender's thread waits
_RETRY = {"max_retries": 3, "initial_delay_ms": 1000, "max_delay_ms": 30_000}


class ValidationError(ValueError):
    """A setting of the client cannot work. Logging never raises it: what is too long is cut."""


@dataclass
class LogEntry:
    """One entry with full control, for `log`. What is None comes from the client, or is left out."""

    level: str
    message: str
    data: dict[str, Any] | None = None
    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    error_name: str | None = None
    error_stack: str | None = None
    tags: list[str] | None = None
    flow_id: str | None = None
    step_index: int | None = None
    dataset: str | None = None
    ip_address: str | None = None
    country: str | None = None
    timestamp: float | None = None
    """Seconds since the epoch; None: now (the seed had none: its logs took the time of delivery)."""
    is_pii: bool = False


@dataclass
class IngestRawOptions:
    """What logs of a raw body get that lack it."""

    source: str | None = None
    environment: str | None = None
    level: str | None = None
    dataset: str | None = None


@dataclass
class TimberlogsConfig:
    """The settings of one client, with the seed's defaults. Seconds, and milliseconds where named so."""

    source: str
    environment: str
    api_key: str | None = None
    """None: `REPLAYSTACK_API_KEY`, else entries reach local sinks alone, which is said once."""
    dataset: str | None = None
    version: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    batch_size: int = 10
    flush_interval: float = 5.0
    min_level: str = "debug"
    on_error: Callable[[BaseException], None] | None = None
    retry: Mapping[str, int] = field(default_factory=dict)
    """Any of max_retries, initial_delay_ms, max_delay_ms; the others keep their defaults."""
    endpoint: str | None = None
    """Where the receiver is. None: `REPLAYSTACK_ENDPOINT`, else ReplayStack's own."""


V = TypeVar("V", bound="_Verbs")


class _Verbs:
    """debug, info, warn, error, log: of the client and of its flows. Each returns the object itself."""

    _logger: Logger
    _client: TimberlogsClient

    def debug(self: V, message: str, data: dict[str, Any] | None = None, options: object = None) -> V:
        """Log detailed diagnostic information."""
        return self._say("debug", message, data, options)

    def info(self: V, message: str, data: dict[str, Any] | None = None, options: object = None) -> V:
        """Log a normal operation."""
        return self._say("info", message, data, options)

    def warn(self: V, message: str, data: dict[str, Any] | None = None, options: object = None) -> V:
        """Log what might indicate a problem."""
        return self._say("warn", message, data, options)

    warning = warn

    def error(
        self: V,
        message: str,
        error_or_data: BaseException | dict[str, Any] | None = None,
        options: object = None,
    ) -> V:
        """Log an error; of an exception its name, traceback and text are taken."""
        if not isinstance(error_or_data, BaseException):
            return self._say("error", message, error_or_data, options)
        if self._client.should_log("error"):
            recorder = self._client.recorder
            with recorder.guard.protect("logging an exception"):
                name, stack = error_parts(error_or_data, recorder.policy)
                data = {"message": error_message(error_or_data)}
                self._log(LogEntry("error", message, data, error_name=name, error_stack=stack), options)
        return self

    def log(self: V, entry: LogEntry) -> V:
        """Log an entry with full control."""
        if self._client.should_log(entry.level):
            self._log(entry, None)
        return self

    def _say(self: V, level: str, message: str, data: object, options: object) -> V:
        if self._client.should_log(level):
            self._log(LogEntry(level, message, data), options)  # type: ignore[arg-type]  # anything is taken
        return self

    def _log(self, entry: LogEntry, options: object) -> None:
        changes: dict[str, Any] = {}
        if options is not None:
            tags = options.get("tags") if isinstance(options, dict) else getattr(options, "tags", None)
            is_pii = options.get("is_pii") if isinstance(options, dict) else getattr(options, "is_pii", False)
            changes["tags"] = entry.tags or tags
            changes["is_pii"] = entry.is_pii or bool(is_pii)
        if entry.dataset is None:
            changes["dataset"] = self._client.config.dataset
        self._logger.log(dataclasses.replace(entry, **changes) if changes else entry)


class Flow(_Verbs):
    """Logs that belong together: one id, and a step for each that is not filtered. Thread-safe."""

    def __init__(self, client: TimberlogsClient, flow: flows.Flow) -> None:
        self._client = client
        self._logger = self._flow = flow

    @property
    def id(self) -> str:
        """`{name}-{8 characters}`."""
        return self._flow.id

    @property
    def name(self) -> str:
        """What the flow was called."""
        return self._flow.name

    def __enter__(self: F) -> F:
        self._flow.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._flow.__exit__(kind, error, traceback)


F = TypeVar("F", bound=Flow)


class TimberlogsClient(_Verbs):
    """The Timberlogs client. Thread-safe; starts its sender's thread with the first log.

    Raises:
        ValidationError: a setting cannot work. Of the verbs `ingest_raw` alone raises.

    """

    def __init__(self, config: TimberlogsConfig) -> None:
        self.config: TimberlogsConfig = config
        retry = _checked(config)
        resolved = resolve(
            {
                "api_key": config.api_key or None,
                "endpoint": config.endpoint,
                "service_name": config.source,
                "environment": config.environment,
                "app_version": config.version,
                "max_retries": min(retry["max_retries"], 100),
                "batch_max_events": min(config.batch_size, 100),  # what one request may carry
                "batch_interval_seconds": min(config.flush_interval, 3600.0),
                "timeout_seconds": _TIMEOUT_SECONDS,
                "capture_logs": False,
            },
            _environ(config),
        )
        is_mute = resolved.api_key == _NO_KEY
        if is_mute:
            _log.warning("no api_key: log entries stay in this process, for its local sinks")
        require_backend()
        resolved = dataclasses.replace(
            resolved,
            enabled=resolved.enabled and not is_mute,
            logs_without_asking=True,
            retry_base_seconds=retry["initial_delay_ms"] / 1000,
            retry_max_seconds=retry["max_delay_ms"] / 1000,
        )
        self.recorder: Recorder = Recorder(resolved, policy=Policy.build(), guard=Guard(config.on_error))
        self.recorder.user, self.recorder.session = config.user_id, config.session_id
        self._least = SEVERITY[read_level(config.min_level) or "debug"]
        self._logger = Logger(config.source, self.recorder)
        self._client = self
        self._has_key = not is_mute
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


_NO_KEY = "none"


def _environ(config: TimberlogsConfig) -> dict[str, str]:
    """Return what the environment says of where and with which key; all else is the seed's own."""
    import os  # noqa: PLC0415 - nothing else here needs it

    names = ("REPLAYSTACK_API_KEY", "REPLAYSTACK_ENDPOINT", "REPLAYSTACK_INGEST_URL", "REPLAYSTACK_ENABLED")
    environ = {name: os.environ[name] for name in names if os.environ.get(name, "").strip()}
    if not config.api_key:
        environ.setdefault("REPLAYSTACK_API_KEY", _NO_KEY)
    return environ


def _checked(config: TimberlogsConfig) -> dict[str, int]:
    """Return the retry settings, completed. Raises `ValidationError` for what cannot work."""
    retry = {**_RETRY, **dict(config.retry or {})}
    for name in ("source", "environment"):
        text, limit = getattr(config, name), LIMITS[name]
        if not isinstance(text, str) or not 1 <= len(text) <= limit:
            raise ValidationError(f"{name} must be a string of 1 to {limit} characters")
    for name, value, least in (
        ("batch_size", config.batch_size, 1),
        *((name, retry[name], 0) for name in _RETRY),
    ):
        if type(value) is not int or value < least:
            raise ValidationError(f"{name} must be an integer of at least {least}: got {value!r}")
    interval = config.flush_interval
    if type(interval) not in (int, float) or not 0 <= interval < math.inf:
        raise ValidationError(f"flush_interval must be seconds, 0 or more: got {interval!r}")
    if read_level(config.min_level) is None:
        raise ValidationError(f"min_level must be debug, info, warn or error: got {config.min_level!r}")
    unknown = retry.keys() - _RETRY.keys()
    if unknown:
        raise ValidationError(f"retry knows {', '.join(_RETRY)}: got {min(unknown)!r}")
    return retry
