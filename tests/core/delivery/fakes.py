"""A clock that tests move and a transport that answers as told."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from replaystack.clock import Clock
from replaystack.delivery import Courier, Dropped, Pump, PumpSettings
from replaystack.delivery.transport import Answer
from replaystack.diagnostics import Guard
from replaystack.sanitize import Masked, Policy, encode_event

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY = Policy.build()


def masked(number: int, *, bytes_of_padding: int = 0) -> Masked:
    """Return an event that can be told by its number."""
    return encode_event({"traceId": f"t-{number}", "requestPayload": {"pad": "x" * bytes_of_padding}}, POLICY)


@dataclass
class Item:
    """A `Pending` with a number, to be found again on the other side."""

    number: int
    size_bytes: int = 1000
    event_type: str = "custom"
    encodes_to: Masked | Dropped | Exception | None = None

    def encode(self) -> Masked | Dropped:
        if isinstance(self.encodes_to, Exception):
            raise self.encodes_to
        return self.encodes_to or masked(self.number)


class ManualClock:
    """Time that passes only when a test, or a sleeping pump, says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now, monotonic=lambda: self.now, sleep=self.sleep, chance=lambda: 0.5)


@dataclass
class Call:
    url: str
    numbers: list[int]
    headers: Mapping[str, str]
    timeout_seconds: float
    document: Any


@dataclass
class ScriptedTransport:
    """Answers from `script`, else with `answer`; an exception in either is raised."""

    script: deque[Answer | Exception] = field(default_factory=deque)
    answer: Answer | Exception = field(default_factory=lambda: Answer(201))
    capabilities: str | None = None
    bulk_capable: bool = True
    calls: list[Call] = field(default_factory=list)
    gets: list[str] = field(default_factory=list)

    def post(self, url: str, body: Masked, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        document = json.loads(body.data)
        events = document["events"] if url.endswith("bulk-events") else [document]
        numbers = [int(event["traceId"].partition("-")[2]) for event in events]
        self.calls.append(Call(url, numbers, headers, timeout_seconds, document))
        answer = self.script.popleft() if self.script else self.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self, url: str, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        self.gets.append(url)
        if self.capabilities is None:
            return Answer(404)
        return Answer(200, {"x-replaystack-capabilities": self.capabilities})

    def close(self) -> None:
        pass

    @property
    def sent(self) -> list[int]:
        """The numbers of all events in all calls, in order."""
        return [number for call in self.calls for number in call.numbers]


class Rig:
    """A pump with everything around it under a test's control."""

    def __init__(
        self,
        settings: PumpSettings | None = None,
        *,
        transport: ScriptedTransport | None = None,
        batch_max_events: int = 50,
        bulk_without_asking: bool = False,
    ) -> None:
        self.time = ManualClock()
        self.transport = transport or ScriptedTransport()
        self.errors: list[BaseException] = []
        self.drops: list[dict[str, Any]] = []
        courier = Courier(
            self.transport,
            ingest_url="http://r/api/v1/ingest/events",
            base_url="http://r",
            api_key="k",
            batch_max_events=batch_max_events,
            bulk_without_asking=bulk_without_asking,
            wall=lambda: self.time.now,
        )
        self.pump = Pump(
            courier,
            settings or PumpSettings(),
            guard=Guard(self.errors.append),
            clock=self.time.clock(),
            on_queue_drop=self.drops.append,
        )
        self.backlog = self.pump.backlog

    def put(self, *numbers: int, size_bytes: int = 1000) -> None:
        for number in numbers:
            self.backlog.put(Item(number, size_bytes=size_bytes))

    def step(self) -> float | None:
        """Step once at the present moment; return the seconds until the next, None for never."""
        due = self.pump.step(self.time.now)
        return None if due is None else due - self.time.now

    def run(self, seconds: float = 0.0) -> None:
        """Step as a worker would until nothing is due for `seconds` from now."""
        end = self.time.now + seconds
        for _ in range(10_000):
            due = self.pump.step(self.time.now)
            if due is None or due > end:
                self.time.now = max(self.time.now, end)
                return
            self.time.now = max(self.time.now, due)
        raise AssertionError("the pump spins")

    def check_law(self) -> None:
        stats = self.backlog.stats(errors=0, skipped={})
        assert stats.captured == stats.delivered + stats.queued + stats.in_flight + sum(
            stats.dropped.values()
        )
