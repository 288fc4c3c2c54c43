"""The shop's side of the payment provider: one HTTP client, and what can go wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from replaystack import add_breadcrumb

if TYPE_CHECKING:
    from types import TracebackType

    from .orders import Order

__all__ = ["Charge", "PaymentDeclinedError", "PaymentProvider", "PaymentTimeoutError"]


class PaymentDeclinedError(Exception):
    """The provider refused the card; the text is its reason."""


class PaymentTimeoutError(Exception):
    """The provider did not answer in time; nobody knows whether the card was charged."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A payment that went through."""

    id: str
    client_secret: str


class PaymentProvider:
    """Calls the provider over HTTP. Blocks the caller; safe from any thread."""

    def __init__(self, url: str, key: str, timeout_seconds: float) -> None:
        """Talk to the provider at `url` with `key`, waiting at most `timeout_seconds` for a charge."""
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout_seconds,
            trust_env=False,  # a proxy of the developer's machine has no business between two local processes
        )

    def charge(self, order: Order, card_number: str, cvv: str) -> Charge:
        """Charge the order's total. Raises `PaymentDeclinedError` or `PaymentTimeoutError`."""
        add_breadcrumb(
            "Calling payment provider",
            category="payment",
            metadata={"order": order.id, "cents": order.total_cents, "card_number": card_number},
        )
        body = {"amount_cents": order.total_cents, "card": {"card_number": card_number, "cvv": cvv}}
        try:
            answer = self._client.post("/charges", json=body)
        except httpx.TimeoutException as exc:
            add_breadcrumb("Payment provider did not answer", category="payment", level="error")
            raise PaymentTimeoutError(f"no answer about order {order.id}") from exc
        document: dict[str, Any] = answer.json()
        add_breadcrumb("Payment provider answered", category="payment", metadata={"code": answer.status_code})
        if answer.status_code != httpx.codes.CREATED:
            raise PaymentDeclinedError(document["reason"])
        return Charge(document["id"], document["client_secret"])

    def settlements(self) -> dict[str, Any]:
        """Return the provider's books of today. Slow: it adds up while the caller waits."""
        answer = self._client.get("/settlements", timeout=10.0)
        answer.raise_for_status()
        books: dict[str, Any] = answer.json()
        return books

    def refund_request(self, order: Order) -> httpx.Request:
        """Return the request that would give the order's total back, unsent."""
        return self._client.build_request("POST", "/refunds", json={"amount_cents": order.total_cents})

    def __enter__(self) -> PaymentProvider:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._client.close()
