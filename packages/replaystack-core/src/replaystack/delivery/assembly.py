"""The parts of delivery put together for one client in one process: what a fork replaces as a whole."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM_CLOCK, Clock, new_id
from ..sanitize import reseal, reseal_log_entry
from .capabilities import Capabilities
from .courier import Courier, key_headers
from .direct import Direct
from .log_courier import LogCourier
from .pump import Pump, PumpSettings
from .spool import Spool
from .transport import HttpTransport, UserTransport
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..config import Config
    from ..diagnostics import Guard
    from ..sanitize import Limits, Masked, Policy
    from .courier import Carrier
    from .pending import DropReason
    from .spool import Unseal

__all__ = ["Delivery"]


_LOGS_DIRECTORY = "logs"
"""Below `spool_path`: log entries are no events, and each kind is masked again in its own way."""
_FLOWS_PATH = "/v1/flows"
_MARKED_PII = b'"isPii":true'


class Delivery:
    """Pumps, thread and identity of one client in one process. Starts and opens nothing by itself.

    Events have the pump that is there from the beginning; log entries get one of their own, with
    its own backlog, ledger and spool, when the first one comes. One thread steps both.

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
        self._config = config
        self._policy = policy
        self._limits = limits
        self._guard = guard
        self._clock = clock
        self._log_pump: dict[str, Pump] = {}
        transport = HttpTransport() if config.transport is None else UserTransport(config.transport)
        self._transport = transport
        self.capabilities: Capabilities = Capabilities(
            transport,
            base_url=config.base_url,
            headers=key_headers(config.api_key),
            may_ask=config.async_send,
        )
        """What is known of the receiver."""
        courier = Courier(
            transport,
            ingest_url=config.ingest_url,
            base_url=config.base_url,
            api_key=config.api_key,
            batch_max_events=config.batch_max_events,
            bulk_without_asking="batch_max_events" in config.explicit,
            may_ask=config.async_send,
            process=self.process,
            drops=lambda: self.pump.backlog.dropped(),  # noqa: PLW0108 - the pump comes after it
            capabilities=self.capabilities,
        )
        self._settings = PumpSettings(
            timeout_seconds=config.timeout_seconds,
            max_retries=config.max_retries,
            queue_max_bytes=config.queue_max_bytes,
            offline_queue_max=config.offline_queue_max,
            batch_interval_seconds=config.batch_interval_seconds,
            flush_interval_seconds=config.flush_interval_seconds,
            durability=config.durability,
            sync=not config.async_send,
            retry_base_seconds=config.retry_base_seconds,
            retry_max_seconds=config.retry_max_seconds,
        )
        self.pump: Pump = self._make_pump(courier, self._settings, spool="", unseal=reseal)
        self.worker: Worker = Worker(self.pump, guard, clock)
        self.direct: Direct = Direct(self.pump, guard)

    def _make_pump(
        self,
        courier: Carrier,
        settings: PumpSettings,
        *,
        spool: str,
        unseal: Unseal,
        beside: Pump | None = None,
    ) -> Pump:
        config = self._config
        return Pump(
            courier,
            settings,
            guard=self._guard,
            clock=self._clock,
            on_queue_drop=config.on_queue_drop,
            metrics=config.metrics,
            spool=_spool_maker(config, spool, self._policy, self._limits, self._clock, unseal),
            beside=beside,
        )

    # -- log entries ----------------------------------------------------------------------------

    @property
    def log_pump(self) -> Pump | None:
        """The pump of log entries; None before the first one."""
        return self._log_pump.get("")

    @property
    def pumps(self) -> tuple[Pump, ...]:
        """All pumps that there are: of events, then of log entries."""
        logs = self.log_pump
        return (self.pump,) if logs is None else (self.pump, logs)

    def open_logs(self) -> Pump:
        """Return the pump of log entries, made at the first call. Any thread, also from a signal handler."""
        known = self._log_pump.get("")
        if known is not None:
            return known
        config = self._config
        courier = LogCourier(
            HttpTransport() if config.transport is None else UserTransport(config.transport),
            self.capabilities,
            base_url=config.base_url,
            api_key=config.api_key,
            batch_max_entries=config.batch_max_events,
            without_asking=config.logs_without_asking,
        )
        # No count bounds entries in an outage: bytes do. They are never sent by their callers.
        settings = replace(self._settings, offline_queue_max=None, sync=False)
        made = self._make_pump(
            courier, settings, spool=_LOGS_DIRECTORY, unseal=self._unseal_log_entry, beside=self.pump
        )
        # One step of the interpreter decides between two threads that come at once.
        pump = self._log_pump.setdefault("", made)
        if pump is made:
            self.worker.add(pump)
        return pump

    @property
    def may_send_pii(self) -> bool:
        """Whether entries marked as PII may leave: the receiver says so, or the user does. Else: no."""
        return self._config.send_pii or "pii" in self.capabilities

    @property
    def log_refusal(self) -> DropReason | None:
        """Why log entries cannot be sent, if that is known. For a capture that need not queue them then."""
        if self._config.logs_without_asking or not self.capabilities.known or "logs" in self.capabilities:
            return None
        return "no_log_receiver"

    def create_flow(self, document: Masked) -> Any:
        """`POST /v1/flows` once, where the receiver takes flows; its answer or None. Blocks; never raises."""
        config, capabilities = self._config, self.capabilities
        if not self._transport.bulk_capable:
            return None
        try:
            if not config.logs_without_asking:
                capabilities.ask_until_known(config.timeout_seconds)
                if "flows" not in capabilities:
                    return None
            headers = {**key_headers(config.api_key), "X-API-Key": config.api_key}
            url = config.base_url + _FLOWS_PATH
            answer = self._transport.post(url, document, headers, config.timeout_seconds)
        except Exception as error:  # noqa: BLE001 - whatever a network raises; the flow then is a local one
            self._guard.report(error, "replaystack: %s failed", "creating a flow")
            return None
        return answer.json() if 200 <= answer.status < 300 else None

    def _unseal_log_entry(
        self, data: bytes, policy: Policy, limits: Limits | None = None, *, proof: bytes = b""
    ) -> Masked | None:
        """Read an entry back from disk; None, so that it stays here, where it is PII and may not leave."""
        if _MARKED_PII in data and not self.may_send_pii:
            return None
        return reseal_log_entry(data, policy, limits, proof=proof)


def _spool_maker(  # noqa: PLR0917 - what a delivery knows anyway
    config: Config, directory: str, policy: Policy, limits: Limits, clock: Clock, unseal: Unseal
) -> Callable[[Callable[[BaseException, str], None]], Spool] | None:
    path = config.spool_path
    if path is None or not config.enabled:
        return None
    return lambda report: Spool(
        Path(path) / directory,
        max_bytes=config.spool_max_bytes,
        report=report,
        policy=policy,
        limits=limits,
        monotonic=clock.monotonic,
        unseal=unseal,
    )
