"""In: structlog, by a processor, and loguru, by a sink. Neither is imported here."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from ..levels import level_for_number, read_level
from .intake import Client, is_own, take

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["LoguruSink", "StructlogProcessor"]


class StructlogProcessor:
    """Takes over events of structlog, and hands them on unchanged.

    Anywhere in the chain, best before what renders: `processors=[..., StructlogProcessor(), renderer]`.
    `event` is the message, `logger` the logger's name, `exc_info` and `exception` the error; `level`
    or the method tells the level; everything else becomes fields.

    Args:
        client: a `ReplayStackClient`; None means the default client at the time.
        logger: the name where an event has none.

    """

    def __init__(self, client: Client | None = None, *, logger: str = "structlog") -> None:
        self._client = client
        self._logger = logger

    def __call__(
        self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Take over one event."""
        fields = dict(event_dict)
        name = fields.pop("logger", None) or getattr(logger, "name", None)
        level = read_level(fields.pop("level", None)) or read_level(method_name) or "info"
        stack = fields.pop("exception", None)
        fields.pop("timestamp", None)  # now, or a text of whatever form
        name = name if type(name) is str else self._logger
        if not is_own(name):
            take(
                self._client,
                logger=name,
                level=level,
                timestamp=time.time(),
                message=fields.pop("event", ""),
                error=_error(fields.pop("exc_info", None)),
                error_stack=stack if type(stack) is str else None,
                fields=fields,
            )
        return event_dict


class LoguruSink:
    """Takes over records of loguru: `logger.add(LoguruSink(), format="{message}")`.

    `extra` (what was bound) becomes fields; `logger` in it is the logger's name, else the module is.

    Args:
        client: a `ReplayStackClient`; None means the default client at the time.

    """

    def __init__(self, client: Client | None = None) -> None:
        self._client = client

    def __call__(self, message: Any) -> None:
        """Take over one message, which carries its record."""
        record = message.record
        fields = dict(record["extra"])
        name = fields.pop("logger", None)
        name = name if type(name) is str else record["name"] or "loguru"
        if is_own(name):
            return
        exception = record["exception"]
        take(
            self._client,
            logger=name,
            level=level_for_number(record["level"].no),
            timestamp=record["time"].timestamp(),
            message=record["message"],
            fields=fields,
            error=None if exception is None else exception.value,
        )


def _error(exc_info: Any) -> BaseException | None:
    """Return the exception that structlog's `exc_info` means: one, a triple of one, or True."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None
