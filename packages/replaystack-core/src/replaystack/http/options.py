"""The one set of options that every adapter takes (API.md section 5)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..paths import DEFAULT_IGNORED_PATHS, PathFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .address import Networks

__all__ = ["MiddlewareOptions"]


@dataclass
class MiddlewareOptions:
    """What an adapter captures of a request, and which requests it leaves alone.

    Callables get the framework's own request object, run in the request, and may raise:
    then it is as if they were not there.
    """

    capture_request_body: bool = True
    capture_response_body: bool = True
    capture_headers: bool = True
    """False: no headers in the event; the auth mode is read from them all the same."""
    ignored_paths: Sequence[str] = ()
    """Added to the client's own and to the default probes (`/health`, `/metrics`, ...)."""
    get_trace_id: Callable[[Any], str | None] | None = None
    should_capture: Callable[[dict[str, Any]], bool] | None = None
    """Gets `{method, path, statusCode, executionTimeMs}` once the answer is known."""
    capture_streaming_body: bool = False
    """False: a streamed answer carries a marker instead of its body."""
    get_user: Callable[[Any], str | None] | None = None
    """The consumer's id, asked at the end of the request, for `metadata.replaystack.user`."""
    trusted_proxies: Sequence[str] = ()
    """Addresses or networks whose `X-Forwarded-*` headers are believed."""
    proxy_networks: Networks = field(default=(), init=False, repr=False, compare=False)
    """`trusted_proxies`, parsed."""

    def __post_init__(self) -> None:
        for name in ("ignored_paths", "trusted_proxies"):
            value = getattr(self, name)
            if isinstance(value, (str, bytes)) or not all(isinstance(item, str) for item in value):
                raise ConfigError(f"{name} must be a sequence of strings (not one string): got {value!r}")
        for name in ("get_trace_id", "should_capture", "get_user"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise ConfigError(f"{name} must be callable: got {type(value).__name__}")
        try:
            self.proxy_networks = tuple(
                ipaddress.ip_network(entry, strict=False) for entry in self.trusted_proxies
            )
        except ValueError as error:
            raise ConfigError(f"trusted_proxies must hold addresses or networks: {error}") from None

    def path_filter(self, client_ignored_paths: Iterable[str]) -> PathFilter:
        """Return the filter of requests that are left alone altogether."""
        return PathFilter((*DEFAULT_IGNORED_PATHS, *self.ignored_paths, *client_ignored_paths))
