"""In: the standard library's logging, by a handler, and its warnings."""

from __future__ import annotations

import logging
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any, Final, TextIO

from ..entry import ENTRY_ATTRIBUTE
from ..levels import level_for_number
from .intake import Client, is_own, take

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ReplayStackHandler", "capture_warnings"]

_RESERVED: Final = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})


class ReplayStackHandler(logging.Handler):
    """Takes over records: `logging.getLogger().addHandler(ReplayStackHandler())`.

    `extra` becomes fields, `exc_info` the error with its traceback. Passed over are records that a
    logger of ours made (they are taken already), those of the SDK itself, and what is logged on
    the same thread while one is taken over.

    Args:
        level: of the handler, as ever.
        client: a `ReplayStackClient`; None means the default client at the time.

    """

    def __init__(self, level: int | str = logging.NOTSET, *, client: Client | None = None) -> None:
        super().__init__(level)
        self._client = client
        self._here = threading.local()

    def handle(self, record: logging.LogRecord) -> bool:
        """Take over one record. Without the handler's lock: nothing here is shared."""
        passed = self.filter(record)
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Take over one record. Never raises."""
        if (
            ENTRY_ATTRIBUTE in record.__dict__
            or is_own(record.name)
            or getattr(self._here, "is_inside", False)
        ):
            return
        self._here.is_inside = True  # from here on code of the application may run: `__str__` of arguments
        try:
            fields = {key: value for key, value in record.__dict__.items() if key not in _RESERVED}
            if record.stack_info:
                fields["stack_info"] = record.stack_info
            take(
                self._client,
                logger=record.name,
                level=level_for_number(record.levelno),
                timestamp=record.created,
                message=_message(record, fields),
                fields=fields,
                error=record.exc_info[1] if record.exc_info else None,
                error_stack=record.exc_text,
            )
        except Exception:  # noqa: BLE001 - as every handler: it is said on stderr, unless that is off
            self.handleError(record)
        finally:
            self._here.is_inside = False


def _message(record: logging.LogRecord, fields: dict[str, Any]) -> str:
    """Return the formatted message; one that cannot be formatted as it is, its arguments as a field."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong number of arguments, or an argument's own `__str__`
        fields["args"] = record.args
        return record.msg if type(record.msg) is str else type(record.msg).__name__


def capture_warnings(client: Client | None = None, *, logger: str = "py.warnings") -> Callable[[], None]:
    """Take over what `warnings.warn` says, which is printed as before. Returns its removal."""
    before = warnings.showwarning

    def show(  # noqa: PLR0917 - as `warnings` calls it
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if file is None and is_active:
            take(
                client,
                logger=logger,
                level="warning",
                timestamp=time.time(),
                message=str(message),
                fields={"category": category.__name__, "filename": filename, "line_number": lineno},
            )
        before(message, category, filename, lineno, file, line)

    is_active = True

    def remove() -> None:
        nonlocal is_active
        is_active = False
        if warnings.showwarning is show:  # else somebody has put theirs on top: ours passes on
            warnings.showwarning = before

    warnings.showwarning = show
    return remove
