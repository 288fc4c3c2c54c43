"""The service desk: a part of the shop on Flask, mounted under `/desk` in the same process.

One line observes it: `setup_flask`. Of a request that comes through the FastAPI application it adds what
only Flask knows; on a server of its own it would capture the same by itself.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import flask

from replaystack_flask import setup_flask

from .couriers import print_label

if TYPE_CHECKING:
    from replaystack import ReplayStackClient

    from .orders import Order, OrderStore

__all__ = ["build_desk"]


def build_desk(orders: OrderStore, courier_url: str, client: ReplayStackClient) -> flask.Flask:
    """Return the desk's application."""
    desk = flask.Flask("shop.desk")
    setup_flask(desk, client)
    notes: dict[int, list[str]] = {}

    def find(order_id: int) -> Order:
        order = orders.get(order_id)
        if order is None:
            flask.abort(404)
        return order

    @desk.get("/orders/<int:order_id>")
    def show(order_id: int) -> dict[str, Any]:
        return {**asdict(find(order_id)), "notes": notes.get(order_id, [])}

    @desk.post("/orders/<int:order_id>/notes")
    def write_down(order_id: int) -> tuple[dict[str, Any], int]:
        order = find(order_id)
        client.add_breadcrumb("Customer called", category="desk", metadata={"customer": order.customer})
        text = str(flask.request.get_json()["text"])
        notes.setdefault(order_id, []).append(text)
        return {"order": order_id, "note": text}, 201

    @desk.post("/orders/<int:order_id>/label")
    def label(order_id: int) -> flask.Response:
        # Fails with an unhandled exception while the courier is down.
        return flask.Response(print_label(find(order_id), courier_url), mimetype="application/pdf")

    return desk
