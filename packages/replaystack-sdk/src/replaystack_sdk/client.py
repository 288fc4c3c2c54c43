"""The client under its import path of 1.x, with the constants that stood beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import replaystack
from replaystack.config import DEFAULT_ENDPOINT, INGEST_PATH, OPTIONS
from replaystack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DEFAULT_ENDPOINT",
    "DEFAULT_INGEST_PATH",
    "DEFAULT_MAX_BREADCRUMBS",
    "DEFAULT_MAX_PAYLOAD_SIZE",
    "DEFAULT_OFFLINE_QUEUE_MAX",
    "DEFAULT_RETRIES",
    "DEFAULT_TIMEOUT_SECONDS",
    "SDK_NAME",
    "SDK_VERSION",
    "ReplayStack",
    "ReplayStackClient",
]

SDK_NAME: str = "python"
SDK_VERSION: str = __version__
DEFAULT_INGEST_PATH = INGEST_PATH
DEFAULT_TIMEOUT_SECONDS: float = OPTIONS["timeout_seconds"].default
DEFAULT_RETRIES: int = OPTIONS["max_retries"].default
DEFAULT_MAX_PAYLOAD_SIZE: int = OPTIONS["max_payload_bytes"].default
DEFAULT_MAX_BREADCRUMBS: int = OPTIONS["max_breadcrumbs"].default
DEFAULT_OFFLINE_QUEUE_MAX = 100
"""Of synchronous clients; asynchronous ones bound their queue by bytes (DESIGN.md, Queue)."""


class ReplayStackClient(replaystack.ReplayStackClient):
    """Core's client, whose resolved options can also be read as attributes, as in 1.x.

    They are for reading: an option changed on a running client has no effect, so assigning
    one raises `AttributeError`.
    """

    api_key: str
    endpoint: str
    ingest_url: str
    service_name: str | None
    environment: str
    app_version: str | None
    commit_hash: str | None
    enabled: bool
    timeout_seconds: float
    max_retries: int
    sample_rate: float
    capture_success: bool
    max_payload_bytes: int
    mask_fields: tuple[str, ...]
    ignored_paths: tuple[str, ...]
    max_breadcrumbs: int
    offline_queue_max: int | None
    flush_interval_seconds: float
    async_send: bool
    raise_on_error: bool
    on_error: Callable[[BaseException], None] | None
    on_queue_drop: Callable[[dict[str, Any]], None] | None

    def __getattr__(self, name: str) -> Any:
        """Look an option up; called only for what is no attribute otherwise."""
        if name in _READABLE:
            return getattr(self.config, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        if name in _READABLE:
            raise AttributeError(
                f"{name} cannot be changed on a running client: pass it when the client is made"
            )
        super().__setattr__(name, value)


_READABLE = frozenset(ReplayStackClient.__annotations__)

ReplayStack = ReplayStackClient
