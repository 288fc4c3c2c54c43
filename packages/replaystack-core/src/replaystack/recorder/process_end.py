"""The end of a process: what is queued goes out, within a bound, and one line says what did not."""

from __future__ import annotations

import atexit
import os
import sys
import time
from typing import TYPE_CHECKING

from .registry import open_recorders, remember

if TYPE_CHECKING:
    from .lifetime import FlushTarget
    from .recorder import Recorder

__all__ = ["flush_at_exit", "forget_exit", "is_exiting", "watch_exit", "watch_recorder"]

_is_watched = False
_watched_child = 0  # the process whose end as a child of multiprocessing is watched
_exit_deadline: float | None = None  # set once the interpreter is on its way out
_said = 0  # how many undelivered events were told on stderr

_HURRIED_FINISH_SECONDS = 0.2
"""How long the end of a process still takes once Ctrl-C has asked it to hurry: what is left goes to disk."""

_EXIT_GATE_SECONDS = 0.2
"""How long the end waits for a write to disk that is under way."""

_LAST = -100
"""The priority of a finalizer of multiprocessing that runs after the application's own."""


def watch_exit() -> None:
    """Flush when the interpreter exits. For the first client of a process; later calls do nothing.

    By `atexit` and not by `threading._register_atexit`, on every Python from 3.10: the latter
    runs before the threads that are no daemons are waited for, and they may still capture. Our
    own thread is a daemon, so it is still there when `atexit` calls; where a new one is refused
    (from 3.12 on as soon as the main thread has ended), the flush sends in its own thread.
    """
    global _is_watched  # noqa: PLW0603 - one handler per process
    if not _is_watched:
        _is_watched = True
        atexit.register(flush_at_exit)


def watch_recorder(recorder: Recorder) -> None:
    """Let what `recorder` captures late be cared for, and the end of a child of multiprocessing be seen."""
    recorder.on_late_capture = _care_for_late_capture
    recorder.on_shutdown = lambda ended: _say_what_is_lost([ended])
    recorder.lifetime.on_take_up = _watch_child


def _watch_child() -> None:
    """Flush at the end of a child of multiprocessing, billiard or celery: it leaves past `atexit`."""
    global _watched_child  # noqa: PLW0603 - one per process
    if _watched_child == os.getpid():
        return
    _watched_child = os.getpid()
    for package in ("multiprocessing", "billiard"):
        process, util = sys.modules.get(f"{package}.process"), sys.modules.get(f"{package}.util")
        try:
            if process is None or util is None or process.current_process()._parent_pid is None:  # noqa: SLF001
                continue
            util.Finalize(None, flush_at_exit, exitpriority=_LAST)
        except Exception:  # noqa: BLE001 - a look into another package; without it the end is a plain one
            continue
    signals = sys.modules.get("celery.signals")
    if signals is not None:
        try:
            # The one place that a child of celery's pool still passes at its end.
            signals.worker_process_shutdown.connect(_at_worker_process_shutdown, weak=False)
        except Exception:  # noqa: BLE001 - as above
            return


def _at_worker_process_shutdown(**_: object) -> None:
    flush_at_exit()


def forget_exit() -> None:
    """Begin again in a forked child: it has an end of its own."""
    global _exit_deadline, _said
    _exit_deadline, _said = None, 0


def is_exiting() -> bool:
    """Tell whether the flush at exit has begun."""
    return _exit_deadline is not None


def flush_at_exit() -> None:
    """Flush all open recorders at once, each within its own shutdown timeout. Twice is fine."""
    global _exit_deadline  # noqa: PLW0603 - a process ends once
    recorders = [recorder for recorder in open_recorders() if recorder.config.enabled]
    if not recorders:
        return
    now = time.monotonic()
    deadlines = [now + recorder.config.shutdown_timeout_seconds for recorder in recorders]
    _exit_deadline = max(deadlines)
    targets = []
    for recorder, deadline in zip(recorders, deadlines, strict=True):
        recorder.exiting = True
        with recorder.guard.protect("the flush at exit"):
            targets.append((recorder, recorder.request_flush(), deadline))
    # Those with a thread are at work already; the others share the time of this one.
    targets.sort(key=lambda entry: not entry[0].lifetime.delivery.worker.is_running)
    impatient: KeyboardInterrupt | None = None
    for number, (recorder, target, deadline) in enumerate(targets):
        left = deadline - time.monotonic()
        waits = recorder.lifetime.delivery.worker.is_running
        share = left if waits else left / (len(targets) - number)
        with recorder.guard.protect("the flush at exit"):
            impatient = _finish(recorder, target, share, impatient)
    removed = 0
    for recorder in recorders:
        with recorder.guard.protect("the end of the spool"):
            removed += recorder.lifetime.close_depots(_EXIT_GATE_SECONDS)
    _say_what_is_lost(recorders, removed)
    if impatient is not None:
        raise impatient


def _finish(
    recorder: Recorder, target: FlushTarget, seconds: float, impatient: KeyboardInterrupt | None
) -> KeyboardInterrupt | None:
    """Flush one recorder within `seconds`, whatever signals say meanwhile.

    A SystemExit asks for what is under way already (gunicorn's gevent worker has its `sys.exit`
    thrown into whatever the main greenlet does then): the flush goes on. After Ctrl-C nobody
    waits for the receiver any more, but what is left still goes to disk; returned, to be raised.
    """
    deadline = time.monotonic() + max(0.0, seconds)
    while True:
        try:
            recorder.lifetime.finish(
                target, time.monotonic() + _HURRIED_FINISH_SECONDS if impatient else deadline
            )
        except SystemExit:
            if time.monotonic() < deadline:
                continue
        except KeyboardInterrupt as error:
            if impatient is None:
                impatient = error
                continue
        return impatient


def _care_for_late_capture(recorder: Recorder) -> None:
    """Take care of an event that was captured while its client closed, or after the flush at exit.

    The first is delivered at exit. The second is delivered now, in its caller, while there is
    time left of the exit; what is not is put on disk, or said on stderr.
    """
    remember(recorder)
    if _exit_deadline is None:
        return
    recorder.lifetime.reopen_depots()
    recorder.lifetime.finish(recorder.request_flush(), max(time.monotonic(), _exit_deadline))
    _say_what_is_lost([recorder])


def _say_what_is_lost(recorders: list[Recorder], removed: int = 0) -> None:
    """Write the one line to stderr that DESIGN.md asks for, if anything is undelivered."""
    global _said  # noqa: PLW0603
    events = sum(recorder.undelivered_events for recorder in recorders) + removed
    entries = sum(recorder.undelivered_logs for recorder in recorders)
    if events + entries > _said and sys.stderr is not None:
        _said = events + entries
        parts = [_counted(events, "event", "events")] if events or not entries else []
        parts += [_counted(entries, "log entry", "log entries")] if entries else []
        sys.stderr.write(f"replaystack: exiting with {' and '.join(parts)}\n")


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} undelivered {one if count == 1 else many}"
