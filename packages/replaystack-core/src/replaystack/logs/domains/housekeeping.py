"""Compressing and deleting, on a thread of their own that exists only while there is something to do."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Housekeeping"]


class Housekeeping:
    """Runs chores one after another. Any thread may add some; none waits for them."""

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        self._report = report
        self._chores: deque[Callable[[], object]] = deque()
        self._lock = threading.Lock()  # guards the thread's being there
        self._thread: threading.Thread | None = None

    def add(self, chore: Callable[[], object]) -> None:
        """Have `chore` done soon; at once, in the caller, where no thread can be started any more."""
        self._chores.append(chore)
        with self._lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._work, name="replaystack-log-files", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is on its way out: the next process does it
                return
            self._thread = thread

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until everything is done, at most so long; tells whether it is."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_seconds)
        return not self._chores and (thread is None or not thread.is_alive())

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._chores:
                    self._thread = None
                    return
                chore = self._chores.popleft()
            try:
                chore()
            except Exception as error:  # noqa: BLE001 - a disk that refuses; the log itself goes on
                self._report(error)
