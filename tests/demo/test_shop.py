"""The shop alone, with ReplayStack switched off: what the demo observes is a working application."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDER = {"customer": "ada", "email": "ada@example.com", "items": [
    {"sku": "TEA-001", "quantity": 2, "unit_price_cents": 450}]}  # fmt: skip


def _start(stack: ExitStack, root: Path, module: str, **environment: str) -> str:
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", module, "--port", "0"],
            cwd=root,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
    )
    stack.callback(process.terminate)
    assert process.stdout is not None
    url: str = json.loads(process.stdout.readline())["url"]
    return url


@pytest.fixture(scope="module")
def shop(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Run provider and shop, and give a client for the shop."""
    with ExitStack() as stack:
        provider = _start(stack, root, "examples.shop.provider")
        url = _start(
            stack,
            root,
            "examples.shop",
            REPLAYSTACK_ENABLED="false",
            REPLAYSTACK_API_KEY="switched-off",
            SHOP_FOLDER=str(tmp_path_factory.mktemp("shop")),
            SHOP_PROVIDER_URL=provider,
            SHOP_PROVIDER_TIMEOUT_SECONDS="0.3",
        )
        yield stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=15))


def _order(shop: httpx.Client, **changes: Any) -> int:
    answer = shop.post("/orders", json={**ORDER, **changes})
    assert answer.status_code == 201
    number: int = answer.json()["id"]
    return number


def _pay(shop: httpx.Client, number: int, card: str) -> httpx.Response:
    return shop.post(f"/orders/{number}/payment", json={"card_number": card, "cvv": "123"})


def test_an_order_is_taken_and_paid(shop: httpx.Client) -> None:
    """A paid order shows its state, its history and its link; paying twice is refused."""
    number = _order(shop)
    assert _pay(shop, number, "4242424242424242").json()["state"] == "paid"
    assert shop.get(f"/orders/{number}").json()["state"] == "paid"
    assert "event: created" in shop.get(f"/orders/{number}/events").text
    assert _pay(shop, number, "4242424242424242").status_code == 409


@pytest.mark.parametrize(("card", "code"), [("4000004242424242", 402), ("4000014242424242", 504)])
def test_a_payment_that_fails_leaves_the_order_unpaid(shop: httpx.Client, card: str, code: int) -> None:
    """A declined card is 402 and a silent provider 504; neither is a paid order."""
    number = _order(shop)
    assert _pay(shop, number, card).status_code == code
    assert shop.get(f"/orders/{number}").json()["state"] != "paid"


def test_bad_orders_are_refused(shop: httpx.Client) -> None:
    """What the models do not allow is 422, what is not there 404."""
    assert shop.post("/orders", json={**ORDER, "items": []}).status_code == 422
    assert shop.get("/orders/4711").status_code == 404


def test_desk_and_office_share_the_shops_orders(shop: httpx.Client) -> None:
    """The parts on Flask and Django work on the same file, and answer in their own way."""
    number = _order(shop)
    note = shop.post(f"/desk/orders/{number}/notes", json={"text": "called"})
    assert (note.status_code, note.json()["note"]) == (201, "called")
    assert shop.get(f"/desk/orders/{number}").json()["notes"] == ["called"]
    assert f"{number},ada,900,open" in shop.get("/office/orders.csv").text
    assert shop.get("/office/stock/TEA-001").json()["pieces"] == 41
    assert shop.get("/desk/orders/4711").status_code == shop.get("/office/stock/NONE").status_code == 404
    assert shop.post(f"/desk/orders/{number}/label").status_code == 500
    assert shop.post("/office/audit", data={"auditor": "grace"}).status_code == 500


def test_the_switched_off_sdk_adds_nothing(shop: httpx.Client) -> None:
    """With REPLAYSTACK_ENABLED=false no answer of any part carries a header of ours."""
    for path in ("/orders", "/office/stock/TEA-001", "/desk/orders/4711"):
        assert "x-trace-id" not in shop.get(path).headers
