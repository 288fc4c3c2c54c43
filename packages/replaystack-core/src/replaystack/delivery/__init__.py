"""From the inbox to the receiver: queue, pump, retries, transports, and the ledger of it all."""

from .courier import Courier
from .ledger import Stats
from .pending import Dropped, Pending
from .pump import Pump, PumpSettings
from .transport import HttpTransport, Transport, UserTransport
from .worker import Worker

__all__ = [
    "Courier",
    "Dropped",
    "HttpTransport",
    "Pending",
    "Pump",
    "PumpSettings",
    "Stats",
    "Transport",
    "UserTransport",
    "Worker",
]
