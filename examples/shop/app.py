"""The shop: a FastAPI application, observed by ReplayStack, with a part on Flask and one on Django.

The three lines that do it are `client = ...`, `setup_fastapi(...)` and, wherever a hint
helps later, `client.add_breadcrumb(...)`. The client takes its key and its receiver from
REPLAYSTACK_API_KEY and REPLAYSTACK_ENDPOINT; REPLAYSTACK_ENABLED=false runs the bare shop.
"""

# No `from __future__ import annotations` here: FastAPI reads the annotations at run time.
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any, Literal

import anyio
import anyio.to_thread
from a2wsgi import WSGIMiddleware
from fastapi import BackgroundTasks, Cookie, FastAPI, Form, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from replaystack import ReplayStackClient
from replaystack.logs import Flow
from replaystack_fastapi import FastAPIMiddlewareOptions, setup_fastapi

from .desk import build_desk
from .office import build_office
from .orders import Item, Order, OrderStore
from .payments import PaymentDeclinedError, PaymentProvider, PaymentTimeoutError
from .receipts import write_receipt
from .refunds import refund
from .sessions import Session, Sessions
from .settings import Settings

__all__ = ["app", "client"]

settings = Settings.from_environment()
orders = OrderStore(settings.folder / "shop.sqlite3")
sessions = Sessions("ada", settings.customer_password)
provider = PaymentProvider(settings.provider_url, settings.provider_key, settings.provider_timeout_seconds)

client = ReplayStackClient(service_name="shop", app_version="1.0.0")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Give back what the shop holds, and let the last events leave, when the server stops."""
    try:
        with provider:
            yield
    finally:
        await client.close_async()


app = FastAPI(title="A small shop", lifespan=lifespan)
setup_fastapi(app, client, FastAPIMiddlewareOptions(ignored_paths=["/internal/*"]))
# Each has its adapter with the same client: a request is one event all the same.
mounted: Any = WSGIMiddleware  # its types are narrower than Starlette's, Flask's and Django's
app.mount("/desk", mounted(build_desk(orders, settings.courier_url, client)))
app.mount("/office", mounted(build_office(orders, settings.ledger_url, client)))


class NewItem(BaseModel):
    """One line of a new order."""

    sku: str = Field(pattern=r"^[A-Z]{2,4}-\d{3}$")
    quantity: int = Field(ge=1, le=99)
    unit_price_cents: int = Field(ge=0)


class NewOrder(BaseModel):
    """What a customer sends to order something."""

    customer: str = Field(min_length=1, max_length=80)
    items: list[NewItem] = Field(min_length=1, max_length=50)
    email: str | None = None
    note: str | None = Field(default=None, max_length=500)
    # Accepted and forgotten: old versions of the shop's page still send it along.
    password: str | None = None


class Card(BaseModel):
    """What a customer pays with."""

    card_number: str = Field(pattern=r"^\d{13,19}$")
    cvv: str = Field(pattern=r"^\d{3,4}$")
    holder: str | None = None


@app.get("/health")
def health() -> dict[str, str]:
    """Say that the shop is up. ReplayStack ignores this path by default."""
    return {"status": "up"}


@app.post("/login")
def login(
    username: Annotated[str, Form()], password: Annotated[str, Form()], response: Response
) -> dict[str, str]:
    """Sign a customer in with a form; the session travels in a cookie."""
    session = sessions.open(username, password)
    client.add_breadcrumb(
        "Password checked",
        category="auth",
        level="info" if session else "warning",
        metadata={"username": username, "session_id": session.id if session else None},
    )
    if session is None:
        raise HTTPException(401, "name and password do not belong together")
    response.set_cookie("shop_session", session.id, httponly=True, samesite="lax")
    return {"customer": session.customer, "csrf_token": session.csrf_token}


@app.get("/account")
def account(shop_session: Annotated[str | None, Cookie()] = None) -> dict[str, Any]:
    """Show the signed-in customer's orders."""
    session = _signed_in(shop_session)
    return {"customer": session.customer, "orders": [o.id for o in orders.search(customer=session.customer)]}


@app.post("/orders", status_code=201)
def create_order(new: NewOrder, request: Request, response: Response) -> dict[str, Any]:
    """Take an order, and answer with a link that shows it without signing in."""
    client.add_breadcrumb("Creating order", metadata={"customer": new.customer, "lines": len(new.items)})
    items = [Item(**item.model_dump()) for item in new.items]
    order = orders.create(new.customer, new.email, new.note, items)
    guest = sessions.guest_token(order.id)
    link = str(request.url_for("get_order", order_id=order.id).include_query_params(token=guest))
    response.headers["Location"] = link
    client.add_breadcrumb("Order stored", category="database", metadata={"order": order.id})
    _checkout(order.id).info("order taken", lines=len(items), link=link)
    if order.email:
        client.log.info("where to write to", is_pii=True, order=order.id, email=order.email)
    return {**asdict(order), "tracking_url": link}


