"""From the inbox to the receiver: queue, pump, spool, retries, transports, and the ledger of it all."""

from .assembly import Delivery
from .capabilities import Capabilities
from .courier import Courier
from .lazy_imports import after_fork, after_fork_in_child, before_fork
from .ledger import NO_STATS, Stats
from .pending import Dropped, DropReason, Pending
from .pump import Pump, PumpSettings
from .transport import HttpTransport, Transport, UserTransport
from .worker import Worker

__all__ = [
    "NO_STATS",
    "Capabilities",
    "Courier",
    "Delivery",
    "DropReason",
    "Dropped",
    "HttpTransport",
    "Pending",
    "Pump",
    "PumpSettings",
    "Stats",
    "Transport",
    "UserTransport",
    "Worker",
    "after_fork",
    "after_fork_in_child",
    "before_fork",
]
