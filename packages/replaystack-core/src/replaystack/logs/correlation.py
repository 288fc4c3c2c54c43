"""Log with the id of what belongs together, by whatever logger."""

from __future__ import annotations

import logging
from typing import Any

from ..scope import get_correlation_id
from .behind import RESERVED
from .entry import beside
from .levels import SEVERITY, read_level
from .logger import Logger, get_logger

__all__ = ["log_with_correlation"]


def log_with_correlation(
    logger: Logger | logging.Logger | str, level: str | int, message: str, **fields: Any
) -> None:
    """Log `message` with the correlation id of this context; an explicit `correlation_id` wins.

    `logger`: one of ours, one of the standard library, or a name for `get_logger`. Where the
    context has no id yet, one is made, once. Never raises because of `fields`.
    """
    fields.setdefault("correlation_id", get_correlation_id())
    if isinstance(logger, logging.Logger):
        number = level if type(level) is int else SEVERITY[read_level(level) or "info"]
        exc_info = fields.pop("exc_info", None)
        logger.log(number, message, exc_info=exc_info, extra=dict(beside(fields, RESERVED)), stacklevel=2)
        return
    (get_logger(logger) if isinstance(logger, str) else logger).log(level, message, **fields)
