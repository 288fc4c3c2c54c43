"""`install_replaystack_process_guards`: which guards, for whom, and how to be rid of them."""

from __future__ import annotations

from functools import partial
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING, Protocol

from .hooks import THREAD, UNCAUGHT, UNRAISABLE
from .loops import LOOPS
from .shutdown import SHUTDOWN, checked_signals
from .subscribers import changing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..recorder import Recorder

__all__ = ["install_replaystack_process_guards"]


class _Client(Protocol):
    @property
    def recorder(self) -> Recorder:
        """What the guards really work with."""


def install_replaystack_process_guards(
    client: _Client,
    *,
    uncaught_exception: bool = True,
    thread_exception: bool = True,
    unraisable_exception: bool = True,
    asyncio_unhandled_rejection: bool = True,
    flush_on_shutdown: bool = True,
    shutdown_signals: Iterable[int] | None = (SIGINT, SIGTERM),
) -> Callable[[], None]:
    """Let `client` capture what nobody caught, and let a deadly signal wait for what is queued.

    Hooks that were there before are called as before, so a traceback is still printed.
    KeyboardInterrupt and SystemExit are no events. A disabled client gets no guards. Installed
    twice for one client counts once.

    Args:
        client: a `ReplayStackClient`.
        uncaught_exception: `sys.excepthook`, endpoint `/runtime/uncaughtException`.
        thread_exception: `threading.excepthook`, endpoint `/runtime/thread`.
        unraisable_exception: `sys.unraisablehook` (say, in `__del__`), endpoint `/runtime/unraisable`.
        asyncio_unhandled_rejection: a task's exception that nobody awaited, endpoint
            `/runtime/asyncio`; on the loop that runs now, and on each at its first exchange or job.
        flush_on_shutdown: False leaves all signals alone.
        shutdown_signals: those whose default action is to wait for the flush of all open clients,
            for at most the longest `shutdown_timeout_seconds`; the process then ends by the
            signal. A signal with a handler, or ignored, is left alone. None: SIGINT and SIGTERM.

    Returns:
        A function that takes these guards away again; several in any order. Calling it twice is
        calling it once. On the main thread it restores signals too.

    Raises:
        ConfigError: an entry of `shutdown_signals` is no signal, or cannot be caught.

    """
    recorder = client.recorder
    signals = checked_signals(shutdown_signals)
    if not recorder.config.enabled:
        return _nothing
    undo: list[Callable[[], None]] = []
    chosen = ((uncaught_exception, UNCAUGHT), (thread_exception, THREAD), (unraisable_exception, UNRAISABLE))
    with changing:
        for is_chosen, hook in chosen:
            if is_chosen:
                hook.subscribe(recorder)
                undo.append(partial(hook.unsubscribe, recorder))
        if asyncio_unhandled_rejection:
            LOOPS.subscribe(recorder)
            undo.append(partial(LOOPS.unsubscribe, recorder))
        if flush_on_shutdown:
            SHUTDOWN.take(signals)
            undo.append(partial(SHUTDOWN.give_back, signals))

    def unsubscribe() -> None:
        with changing:
            while undo:
                undo.pop()()

    return unsubscribe


def _nothing() -> None:
    """Take nothing away: a disabled client has no guards."""
