"""How the SDK speaks of its own trouble: it logs, it calls `on_error`, it never raises.

The scheme is the one that API.md and DESIGN.md take from the Autoplay seed: one logger per
module below `replaystack`, no handler but a NullHandler, lazy arguments, `extra` from a
fixed list of keys, and never a key, a header, a cookie or a body.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["EXTRA_KEYS", "Guard", "RateLimitedLogger", "is_strict", "package_logger", "raise_internal_errors"]

EXTRA_KEYS = frozenset(
    {
        "session_id",
        "product_id",
        "conversation_id",
        "url",
        "event_type",
        "http_status",
        "retry_count",
        "reason",
        "event_count",
        "byte_count",
    }
)
"""The only keys that a record of ours may carry in `extra`."""

package_logger: logging.Logger = logging.getLogger("replaystack")
package_logger.addHandler(logging.NullHandler())

_REPEAT_SECONDS = 60.0
"""The same trouble is worth one line a minute: an outage must not become a flood of logs."""

_MAX_KINDS = 200
"""How many kinds of trouble one logger remembers: arguments may be anything."""

_strict = False


def raise_internal_errors(enabled: bool) -> None:  # noqa: FBT001 - a switch, read like one
    """Let internal errors through instead of swallowing them. For test suites only.

    Process-wide. The SDK's own tests switch it on, so that no defect hides behind the guard.
    """
    global _strict  # noqa: PLW0603 - one switch for the process is what is meant
    _strict = enabled


def is_strict() -> bool:
    """Tell whether `raise_internal_errors` is on."""
    return _strict


class RateLimitedLogger:
    """A logger that says the same thing at most once a minute. Safe in any thread."""

    def __init__(self, name: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._logger = logging.getLogger(name)
        self._monotonic = monotonic
        self._last: dict[str, float] = {}

    def log(
        self,
        level: int,
        message: str,
        *args: object,
        exc_info: BaseException | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        """Log unless the same `message` (before formatting) was logged a moment ago."""
        now = self._monotonic()
        # The first argument tells one kind of trouble from another: one must not hide the next.
        kind = f"{message} {args[0]}" if args else message
        if now - self._last.get(kind, -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return
        if len(self._last) > _MAX_KINDS:
            self._last.clear()
        self._last[kind] = now
        self._logger.log(level, message, *args, exc_info=exc_info, extra=extra)


class Guard:
    """The wall between the SDK's own errors and the application.

    `on_error` gets every error; if it raises, that is swallowed; if it causes another
    error while it runs, it is not called again (no recursion).

    It also knows, thread by thread, whether the SDK itself is at work there (a hook, a log
    line of ours, a step of the sender): what is captured from inside of that would feed itself.
    """

    def __init__(self, on_error: Callable[[BaseException], None] | None = None) -> None:
        self._on_error = on_error
        self._log = RateLimitedLogger("replaystack.diagnostics")
        self._here = threading.local()

    def renew(self) -> None:
        """Forget who is busy: in a forked child, or where gevent replaced what threads are."""
        self._here = threading.local()

    @property
    def is_busy_here(self) -> bool:
        """Whether the calling thread is inside of the SDK's own work."""
        return getattr(self._here, "depth", 0) > 0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Mark the block as the SDK's own work on the calling thread. Nests."""
        here = self._here  # a fork inside of the block renews it
        here.depth = getattr(here, "depth", 0) + 1
        try:
            yield
        finally:
            here.depth -= 1

    def report(self, error: BaseException, message: str = "replaystack: %s failed", *args: object) -> None:
        """Log `error` (rate limited; not where `message` is empty), hand it to `on_error`. Never raises."""
        here = self._here
        if getattr(here, "reporting", False):
            return
        here.reporting = True
        try:
            with self.busy():
                if message:
                    self._log.log(logging.WARNING, message, *args, exc_info=error)
                if self._on_error is not None:
                    self._on_error(error)
        except Exception:  # noqa: BLE001 - a raising hook or log handler is the user's; it ends here
            pass
        finally:
            here.reporting = False

    def caught(self, error: Exception, what: str) -> None:
        """Do what `protect` does, for an `except` on a hot path. Never raises, but in strict mode."""
        if _strict:
            raise error
        self.report(error, "replaystack: %s failed", what)

    @contextmanager
    def protect(self, what: str) -> Iterator[None]:
        """Swallow and report any `Exception` of the block; `what` names it in the log line.

        KeyboardInterrupt, SystemExit and CancelledError pass: they belong to the application.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - this is the wall
            self.caught(error, what)
