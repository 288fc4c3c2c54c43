"""What the demo's customers do: ordinary things, wrong things, and secrets in all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from replaystack.testing import card_number, jwt, password

from ..provider import DECLINED_PREFIX, LATE_PREFIX

if TYPE_CHECKING:
    from types import TracebackType

    from replaystack.testing import Canaries

__all__ = ["CALLERS_TRACE_ID", "Answer", "Journey"]

CALLERS_TRACE_ID = "trace-of-the-caller.1"
# uvicorn closes a connection on which the application raised, with or without us. Said beforehand, so
# that the next request does not race with it.
_LAST_CALL = {"Connection": "close"}
_TEA = {"sku": "TEA-001", "quantity": 2, "unit_price_cents": 450}
_POT = {"sku": "POT-017", "quantity": 1, "unit_price_cents": 3900}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    name: str
    method: str
    path: str
    expected_code: int
    code: int
    trace_id: str | None
    body: str
    is_ignored: bool = False
    """On a path that ReplayStack leaves alone: no event, no trace id."""


class Journey:
    """One run through the shop. `run` blocks for as long as it takes; the answers are kept."""

    def __init__(self, shop_url: str, canaries: Canaries, customer_password: str) -> None:
        """Visit the shop at `shop_url` and plant secrets on the way."""
        self.answers: dict[str, Answer] = {}
        self._plant = canaries.plant
        self._marker = canaries.marker
        self._password = customer_password
        self._http = httpx.Client(base_url=shop_url, timeout=15.0, trust_env=False)

    def run(self) -> None:
        """Do everything, in the order of a customer's day."""
        self._sign_in()
        self._order()
        self._order_wrongly()
        self._look_around()
        self._pay()
        self._fail()
        self._call_the_desk()
        self._visit_the_office()

    def _sign_in(self) -> None:
        self._send("health", "GET", "/health", 200, is_ignored=True)
        self._send("stranger", "GET", "/account", 401)
        form = {"username": "ada", "password": self._password}
        signed_in = self._send("login", "POST", "/login", 200, data=form)
        csrf = json.loads(signed_in.body)["csrf_token"]
        self._plant("answer, csrf_token", csrf)
        session = self._http.cookies["shop_session"]
        self._plant("Set-Cookie, Cookie and breadcrumb, session", session)
        remembered = self._plant("Cookie, remember_me")
        self._http.cookies.set("remember_me", remembered)
        self._send("account", "GET", "/account", 200, headers={"X-CSRF-Token": csrf})
        self._http.cookies.clear()

    def _order(self) -> None:
        wifi = self._plant("free text in JSON and in a stream")
        note = f"Ring twice. {self._marker}. The wifi has password={wifi}"
        bearer = self._plant("Authorization: Bearer")
        body = {"customer": "ada", "email": "ada@example.com", "note": note, "items": [_TEA, _POT]}
        taken = self._send(
            "order", "POST", "/orders", 201, json=body, headers={"Authorization": f"Bearer {bearer}"}
        )
        self._guest = json.loads(taken.body)["tracking_url"].partition("token=")[2]
        self._plant("Location, Referer and a URL in JSON", self._guest)
        token = self._plant("free text in JSON, a JWT", jwt())
        body = {
            "customer": "bob",
            "note": f"Mail me a link with {token}, please",
            "items": [_TEA],
            "password": self._plant("JSON, password", password()),
        }
        key = self._plant("X-Api-Key")
        self._send("order by key", "POST", "/orders", 201, json=body, headers={"X-Api-Key": key})

    def _order_wrongly(self) -> None:
        # FastAPI quotes the whole body in its answer when a field is missing.
        body = {"customer": "eve", "password": self._plant("JSON of a 422, quoted in its answer")}
        self._send("order without items", "POST", "/orders", 422, json=body)
        broken = f'{{"customer": "eve", "password": "{self._plant("JSON that is cut off")}", "items'
        self._send(
            "order cut off",
            "POST",
            "/orders",
            422,
            content=broken,
            headers={"Content-Type": "application/json"},
        )

    def _look_around(self) -> None:
        query = {
            "state": "open",
            "access_token": self._plant("query, access_token"),
            "api_key": self._plant("query, api_key"),
        }
        self._send("list", "GET", "/orders", 200, params=query)
        self._send(
            "one order", "GET", "/orders/1", 200,
            headers={"Referer": f"https://shop.example/orders/1?token={self._guest}"},
        )  # fmt: skip
        self._send("no such order", "GET", "/orders/4711", 404, headers={"x-trace-id": CALLERS_TRACE_ID})
        self._send("no such page", "GET", f"/nowhere/{self._marker}", 404)

    def _pay(self) -> None:
        with self._http.stream("GET", "/orders/1/events") as live:
            lines = live.iter_lines()
            said = [next(lines)]  # arrives while the order is still open: the stream is not held back
            basic = self._plant("Authorization: Basic")
            paid = self._send("payment", "POST", "/orders/1/payment", 200, card="424242", auth=("ada", basic))
            self._plant("answer, client_secret", json.loads(paid.body)["charge"]["client_secret"])
            said += list(lines)
            self._keep("live events", live, "/orders/1/events", 200, "\n".join(said))
        self._send("payment declined", "POST", "/orders/2/payment", 402, card=DECLINED_PREFIX)
        self._send("payment late", "POST", "/orders/2/payment", 504, card=LATE_PREFIX)
        # Order 2 has no address, so its receipt fails after the answer.
        self._send(
            "payment without address", "POST", "/orders/2/payment", 200, card="555555", headers=_LAST_CALL
        )

    def _fail(self) -> None:
        self._send("report", "GET", "/reports/settlement", 200)
        self._send("export", "GET", "/orders/export", 200)
        self._send("refund", "POST", "/orders/1/refund", 500, headers=_LAST_CALL)

    def _call_the_desk(self) -> None:
        """Ask the part on Flask."""
        pin = self._plant("Flask: free text in JSON and in its answer")
        key = self._plant("Flask: X-Api-Key")
        note = {"text": f"Wants it on Monday, {self._marker}. The gate has password={pin}"}
        self._send(
            "desk note", "POST", "/desk/orders/1/notes", 201, json=note, headers={"X-Api-Key": key}
        )  # fmt: skip
        token = self._plant("Flask: query, access_token")
        self._send("desk order", "GET", "/desk/orders/1", 200, params={"access_token": token})
        self._send("desk no order", "GET", "/desk/orders/4711", 404)
        self._send("desk label", "POST", "/desk/orders/1/label", 500)

    def _visit_the_office(self) -> None:
        """Ask the part on Django."""
        bearer = self._plant("Django: Authorization: Bearer")
        authorized = {"Authorization": f"Bearer {bearer}"}
        self._send("office stock", "GET", "/office/stock/TEA-001", 200, headers=authorized)
        self._send("office no stock", "GET", "/office/stock/NONE", 404)
        self._send("office export", "GET", "/office/orders.csv", 200)
        form = {"auditor": "grace", "password": self._plant("Django: form, password", password())}
        self._send("office audit", "POST", "/office/audit", 500, data=form)

    def _send(
        self,
        name: str,
        method: str,
        path: str,
        expected_code: int,
        *,
        is_ignored: bool = False,
        card: str | None = None,
        **request: Any,
    ) -> Answer:
        if card is not None:
            number = self._plant(f"JSON and breadcrumb, card of {name}", card_number(card))
            request["json"] = {"card_number": number, "cvv": "9137", "holder": "A. Lovelace"}
        answer = self._http.request(method, path, **request)
        return self._keep(name, answer, path, expected_code, answer.text, is_ignored=is_ignored)

    def _keep(
        self,
        name: str,
        answer: httpx.Response,
        path: str,
        expected_code: int,
        body: str,
        *,
        is_ignored: bool = False,
    ) -> Answer:
        kept = Answer(
            name=name,
            method=answer.request.method,
            path=path,
            expected_code=expected_code,
            code=answer.status_code,
            trace_id=answer.headers.get("x-trace-id"),
            body=body,
            is_ignored=is_ignored,
        )
        self.answers[name] = kept
        return kept

    def __enter__(self) -> Journey:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._http.close()
