"""Parcel labels, fetched from the courier. The second bug that is left in: its text quotes the account."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from .orders import Order

__all__ = ["CourierError", "print_label"]

_CONNECT_SECONDS = 0.5


class CourierError(Exception):
    """The courier gave no label."""


def print_label(order: Order, courier_url: str) -> bytes:
    """Return the label of an order as PDF. Raises `CourierError` when the courier cannot be reached."""
    parts = urlsplit(courier_url)
    try:
        socket.create_connection((parts.hostname, parts.port or 443), timeout=_CONNECT_SECONDS).close()
    except OSError as exc:
        raise CourierError(f"no label for order {order.id} from {courier_url}") from exc
    raise CourierError("this courier speaks a protocol that the example does not know")
