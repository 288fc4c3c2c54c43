"""The settings of a Timberlogs client: the seed's names and defaults, checked, and as a `Config` of ours."""

from __future__ import annotations

import dataclasses
import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..config import resolve
from ..logs.levels import read_level
from ..logs.timber import LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..config import Config

__all__ = [
    "NO_KEY",
    "Environment",
    "TimberlogsConfig",
    "ValidationError",
    "complete_retry",
    "resolve_settings",
]

Environment = str
"""development, staging, production, or any other name."""

_TIMEOUT_SECONDS = 30.0  # the seed's, of one attempt; nobody but the sender's thread waits
_RETRY = {"max_retries": 3, "initial_delay_ms": 1000, "max_delay_ms": 30_000}
NO_KEY = "none"
"""Stands for the API key that is missing."""


class ValidationError(ValueError):
    """A setting of the client cannot work. Logging never raises it: what is too long is cut."""


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


def complete_retry(config: TimberlogsConfig) -> dict[str, int]:
    """Check all settings; return those of `retry`, completed. Raises `ValidationError`."""
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


def resolve_settings(config: TimberlogsConfig, retry: dict[str, int]) -> Config:
    """Return the settings as a recorder takes them; without a key (`NO_KEY`) it is not enabled.

    `retry` is complete (`complete_retry`): milliseconds there, seconds here.
    """
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
    return dataclasses.replace(
        resolved,
        enabled=resolved.enabled and resolved.api_key != NO_KEY,
        logs_without_asking=True,
        retry_base_seconds=retry["initial_delay_ms"] / 1000,
        retry_max_seconds=retry["max_delay_ms"] / 1000,
    )


def _environ(config: TimberlogsConfig) -> dict[str, str]:
    """Return what the environment says of where and with which key; all else is the seed's own."""
    names = ("REPLAYSTACK_API_KEY", "REPLAYSTACK_ENDPOINT", "REPLAYSTACK_INGEST_URL", "REPLAYSTACK_ENABLED")
    environ = {name: os.environ[name] for name in names if os.environ.get(name, "").strip()}
    if not config.api_key:
        environ.setdefault("REPLAYSTACK_API_KEY", NO_KEY)
    return environ
