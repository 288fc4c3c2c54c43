"""Receipts, written after the customer has their answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replaystack import add_breadcrumb

if TYPE_CHECKING:
    from pathlib import Path

    from .orders import Order

__all__ = ["ReceiptError", "write_receipt"]


class ReceiptError(Exception):
    """A receipt could not be written."""


def write_receipt(order: Order, folder: Path, mail_url: str) -> None:
    """Write the receipt of a paid order as a text file. Raises `ReceiptError` without an address."""
    if order.email is None:
        raise ReceiptError(f"order {order.id} has no address to mail its receipt to (by way of {mail_url})")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{item.quantity:>3} x {item.sku}" for item in order.items]
    text = "\n".join(
        [f"Receipt for order {order.id}, {order.customer}", *lines, f"{order.total_cents} cents", ""]
    )
    (folder / f"{order.id}.txt").write_text(text, encoding="utf-8")
    add_breadcrumb("Receipt written", category="receipt", metadata={"order": order.id})
