"""Every option of a client as data, and the one resolver: argument, environment, default.

The table is API.md section 1. A bad argument is a `ConfigError` at once; a malformed
environment variable never stops an application: one WARNING, then the default.
"""

from __future__ import annotations

import difflib
import logging
import math
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

from . import option_checks as checks
from .errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .option_checks import Durability, LogLevelName

__all__ = ["OPTIONS", "ClientOptions", "Config", "Option", "resolve"]

_log = logging.getLogger(__name__)

DEFAULT_ENDPOINT = "https://api.replaystack.co"
INGEST_PATH = "/api/v1/ingest/events"
MIB = 1024 * 1024

_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_FALSE = frozenset({"0", "false", "no", "off", "n", "f"})


class ClientOptions(TypedDict, total=False):
    """The keyword arguments of `ReplayStackClient`; None means: not given."""

    api_key: str | None
    endpoint: str | None
    ingest_url: str | None
    service_name: str | None
    app_version: str | None
    commit_hash: str | None
    environment: str | None
    enabled: bool | None
    timeout_seconds: float | None
    max_retries: int | None
    sample_rate: float | None
    sample_rate_failed: float | None
    capture_success: bool | None
    max_payload_bytes: int | None
    mask_fields: Iterable[str] | None
    unmask_fields: Iterable[str] | None
    mask_values: bool | Iterable[str] | None
    remote_masking_rules: Mapping[str, Any] | None
    ignored_paths: Iterable[str] | None
    max_breadcrumbs: int | None
    offline_queue_max: int | None
    queue_max_bytes: int | None
    flush_interval_seconds: float | None
    async_send: bool | None
    raise_on_error: bool | None
    on_error: Callable[[BaseException], None] | None
    on_queue_drop: Callable[[dict[str, Any]], None] | None
    transport: Any
    batch_max_events: int | None
    batch_interval_seconds: float | None
    shutdown_timeout_seconds: float | None
    automatic_breadcrumbs: bool | None
    before_send: Callable[[dict[str, Any]], dict[str, Any] | None] | None
    spool_path: str | os.PathLike[str] | None
    spool_max_bytes: int | None
    durability: Durability | None
    metrics: Any
    capture_logs: bool | None
    log_level: str | None
    max_logs: int | None
    send_pii: bool | None


# -- how an environment variable's text becomes a value


def _parse_boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("true or false")


def _parse_milliseconds(text: str) -> float:
    return float(text) / 1000.0


@dataclass(frozen=True, slots=True)
class Option:
    """One option: how it is named in the environment, what it defaults to, what it must be."""

    check: Callable[[object], Any]
    default: Any = None
    env: str | None = None
    parse: Callable[[str], object] = str
    secret: bool = False
    """Never shown in an error or a log line."""


