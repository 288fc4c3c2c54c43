"""Refunds: booked in the ledger first. This module has a bug, and it is left in on purpose.

Nobody catches `RefundError`, and both exception texts quote what they should not: a
database URL with its password, and a request with its credential. Real code does this
every day; the demo shows what of it reaches the receiver.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .orders import Order
    from .payments import PaymentProvider

__all__ = ["LedgerUnavailableError", "RefundError", "refund"]

_CONNECT_SECONDS = 0.5  # the ledger is on the same network; longer only keeps the customer waiting


class LedgerUnavailableError(Exception):
    """The ledger cannot be reached."""


class RefundError(Exception):
    """The refund was not made."""


def refund(order: Order, ledger_url: str, provider: PaymentProvider) -> None:
    """Book the refund of an order. Raises `RefundError` when the ledger is down."""
    request = provider.refund_request(order)
    try:
        _connect(ledger_url)
    except LedgerUnavailableError as exc:
        credential = request.headers["authorization"]
        raise RefundError(
            f"refund of order {order.id} not booked; retry by hand: curl -X {request.method} {request.url}"
            f" -H 'Authorization: {credential}'"
        ) from exc


def _connect(ledger_url: str) -> None:
    parts = urlsplit(ledger_url)
    try:
        socket.create_connection((parts.hostname, parts.port or 5432), timeout=_CONNECT_SECONDS).close()
    except OSError as exc:
        raise LedgerUnavailableError(f"could not connect to {ledger_url}: {exc.strerror}") from exc
