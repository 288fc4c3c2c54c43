"""A clock that tests move and a transport that answers as told."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from replaystack.clock import Clock
from replaystack.delivery import Courier, Dropped, Pump, PumpSettings, Stats
from replaystack.delivery.direct import Direct
from replaystack.delivery.transport import Answer
from replaystack.diagnostics import Guard
from replaystack.sanitize import Masked, Policy, encode_event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
        self.gave_way = 0

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def give_way(self) -> None:
        self.gave_way += 1

    def clock(self) -> Clock:
        return Clock(
            wall=lambda: self.now,
            monotonic=lambda: self.now,
            sleep=self.sleep,
            give_way=self.give_way,
            chance=lambda: 0.5,
        )


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

    script: deque[Answer | BaseException] = field(default_factory=deque)
    answer: Answer | BaseException = field(default_factory=lambda: Answer(201))
    capabilities: str | None = None
    bulk_capable: bool = True
    while_waiting: Callable[[], None] | None = None
    refuses: set[int] = field(default_factory=set)
    """Numbers of events that make a request a 422, alone or in a batch."""
    calls: list[Call] = field(default_factory=list)
    during: Callable[[], None] | None = None
    """Called while a request is under way."""
    accepted: list[int] = field(default_factory=list)
    """The numbers of the events that were answered with a 2xx."""
    gets: list[str] = field(default_factory=list)

    def post(self, url: str, body: Masked, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        document = json.loads(body.data)
        events = document["events"] if url.endswith("bulk-events") else [document]
        numbers = [int(event["traceId"].partition("-")[2]) for event in events]
        self.calls.append(Call(url, numbers, headers, timeout_seconds, document))
        if self.during is not None:
            self.during()
        answer = self.script.popleft() if self.script else self.answer
        if isinstance(answer, BaseException):
            raise answer
        if self.refuses.intersection(numbers):
            return Answer(422)
        if answer.status < 300:
            self.accepted += numbers
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
        metrics: Any = None,
        spool: Callable[[Callable[[BaseException, str], None]], Any] | None = None,
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
            process="stream-1",
            drops=lambda: self.pump.backlog.dropped(),  # noqa: PLW0108 - the pump comes after it
            wall=lambda: self.time.now,
        )
        guard = Guard(self.errors.append)
        self.pump = Pump(
            courier,
            settings or PumpSettings(),
            guard=guard,
            clock=self.time.clock(),
            on_queue_drop=self.drops.append,
            metrics=metrics,
            spool=spool,
        )
        self.direct = Direct(self.pump, guard)
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
        assert_lawful(stats)


def assert_lawful(stats: Stats) -> None:
    """Check the one law of the ledger."""
    gone = stats.delivered + stats.carried + sum(stats.dropped.values())
    assert stats.captured + stats.adopted == gone + stats.queued + stats.in_flight + stats.spooled, stats
