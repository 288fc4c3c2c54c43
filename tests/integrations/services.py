"""The services that workers need: where they are, by environment variables, and that they answer."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from tests.availability import missing

__all__ = ["amqp_url", "redis_url"]

_CONNECT_SECONDS = 5.0


def _answering(variable: str, default: str, name: str) -> str:
    """Return the service's URL; skip (under CI: fail) where nothing listens there."""
    url = os.environ.get(variable) or default
    address = urlsplit(url)
    try:
        host, port = address.hostname or "127.0.0.1", address.port or 0
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError:
        missing(f"no {name} at {address.hostname}:{address.port} ({variable} names another)")
    return url


def redis_url() -> str:
    """Return where Redis is: `REDIS_URL`, else this machine."""
    return _answering("REDIS_URL", "redis://127.0.0.1:6379", "Redis")


def amqp_url() -> str:
    """Return where RabbitMQ is: `AMQP_URL`, else this machine."""
    return _answering("AMQP_URL", "amqp://guest:guest@127.0.0.1:5672", "RabbitMQ")
