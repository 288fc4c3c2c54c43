"""The parts of delivery put together for one client in one process: what a fork replaces as a whole."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..clock import SYSTEM_CLOCK, Clock, new_id
from .courier import Courier
from .direct import Direct
from .pump import Pump, PumpSettings
from .spool import Spool
from .transport import HttpTransport, UserTransport
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..config import Config
    from ..diagnostics import Guard
    from ..sanitize import Limits, Policy

__all__ = ["Delivery"]


class Delivery:
    """Pump, thread and identity of one client in one process. Starts and opens nothing by itself.

    A forked child makes a new one instead of mending the inherited one: locks that another thread
    held, a session whose connections are the parent's and events that the parent will send are
    all left behind at once.
    """

    def __init__(
        self, config: Config, *, policy: Policy, limits: Limits, guard: Guard, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.process: str = new_id()
        """The stream id: one per client and process."""
        self.sequence: Iterator[int] = itertools.count()
        """The place of each event in the stream. One step of the interpreter: gap-free over threads."""
        self.threads_are: object = threading.Lock
        """What locks are made of here. gevent replaces it; then this delivery is of the wrong kind."""
        self.is_taken_up = False
        """Whether something was captured with it."""
        self.leftover: Delivery | None = None
        """The parent's, in a forked child: kept from destruction until the first capture."""
        courier = Courier(
            HttpTransport() if config.transport is None else UserTransport(config.transport),
            ingest_url=config.ingest_url,
            base_url=config.base_url,
            api_key=config.api_key,
            batch_max_events=config.batch_max_events,
            bulk_without_asking="batch_max_events" in config.explicit,
            may_ask=config.async_send,
            process=self.process,
            drops=lambda: self.pump.backlog.dropped(),  # noqa: PLW0108 - the pump comes after it
        )
        settings = PumpSettings(
            timeout_seconds=config.timeout_seconds,
            max_retries=config.max_retries,
            queue_max_bytes=config.queue_max_bytes,
            offline_queue_max=config.offline_queue_max,
            batch_interval_seconds=config.batch_interval_seconds,
            flush_interval_seconds=config.flush_interval_seconds,
            durability=config.durability,
            sync=not config.async_send,
        )
        self.pump: Pump = Pump(
            courier,
            settings,
            guard=guard,
            clock=clock,
            on_queue_drop=config.on_queue_drop,
            metrics=config.metrics,
            spool=_spool_maker(config, policy, limits, clock),
        )
        self.worker: Worker = Worker(self.pump, guard, clock)
        self.direct: Direct = Direct(self.pump, guard)


def _spool_maker(
    config: Config, policy: Policy, limits: Limits, clock: Clock
) -> Callable[[Callable[[BaseException, str], None]], Spool] | None:
    path = config.spool_path
    if path is None or not config.enabled:
        return None
    return lambda report: Spool(
        Path(path),
        max_bytes=config.spool_max_bytes,
        report=report,
        policy=policy,
        limits=limits,
        monotonic=clock.monotonic,
    )
