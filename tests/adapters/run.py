"""Runs a scenario of the contract: against the bare application and the instrumented one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tests.wire_client import RawAnswer, exchange

if TYPE_CHECKING:
    from tests.adapters.contract import Scenario
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient

__all__ = ["check", "check_in_process", "events_of"]

_numbers = itertools.count()


def check(scenario: Scenario, bare: str, watched: str, receiver: Receiver, client: ReplayStackClient) -> None:
    """Send the scenario's request to both; same answer, and the one event that it describes.

    `client` is the one that `watched` has, and new: what arrived before would count.
    """
    answer = _compared(scenario, bare, watched)
    assert client.flush()
    _judge(scenario, answer, receiver.taken())


def check_in_process(scenario: Scenario, bare: str, watched: str, receiver: Receiver) -> None:
    """Do the same where the client lives in another process, which goes on between scenarios.

    Events arrive in order there, so a request sent afterwards tells that nothing more will come.
    """
    before = events_of(watched, receiver)
    answer = _compared(scenario, bare, watched)
    _judge(scenario, answer, events_of(watched, receiver)[len(before) :])


def events_of(watched: str, receiver: Receiver) -> list[dict[str, Any]]:
    """Return all events of requests made so far, in order, but for those of this very question."""
    mark = f"/ok?fence={next(_numbers)}"
    exchange(watched, "GET", mark)
    count = 1
    while True:
        events = receiver.events(count)
        if any(event["requestUrl"].endswith(mark) for event in events):
            return [event for event in events if "fence=" not in event["requestUrl"]]
        count = len(events) + 1


def _compared(scenario: Scenario, bare: str, watched: str) -> RawAnswer:
    request = scenario.method, scenario.path, scenario.headers, scenario.body
    expected, answer = exchange(bare, *request), exchange(watched, *request)
    assert answer.comparable() == expected.comparable()
    return answer


def _judge(scenario: Scenario, answer: RawAnswer, events: list[dict[str, Any]]) -> None:
    if scenario.check is None:
        assert events == []
        assert not {"x-trace-id", "x-correlation-id"} & set(answer.headers)
        return
    (event,) = events
    scenario.check(event)
    if answer.status != 500:
        assert answer.headers.get("x-correlation-id") == scenario.correlation
    if answer.status != 500 or "x-trace-id" in answer.headers:
        assert answer.headers["x-trace-id"] == (event["traceId"] if scenario.path != "/own-trace" else "mine")