OPTIONS: dict[str, Option] = {
    "api_key": Option(checks.header_value, env="REPLAYSTACK_API_KEY", parse=str.strip, secret=True),
    "endpoint": Option(checks.base_url, DEFAULT_ENDPOINT, "REPLAYSTACK_ENDPOINT", str.strip),
    "ingest_url": Option(checks.url, None, "REPLAYSTACK_INGEST_URL", str.strip),
    "service_name": Option(checks.text, None, "REPLAYSTACK_SERVICE_NAME", str.strip),
    "app_version": Option(checks.text, None, "REPLAYSTACK_APP_VERSION", str.strip),
    "commit_hash": Option(checks.text, None, "REPLAYSTACK_COMMIT_HASH", str.strip),
    "environment": Option(checks.text, "development", "REPLAYSTACK_ENVIRONMENT", str.strip),
    "enabled": Option(checks.boolean, True, "REPLAYSTACK_ENABLED", _parse_boolean),
    # An hour: a larger number is milliseconds taken for seconds.
    "timeout_seconds": Option(
        checks.number(0, 3600, above=True), 2.5, "REPLAYSTACK_TIMEOUT_MS", _parse_milliseconds
    ),
    "max_retries": Option(checks.integer(0, 100), 1, "REPLAYSTACK_RETRIES", int),
    "sample_rate": Option(checks.number(0.0, 1.0), 1.0, "REPLAYSTACK_SAMPLE_RATE", float),
    "sample_rate_failed": Option(checks.number(0.0, 1.0)),
    "capture_success": Option(checks.boolean, True, "REPLAYSTACK_CAPTURE_SUCCESS", _parse_boolean),
    "max_payload_bytes": Option(checks.integer(1, MIB), 524288, "REPLAYSTACK_MAX_PAYLOAD_SIZE_BYTES", int),
    "mask_fields": Option(checks.strings, ()),
    "unmask_fields": Option(checks.strings, ()),
    "mask_values": Option(checks.mask_values, True),
    "remote_masking_rules": Option(checks.remote_rules, ()),
    "ignored_paths": Option(checks.strings, ()),
    "max_breadcrumbs": Option(checks.integer(0), 50, "REPLAYSTACK_MAX_BREADCRUMBS", int),
    "offline_queue_max": Option(checks.integer(0), None, "REPLAYSTACK_OFFLINE_QUEUE_MAX", int),
    "queue_max_bytes": Option(checks.integer(1), 16 * MIB),
    "flush_interval_seconds": Option(
        checks.number(0, math.inf), 0.0, "REPLAYSTACK_FLUSH_INTERVAL_MS", _parse_milliseconds
    ),
    "async_send": Option(checks.boolean, True),
    "raise_on_error": Option(checks.boolean, False),
    "on_error": Option(checks.function),
    "on_queue_drop": Option(checks.function),
    "transport": Option(checks.transport),
    # WIRE.md section 1: a bulk request carries at most 100 events.
    "batch_max_events": Option(checks.integer(1, 100), 50),
    "batch_interval_seconds": Option(checks.number(0, 3600), 0.2),
    "shutdown_timeout_seconds": Option(checks.number(0, 3600), 2.0),
    "automatic_breadcrumbs": Option(checks.boolean, True),
    "before_send": Option(checks.function),
    "spool_path": Option(checks.path, None, "REPLAYSTACK_SPOOL_PATH", str.strip),
    "spool_max_bytes": Option(checks.integer(1), 256 * MIB),
    "durability": Option(checks.durability, "on_failure"),
    "metrics": Option(checks.metrics),
    "capture_logs": Option(checks.boolean, True, "REPLAYSTACK_CAPTURE_LOGS", _parse_boolean),
    "log_level": Option(checks.log_level, "info", "REPLAYSTACK_LOG_LEVEL", str.strip),
    "max_logs": Option(checks.integer(0), 50, "REPLAYSTACK_MAX_LOGS", int),
    "send_pii": Option(checks.boolean, False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The options of one client, resolved. Times in seconds, sizes in bytes."""

    api_key: str = field(repr=False)
    endpoint: str
    ingest_url: str
    base_url: str
    """What every other path of the receiver hangs on; the host of `ingest_url` where that is given."""
    service_name: str | None
    app_version: str | None
    commit_hash: str | None
    environment: str
    enabled: bool
    timeout_seconds: float
    max_retries: int
    sample_rate: float
    sample_rate_failed: float | None
    capture_success: bool
    max_payload_bytes: int
    mask_fields: tuple[str, ...]
    unmask_fields: tuple[str, ...]
    mask_values: bool | tuple[str, ...]
    remote_masking_rules: tuple[str, ...]
    ignored_paths: tuple[str, ...]
    max_breadcrumbs: int
    offline_queue_max: int | None
    queue_max_bytes: int
    flush_interval_seconds: float
    async_send: bool
    raise_on_error: bool
    on_error: Callable[[BaseException], None] | None
    on_queue_drop: Callable[[dict[str, Any]], None] | None
    transport: Any
    batch_max_events: int
    batch_interval_seconds: float
    shutdown_timeout_seconds: float
    automatic_breadcrumbs: bool
    before_send: Callable[[dict[str, Any]], dict[str, Any] | None] | None
    spool_path: str | None
    spool_max_bytes: int
    durability: Durability
    metrics: Any
    capture_logs: bool
    log_level: LogLevelName
    max_logs: int
    send_pii: bool
    explicit: frozenset[str]
    """Names of the options that came from an argument or the environment."""
    malformed: tuple[str, ...]
    """One line for each environment variable that was not taken, for diagnosis."""
    retry_base_seconds: float = 0.15
    """WIRE.md section 1: the first quick attempt waits up to this, each next one up to twice as long."""
    retry_max_seconds: float = 60.0
    logs_without_asking: bool = False
    """Send log entries to a receiver that did not advertise `logs`: the Timberlogs facade was told so."""


def _shown(option: Option, value: object) -> str:
    """Return `value` as an error may show it: never a secret, never long."""
    if option.secret:
        return type(value).__name__
    if isinstance(value, str) and "@" in value:
        return "a text with a credential in it"
    text = (
        repr(value)
        if type(value) in (str, int, float, bool, bytes, list, tuple, dict)
        else type(value).__name__
    )
    return text if len(text) <= 80 else text[:77] + "..."


def _from_argument(name: str, option: Option, value: object) -> Any:
    try:
        return option.check(value)
    except ValueError as error:
        raise ConfigError(f"{name} must be {error}: got {_shown(option, value)}") from None


def resolve(options: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Config:
    """Return the resolved options of a client.

    Args:
        options: the keyword arguments; a value of None counts as not given.
        environ: where variables are read from; `os.environ` when left out.

    Raises:
        TypeError: an unknown option; the text names the nearest one.
        ConfigError: a bad value, or no `api_key` from anywhere.

    """
    env = os.environ if environ is None else environ
    for name in options:
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"ReplayStackClient got an unknown option {name!r}{hint}")

    values: dict[str, Any] = {}
    explicit: set[str] = set()
    malformed: list[str] = []
    unusable_address = False
    for name, option in OPTIONS.items():
        given = options.get(name)
        # The seed's users write service_name=os.getenv("SERVICE", ""): empty means: not given.
        if given is not None and not (type(given) is str and not given):
            values[name] = _from_argument(name, option, given)
            explicit.add(name)
            continue
        values[name] = option.default
        text = env.get(option.env, "") if option.env else ""
        if not text.strip():
            continue
        try:
            values[name] = option.check(option.parse(text))
            explicit.add(name)
        except (ValueError, OverflowError):
            malformed.append(f"{option.env} is malformed and was not used (option {name})")
            unusable_address = unusable_address or option.check in {checks.url, checks.base_url}

    if not values["api_key"]:
        hint = " (" + "; ".join(malformed) + ")" if malformed else ""
        raise ConfigError(
            "ReplayStack apiKey is required: pass api_key=... "
            "or set the environment variable REPLAYSTACK_API_KEY" + hint
        )
    for line in malformed:
        _log.warning("%s", line)
    if unusable_address and values["enabled"]:
        # The default address would be another company's machine than the one that was meant.
        values["enabled"] = False
        _log.warning("the receiver's address is malformed: capturing is off until it is mended")
    if values["offline_queue_max"] is None and not values["async_send"]:
        values["offline_queue_max"] = 100  # the seed's default, for the seed's way of sending
    values.update(_addresses(values))
    return Config(**values, explicit=frozenset(explicit), malformed=tuple(malformed))


def _addresses(values: Mapping[str, Any]) -> dict[str, str]:
    """Return where events go and what every other path of the receiver derives from."""
    ingest_url = values["ingest_url"]
    if ingest_url is None:
        return {"ingest_url": values["endpoint"] + INGEST_PATH, "base_url": values["endpoint"]}
    # Also when `endpoint` was given as well: an endpoint left in the environment must not
    # receive the key of a client that was pointed elsewhere.
    parts = urlsplit(ingest_url)
    base = f"{parts.scheme}://{parts.netloc}"
    if parts.path.endswith(INGEST_PATH):  # keep a prefix that a gateway put before our path
        base += parts.path[: -len(INGEST_PATH)]
    return {"ingest_url": ingest_url, "base_url": base}
