"""The pump hands exchanges to the native masker in batches; what is at fault there is met alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.backends import BACKENDS, masking_with
from tests.receiver import Receiver

from replaystack import ReplayStackClient
from replaystack.exchange import RawBody
from replaystack.recorder import encoding
from replaystack.sanitize import encode_batch

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Seen:
    """An exchange as an adapter hands it over; `fault` fails in the pump."""

    number: int
    fault: bool = False
    event_type: str = "api"
    status: str = "success"
    size_bytes: int = 500
    started_at: float = 1_700_000_000.0
    endpoint: str = field(default="/orders")

    def compose(self) -> tuple[dict[str, Any], dict[str, object]]:
        if self.fault:
            raise RuntimeError("this one cannot be composed")
        data = b'{"password":"hunter2","n":%d}' % self.number
        body = RawBody(data, "application/json", total_bytes=len(data))
        return {"eventType": "api", "status": "success", "endpoint": "/orders", "requestPayload": body}, {}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that takes batches."""
    with Receiver(capabilities="bulk") as receiver:
        yield receiver


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_burst_of_exchanges_arrives_each_once_and_in_order(
    backend: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the native masker in batches of several, with Python each by itself: the same events."""
    batches: list[int] = []

    def noted(events: Any, *arguments: Any) -> Any:
        batches.append(len(events))
        return encode_batch(events, *arguments)

    monkeypatch.setattr(encoding, "encode_batch", noted)
    with (
        masking_with(backend),
        ReplayStackClient(api_key="k", endpoint=receiver.origin, batch_interval_seconds=0.5) as client,
    ):
        for number in range(200):
            client.recorder.exchange(Seen(number))  # type: ignore[arg-type]  # a stand-in
        assert client.flush(30)
        assert client.stats().delivered == 200
    payloads = [event["requestPayload"] for event in receiver.events(200)]
    assert payloads == [{"password": "[MASKED]", "n": number} for number in range(200)]
    assert bool(batches) is (backend == "native")
    if batches:
        assert max(batches) > 1


def test_the_one_at_fault_is_dropped_alone(receiver: Receiver) -> None:
    """It is named and counted; its neighbours in the batch arrive."""
    errors: list[BaseException] = []
    with (
        masking_with("native"),
        ReplayStackClient(
            api_key="k", endpoint=receiver.origin, batch_interval_seconds=0.5, on_error=errors.append
        ) as client,
    ):
        for number in range(10):
            client.recorder.exchange(Seen(number, fault=number == 4))  # type: ignore[arg-type]  # a stand-in
        client.flush(30)
        stats = client.stats()
    assert (stats.delivered, stats.dropped) == (9, {"encode_error": 1})
    arrived = [event["requestPayload"]["n"] for event in receiver.events(9)]
    assert arrived == [number for number in range(10) if number != 4]
    assert [str(error) for error in errors] == ["this one cannot be composed"]