@app.get("/orders")
def list_orders(
    state: Literal["open", "paid", "declined", "cancelled"] | None = None,
    customer: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[Order]:
    """List orders, newest first."""
    return orders.search(state, customer, limit)


@app.get("/orders/export")
def export_orders() -> StreamingResponse:
    """Stream every order as one JSON document per line."""

    def lines() -> Iterator[str]:
        for order in orders.search(limit=10_000):
            yield json.dumps(asdict(order)) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.get("/orders/{order_id}")
def get_order(order_id: int) -> Order:
    """Show one order."""
    return _order(order_id)


@app.delete("/orders/{order_id}", status_code=204)
def cancel_order(order_id: int) -> None:
    """Cancel an order that is not paid yet."""
    if _order(order_id).state == "paid":
        raise HTTPException(409, "a paid order cannot be cancelled, only refunded")
    orders.move(order_id, "cancelled")


@app.get("/orders/{order_id}/events")
async def order_events(order_id: int) -> StreamingResponse:
    """Stream what happened to an order, and what still happens, as server-sent events."""
    await anyio.to_thread.run_sync(_order, order_id)

    async def messages() -> AsyncIterator[str]:
        sent = 0
        with anyio.move_on_after(30.0):  # a browser reconnects by itself; half a minute is enough for one
            while True:
                steps = await anyio.to_thread.run_sync(orders.steps, order_id)
                for step in steps[sent:]:
                    yield f"event: {step['step']}\ndata: {json.dumps(step)}\n\n"
                    if step["step"] != "created":
                        return
                sent = len(steps)
                await anyio.sleep(0.1)

    return StreamingResponse(messages(), media_type="text/event-stream")


@app.post("/orders/{order_id}/payment")
def pay_order(order_id: int, card: Card, tasks: BackgroundTasks) -> dict[str, Any]:
    """Charge the order's total, and write the receipt after answering."""
    order = _order(order_id)
    if order.state == "paid":
        raise HTTPException(409, "this order is paid already")
    checkout = _checkout(order_id, step=len(orders.steps(order_id)))
    checkout.info("charging", cents=order.total_cents, card_number=card.card_number)
    try:
        charge = provider.charge(order, card.card_number, card.cvv)
    except PaymentDeclinedError as exc:
        checkout.error("payment declined", exc)
        orders.move(order_id, "declined")
        raise HTTPException(402, f"payment declined: {exc}") from exc
    except PaymentTimeoutError as exc:
        checkout.error("no answer from the provider", exc)
        raise HTTPException(504, "the payment provider did not answer") from exc
    orders.move(order_id, "paid")
    checkout.info("paid", charge=charge.id)
    tasks.add_task(write_receipt, order, settings.folder / "receipts", settings.mail_url)
    return {"order": order_id, "state": "paid", "charge": asdict(charge)}


@app.post("/orders/{order_id}/refund", status_code=202)
def refund_order(order_id: int) -> dict[str, Any]:
    """Give the money back. Fails with an unhandled exception while the ledger is down."""
    client.add_breadcrumb(
        "Refund asked for",
        category="refund",
        level="warning",
        metadata={"order": order_id, "ledger": settings.ledger_url},
    )
    refund(_order(order_id), settings.ledger_url, provider)
    return {"order": order_id, "refund": "booked"}


@app.get("/reports/settlement")
def settlement_report() -> dict[str, Any]:
    """Compare the shop's books with the provider's. Slow, because the provider is."""
    started = time.monotonic()
    paid = sum(order.total_cents for order in orders.search("paid", limit=10_000))
    client.add_breadcrumb("Own books added up", category="report", metadata={"cents": paid})
    settled = provider.settlements()["settled_cents"]
    client.add_breadcrumb(
        "Provider's books read", category="report", metadata={"seconds": round(time.monotonic() - started, 3)}
    )
    return {"paid_cents": paid, "settled_cents": settled, "balanced": paid == settled}


def _order(order_id: int) -> Order:
    order = orders.get(order_id)
    if order is None:
        raise HTTPException(404, f"there is no order {order_id}")
    return order


def _checkout(order_id: int, step: int = 0) -> Flow:
    """Return the flow of one order's checkout, which several requests log into; they agree on its id."""
    return client.flow("checkout", id=f"checkout-{order_id:08d}", start=step)


def _signed_in(session_id: str | None) -> Session:
    session = sessions.find(session_id)
    if session is None:
        raise HTTPException(401, "sign in first")
    return session
