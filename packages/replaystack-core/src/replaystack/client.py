"""`ReplayStackClient`: composes configuration, transport, pump and recorder; adds nothing of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from .config import Config, resolve
from .diagnostics import Guard
from .errors import ConfigError
from .jobs import Job
from .logs.flows import Flow, new_flow, new_flow_async
from .logs.ingestion import RawIngestion
from .logs.logger import Logger
from .paths import should_ignore_path
from .recorder import Recorder, beside_the_loop, register, set_default_recorder, unregister
from .sanitize import Policy, require_backend
from .scope import current_scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Unpack

    from .config import ClientOptions
    from .delivery import Stats
    from .event import CaptureResponse
    from .logs.ingestion import IngestReport

__all__ = ["ReplayStackClient", "set_default_client"]


class ReplayStackClient:
    """Captures events of this process and delivers them to one receiver.

    Thread-safe. Starts no thread and opens no connection before the first capture. No verb
    raises because of what it was given or because the receiver is away; `raise_on_error`
    asks for the latter.

    Keyword arguments are the options of API.md section 1 (`ClientOptions`); what is left out
    comes from `REPLAYSTACK_*` environment variables, then from the defaults.

    Raises:
        ConfigError: (a `ValueError`) an option's value cannot work, or there is no API key.
        TypeError: an option does not exist; the text names the nearest one.
        ImportError: `REPLAYSTACK_BACKEND=native`, and the native extension cannot be loaded.

    """

    def __init__(self, **options: Unpack[ClientOptions]) -> None:
        config = resolve(options)
        self.config: Config = config
        if config.enabled:
            require_backend()
        policy = _policy(config)
        self._ingestion = RawIngestion(config, policy)
        self.recorder: Recorder = Recorder(config, policy=policy, guard=Guard(config.on_error))
        """What adapters and loggers are given. Applications use the verbs below."""
        self.log: Logger = Logger("app", self.recorder)
        """The logger "app" (API.md section 6)."""
        self._loggers: dict[str, Logger] = {"app": self.log}
        register(self.recorder)

    # -- capturing ------------------------------------------------------------------------------

    def capture_event(self, **fields: Any) -> CaptureResponse | None:
        """Capture one event; see API.md section 2 for the keywords, in snake_case or camelCase.

        What is passed is masked and encoded before this returns: later changes to it change
        nothing. An unknown keyword is kept under `metadata`.

        Returns:
            In sync mode the receiver's answer to a 2xx; otherwise, and when the event was
            skipped, held or dropped, None. In async mode always None, without blocking.

        """
        return self._capture(lambda: self.recorder.event(fields), "capture_event")

    def capture_exception(self, exc: BaseException, **fields: Any) -> CaptureResponse | None:
        """Capture `exc` as a failed event with its stack, frames and causes.

        The keywords are those of `capture_event`; what they give wins over the exception's own.
        """
        return self._capture(lambda: self.recorder.exception(exc, fields), "capture_exception")

    def _capture(self, capture: Callable[[], CaptureResponse | None], what: str) -> CaptureResponse | None:
        response: CaptureResponse | None = None
        with self.recorder.guard.protect(what):
            response = capture()
        self.recorder.raise_own_error()
        return response

    # -- raw logs -------------------------------------------------------------------------------

    def ingest_raw(
        self,
        body: str | bytes | BinaryIO,
        format: str,
        options: object = None,
        *,
        on_progress: Callable[[IngestReport], None] | None = None,
    ) -> IngestReport:
        """Send logs that another program wrote, masked, in requests of at most 100 logs.

        Blocks until all of it is taken. Unlike captures it raises, so that the caller knows.

        Args:
            body: a text, its bytes, or a file open for reading bytes, which is read as it is sent.
            format: json, jsonl, syslog, text, csv or obl.
            options: `source`, `environment`, `level`, `dataset` for logs that lack theirs, as a dict or
                as attributes; source and environment default to the client's.
            on_progress: called after each request.

        Raises:
            ValueError: an unknown format or option, before any I/O; a body that cannot be read
                (`FormatError`, which names the line).
            IngestRejected: the receiver refused it.
            Exception: what the transport raised, after the last retry. The attributes `accepted` and
                `last_line` of the last three tell what was taken before.

        """
        return self._ingestion.send(body, format, options, on_progress=on_progress)

    async def ingest_raw_async(
        self,
        body: str | bytes | BinaryIO,
        format: str,
        options: object = None,
        *,
        on_progress: Callable[[IngestReport], None] | None = None,
    ) -> IngestReport:
        """Do as `ingest_raw`, on a thread of its own: the event loop goes on."""
        return await beside_the_loop(lambda: self.ingest_raw(body, format, options, on_progress=on_progress))

    # -- breadcrumbs and scope ------------------------------------------------------------------

    def add_breadcrumb(
        self,
        message: str,
        *,
        category: str | None = None,
        level: str = "info",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Leave a hint for the next event: of the current scope, else of this client.

        Outside of a scope the next capture of this client consumes what was left.
        """
        with self.recorder.guard.protect("add_breadcrumb"):
            self.recorder.breadcrumbs.add(message, category=category, level=level, metadata=metadata)

    def get_breadcrumbs(self) -> list[dict[str, Any]]:
        """Return, as dicts, the breadcrumbs that the next event would carry."""
        return self.recorder.breadcrumbs.listed()

    def clear_breadcrumbs(self) -> None:
        """Forget the breadcrumbs of the current scope, else this client's own."""
        self.recorder.breadcrumbs.clear()

    def set_user_id(self, user_id: str | None) -> ReplayStackClient:
        """Name the user of the current scope, else of this client's events. None forgets it."""
        target = current_scope() or self.recorder
        target.user = user_id
        return self

    def set_session_id(self, session_id: str | None) -> ReplayStackClient:
        """Name the session of the current scope, else of this client's events. None forgets it."""
        target = current_scope() or self.recorder
        target.session = session_id
        return self

    def should_ignore_path(self, path: str | None) -> bool:
        """Tell whether `path` falls under the option `ignored_paths`."""
        return should_ignore_path(path, self.config.ignored_paths)

    # -- jobs -----------------------------------------------------------------------------------

    def job(self, name: str, event_type: str = "cron", **fields: Any) -> Job:
        """Return a context manager and decorator whose every run becomes one event (docs/jobs.md).

        `with` and `async with`, functions, coroutines and generators. The run has a scope of its
        own; its exception is captured and raised unchanged. `fields` are those of
        `capture_event`; others are the job's parameters and go to `metadata`.

        Args:
            name: what the job is called, and its `endpoint`.
            event_type: cron, queue, webhook or custom.
            **fields: for every run.

        """
        return Job(self.recorder, name, event_type, fields)

    # -- logs -----------------------------------------------------------------------------------

    def logger(self, name: str) -> Logger:
        """Return this client's logger of that name; the same object each time."""
        known = self._loggers.get(name)
        return known if known is not None else self._loggers.setdefault(name, Logger(name, self.recorder))

    def flow(self, name: str, *, id: str | None = None, start: int = 0) -> Flow:
        """Return a flow: a logger whose entries carry one id, `{name}-{8 characters}`, and count their steps.

        `id` and `start` go on with a flow that began elsewhere.
        """
        return new_flow(name, recorder=self.recorder, id=id, start=start)

    async def flow_async(self, name: str) -> Flow:
        """Return a flow whose id the receiver makes; a local one where it does not. Never raises."""
        return await new_flow_async(name, recorder=self.recorder)

    # -- delivery -------------------------------------------------------------------------------

    def flush(self, timeout_seconds: float | None = None) -> bool:
        """Deliver everything captured before this call, waiting at most `timeout_seconds` (None: 10).

        Returns:
            True iff all of it is delivered or dropped; what is in flight is waited for.

        Raises:
            Exception: the last transport error since the last flush, with `raise_on_error` only.

        """
        return self._finish(self.recorder.flush, timeout_seconds, "flush")

    def close(self, timeout_seconds: float | None = None) -> bool:
        """Flush, then end the sender's thread. Later captures are counted as dropped (`closed`).

        Calling it again flushes again what could not be delivered. Same result and errors as
        `flush`.
        """
        try:
            return self._finish(self.recorder.close, timeout_seconds, "close")
        finally:
            if not self.recorder.undelivered:
                unregister(self.recorder)

    def _finish(self, verb: Callable[[float | None], bool], timeout_seconds: float | None, what: str) -> bool:
        done = False
        with self.recorder.guard.protect(what):
            done = verb(timeout_seconds)
        self.recorder.raise_last_error()
        return done

    async def flush_async(self, timeout_seconds: float | None = None) -> bool:
        """Do as `flush`, on a thread of its own: the event loop goes on."""
        return await beside_the_loop(lambda: self.flush(timeout_seconds))

    async def close_async(self, timeout_seconds: float | None = None) -> bool:
        """Do as `close`, on a thread of its own: the event loop goes on."""
        return await beside_the_loop(lambda: self.close(timeout_seconds))

    def stats(self) -> Stats:
        """Return the account of every event at this moment (see `Stats`). Cheap; any thread."""
        return self.recorder.stats()

    def __enter__(self) -> ReplayStackClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> ReplayStackClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close_async()

    def __repr__(self) -> str:
        return f"<ReplayStackClient {self.config.service_name or 'unnamed'} to {self.config.base_url}>"


def _policy(config: Config) -> Policy:
    try:
        return Policy.build(
            mask_fields=config.mask_fields,
            unmask_fields=config.unmask_fields,
            mask_values=config.mask_values,
            remote_fields=config.remote_masking_rules,
        )
    except ValueError as error:  # it names the option and the entry
        raise ConfigError(str(error)) from None


def set_default_client(client: ReplayStackClient | None) -> None:
    """Let module-level calls such as `replaystack.add_breadcrumb` go to `client`.

    None gives the role back to the first client that is open.
    """
    set_default_recorder(None if client is None else client.recorder)
