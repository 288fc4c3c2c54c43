"""The delivery of one client through the life of a process: first capture, fork, flush, close, exit."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..clock import Clock
    from ..config import Config
    from ..delivery import Delivery, Pump
    from ..diagnostics import Guard

__all__ = ["FlushTarget", "Lifetime"]

DEFAULT_FLUSH_SECONDS = 10.0

_DISK_RESERVE_SECONDS = 1.0
"""Of an end's time, what is kept for the disk: half of the default `shutdown_timeout_seconds`."""

_CLOSE_GATE_SECONDS = 1.0
"""How long `close` waits for a write to disk that is under way, before it lets go of the files."""


@dataclass(frozen=True, slots=True)
class FlushTarget:
    """How far each pump had come when a flush was asked for."""

    ordinals: tuple[tuple[Pump, int], ...]


class Lifetime:
    """Holds the delivery of this process. Every method may be called from any thread."""

    def __init__(self, config: Config, make: Callable[[], Delivery], *, guard: Guard, clock: Clock) -> None:
        self._config = config
        self._make = make
        self._guard = guard
        self._clock = clock
        self.delivery: Delivery = make()
        self.is_closed: bool = False
        self.exiting: bool = False
        """Set once the interpreter is on its way out: no thread may be counted on any more."""
        self.on_take_up: Callable[[], None] | None = None
        """Called at the first capture in each process."""

    @property
    def _pump(self) -> Pump:
        return self.delivery.pump

    # -- beginnings -----------------------------------------------------------------------------

    def enter(self) -> Delivery:
        """Return the delivery for one capture."""
        delivery = self.delivery
        if delivery.threads_are is not threading.Lock:
            delivery = self._adapt()
        if not delivery.is_taken_up:
            self._take_up(delivery)
        return delivery

    def _adapt(self) -> Delivery:
        """Make locks of the kind that there is now: gevent replaced it after this client was made.

        That is what gunicorn's gevent worker does after it forked from a preloading master. A
        greenlet that waits for a real lock stops all others.
        """
        old = self.delivery
        if old.worker.has_run or any(pump.backlog.captured for pump in old.pumps):
            old.threads_are = threading.Lock  # at work already, with a real thread
            return old
        self._guard.renew()
        self.delivery = new = self._make()
        new.leftover = old.leftover
        return new

    def _take_up(self, delivery: Delivery) -> None:
        delivery.is_taken_up = True
        if delivery.leftover is not None:
            # The session stays: closing it may need a lock that a thread of the parent held.
            for pump in delivery.leftover.pumps:
                pump.backlog.clear()
        if self.on_take_up is not None:
            self.on_take_up()

    def begin_again(self) -> None:
        """Leave everything of the parent behind, in a forked child.

        Takes no lock, logs nothing, closes no socket: any thread of the parent may have held any
        lock at that moment, and what is queued is the parent's to send.
        """
        old = self.delivery
        self._guard.renew()
        self.exiting = False
        self.delivery = self._make()
        self.delivery.leftover = old
        for pump in old.pumps:
            if pump.depot is not None:
                pump.depot.forget()

    def start(self) -> None:
        """Make sure that somebody sends, in async mode."""
        if self._config.async_send:
            self.delivery.worker.start()

    # -- flushing -------------------------------------------------------------------------------

    @property
    def is_busy_here(self) -> bool:
        """Whether the calling thread is inside of the SDK's own work: a signal handler asks. Lock-free."""
        return self._guard.is_busy_here or self.delivery.direct.is_delivering_here

    def request_flush(self) -> FlushTarget:
        """Ask for everything captured so far to go out now; returns what to wait for. Never blocks."""
        return FlushTarget(tuple((pump, pump.hurry()) for pump in self.delivery.pumps))

    def wait_flushed(self, target: FlushTarget, timeout_seconds: float) -> bool:
        """Block until what `request_flush` named is delivered, dropped or on disk, at most so long."""
        deadline = self._clock.monotonic() + timeout_seconds
        # All of them, also where the first one is late: each has had its turn then.
        settled = [self._wait_settled(pump, ordinal, deadline) for pump, ordinal in target.ordinals]
        return all(settled)

    def _wait_settled(self, pump: Pump, ordinal: int, deadline: float) -> bool:
        worker = self.delivery.worker
        if worker.is_current or self._guard.is_busy_here:
            # From a hook, or from a signal handler that interrupts a step: this thread cannot wait
            # for itself.
            return pump.backlog.is_settled(ordinal)
        if worker.is_running and self._config.async_send:
            return pump.backlog.wait_settled(ordinal, deadline - self._clock.monotonic())
        return pump.drive(ordinal, deadline)

    def flush(self, timeout_seconds: float | None) -> bool:
        """Deliver everything captured before this call. None means 10 s; a plain bound.

        True iff all of it is delivered, dropped or on disk; what is in flight is waited for.
        """
        self._look_for_leftovers(0.0)
        flushed = self.wait_flushed(self.request_flush(), bound(timeout_seconds))
        self._tell_drops()
        return flushed

    def _tell_drops(self) -> None:
        """Let the hooks hear of drops that no step of the sender will come for."""
        if not self._guard.is_busy_here:
            for pump in self.delivery.pumps:
                pump.notices.tell()

    def _look_for_leftovers(self, timeout_seconds: float) -> None:
        """Let what an earlier process left in the spool be sent, also if nothing was captured here."""
        if self._config.spool_path is None or self.is_closed or not self._config.enabled:
            return
        if self._guard.is_busy_here:
            return
        delivery = self.enter()
        delivery.open_logs()
        for pump in delivery.pumps:
            if pump.depot is not None and pump.ownership.acquire(timeout=timeout_seconds):
                try:
                    pump.depot.adopt_if_due(self._clock.monotonic())
                finally:
                    pump.ownership.release()
        self.start()

    # -- ends -----------------------------------------------------------------------------------

    def close(self, timeout_seconds: float | None) -> bool:
        """Take no more captures, deliver, end the thread. Twice is fine: it flushes again."""
        deadline = self._clock.monotonic() + bound(timeout_seconds)
        self._look_for_leftovers(bound(timeout_seconds))
        self.is_closed = True
        flushed = self.finish(self.request_flush(), deadline)
        self.delivery.worker.stop(deadline - self._clock.monotonic())
        self.close_depots(_CLOSE_GATE_SECONDS)
        self._tell_drops()
        if flushed:
            for pump in self.delivery.pumps:
                pump.close()
        return flushed

    def close_depots(self, timeout_seconds: float) -> int:
        """Let go of the spool's files; return how many events are lost because somebody removed theirs."""
        depots = [pump.depot for pump in self.delivery.pumps]
        return sum(depot.close(timeout_seconds) for depot in depots if depot is not None)

    def reopen_depots(self) -> None:
        """Take events again after `close_depots`: something was captured after all."""
        for pump in self.delivery.pumps:
            if pump.depot is not None:
                pump.depot.reopen()

    def finish(self, target: FlushTarget, deadline: float) -> bool:
        """Deliver what can be delivered, put the rest on disk where there is a spool.

        What is on disk is sent too, while the receiver takes it and there is time. Blocks until
        `deadline` (monotonic clock) at most, beyond it for the disk alone. Returns what `flush` does.
        """
        monotonic = self._clock.monotonic
        pumps = self.delivery.pumps
        if self._pump.depot is None or not self.delivery.is_taken_up or self.is_busy_here:
            return self.wait_flushed(target, deadline - monotonic())
        left = deadline - monotonic()
        usable = any(pump.depot is not None and pump.depot.is_usable for pump in pumps)
        reserve = min(_DISK_RESERVE_SECONDS, left / 2) if usable else 0.0
        flushed = self.wait_flushed(target, left - reserve)
        if not flushed:
            # However late it is by now: on a busy machine the wait above may have taken all of the time.
            disk_deadline = max(deadline, monotonic() + reserve)
            for pump in pumps:
                if pump.depot is not None:
                    pump.depot.store_all(disk_deadline)
            flushed = all(pump.backlog.is_settled(ordinal) for pump, ordinal in target.ordinals)
        if flushed and self.delivery.worker.is_running:
            for pump in pumps:
                pump.wait_drained(deadline - monotonic())
        return flushed


def bound(timeout_seconds: float | None) -> float:
    """Return a flush's bound in seconds, one that the platform's locks can take."""
    if timeout_seconds is None:
        return DEFAULT_FLUSH_SECONDS
    return min(max(0.0, timeout_seconds), threading.TIMEOUT_MAX / 2)
