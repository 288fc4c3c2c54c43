"""The one thread that writes, and its group commit."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from .protocol import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Writer"]

T = TypeVar("T")

_GROUP_BYTES = 16 * 1024 * 1024
"""In one transaction, so that the write-ahead log and the wait for the first stay moderate."""

_WAITING_BYTES = 64 * 1024 * 1024
"""Accepted and not yet written. Past it senders hear 503 and keep their events themselves."""


class _Job:
    __slots__ = ("cost", "future", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], Any], cost: int) -> None:
        self.work = work
        self.cost = cost
        self.future: Future[Any] = Future()
        # Not to be cancelled any more: a sender that hangs up must not take the writer along.
        self.future.set_running_or_notify_cancel()


class Writer:
    """Runs pieces of work against the writing connection, many to a transaction.

    While one group is being synced to disk the next one gathers: the busier the server, the
    larger the groups, with no delay added when it is quiet. A piece of work that fails is
    undone alone (savepoint) and its future gets the exception.

    Args:
        connection: used by this object's thread only, and closed by it.
        on_commit: called in that thread after each commit; must be quick and must not raise.

    """

    def __init__(self, connection: sqlite3.Connection, on_commit: Callable[[], None]) -> None:
        self._connection = connection
        self._on_commit = on_commit
        self._waiting: deque[_Job] = deque()
        self._waiting_bytes = 0
        self._closing = False
        # Guards the three fields above; never held during work.
        self._changed = threading.Condition()
        # A daemon, because an answer is given after the commit only: what dies with the
        # process was never acknowledged.
        self._thread = threading.Thread(target=self._run, name="replaystack-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[sqlite3.Connection], T], cost: int) -> Future[T]:
        """Queue `work`; the future gets its result once it is committed.

        Args:
            work: gets the connection inside a transaction; must not commit.
            cost: bytes that this piece keeps in memory until then.

        Raises:
            StoreError: too much is waiting already, or the writer is closed.

        """
        job = _Job(work, cost)
        with self._changed:
            if self._closing:
                raise StoreError("the store is closed")
            if self._waiting and self._waiting_bytes + cost > _WAITING_BYTES:
                raise StoreError("too much is waiting to be written")
            self._waiting.append(job)
            self._waiting_bytes += cost
            self._changed.notify()
        return job.future

    def close(self) -> None:
        """Write what is queued, then stop. Blocks until then."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            self._write(group)
        self._connection.close()

    def _next_group(self) -> list[_Job]:
        """Wait for work; an empty list means that the writer was closed."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            group: list[_Job] = []
            cost = 0
            while self._waiting and (not group or cost + self._waiting[0].cost <= _GROUP_BYTES):
                job = self._waiting.popleft()
                cost += job.cost
                group.append(job)
            self._waiting_bytes -= cost
            return group

    def _write(self, group: list[_Job]) -> None:
        done: list[tuple[_Job, Any]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in group:
                self._connection.execute("SAVEPOINT job")
                try:
                    done.append((job, job.work(self._connection)))
                except Exception as error:  # noqa: BLE001 - whatever one job raises belongs to its future
                    self._connection.execute("ROLLBACK TO job")
                    job.future.set_exception(error)
                self._connection.execute("RELEASE job")
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:  # disk full, locked for too long, file gone
            self._roll_back()
            failure = StoreError(f"cannot write the database: {error}")
            for job in group:
                if not job.future.done():
                    job.future.set_exception(failure)
            return
        for job, result in done:
            job.future.set_result(result)
        self._on_commit()

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            # SQLite undoes an unfinished transaction by itself; this thread must go on, so that
            # the next group gets its chance and its answer.
            pass
