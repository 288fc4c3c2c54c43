"""The pump: order, batches, retries, outages, refusals, bounds. No thread, no clock but ours."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.fakes import Item, Rig, ScriptedTransport, masked

from replaystack.delivery import Dropped, PumpSettings
from replaystack.delivery.transport import Answer
from replaystack.diagnostics import RateLimitedLogger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack.sanitize import Masked

REFUSED = ConnectionRefusedError("refused")


@pytest.fixture(autouse=True)
def lawful(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test does, the ledger adds up afterwards."""
    rigs: list[Rig] = []
    original = Rig.__init__

    def remember(self: Rig, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        rigs.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rig, "__init__", remember)
        yield
    assert rigs
    for rig in rigs:
        rig.check_law()


def bulk_rig(settings: PumpSettings | None = None, *, batch_max_events: int = 50) -> Rig:
    """Return a rig whose receiver takes batches."""
    return Rig(settings, transport=ScriptedTransport(capabilities="bulk"), batch_max_events=batch_max_events)


def test_single_events_leave_in_order_one_per_request() -> None:
    """A receiver that promises nothing more gets single events, oldest first."""
    rig = Rig()
    rig.put(1, 2, 3)
    rig.run()
    assert [call.numbers for call in rig.transport.calls] == [[1], [2], [3]]
    assert {call.url for call in rig.transport.calls} == {"http://r/api/v1/ingest/events"}
    assert rig.backlog.stats(errors=0, skipped={}).delivered == 3


def test_the_headers_of_the_contract() -> None:
    """Both key headers, the SDK's name and version, and JSON."""
    rig = Rig()
    rig.put(1)
    rig.run()
    headers = dict(rig.transport.calls[0].headers)
    assert headers.pop("x-replaystack-sdk-version")
    assert headers == {
        "Content-Type": "application/json",
        "x-tracereplay-api-key": "k",
        "x-replaystack-api-key": "k",
        "x-replaystack-sdk": "python",
    }


def test_capabilities_are_asked_for_once() -> None:
    """One question before the first send, none after."""
    rig = Rig()
    rig.put(1)
    rig.run()
    rig.put(2)
    rig.run()
    assert rig.transport.gets == ["http://r/api/v1/ingest/capabilities"]


def test_batches_fill_up_or_wait_a_moment() -> None:
    """With bulk, a full batch leaves at once; a partial one after the interval, or on a flush."""
    rig = bulk_rig(PumpSettings(batch_interval_seconds=0.2), batch_max_events=3)
    rig.put(1, 2, 3, 4)
    assert rig.step() == 0.0
    assert [call.numbers for call in rig.transport.calls] == [[1, 2, 3]]
    assert rig.step() == pytest.approx(0.2)
    rig.time.now += 0.2
    rig.step()
    assert rig.transport.sent == [1, 2, 3, 4]
    rig.put(5)
    rig.step()
    assert rig.transport.sent[-1] == 4
    rig.pump.hurry()
    rig.step()
    assert rig.transport.sent[-1] == 5


def test_a_batch_stays_below_the_receivers_size() -> None:
    """A bulk request carries at most 4 MiB; what does not fit goes with the next one."""
    rig = bulk_rig()
    for number in range(12):
        event = masked(number, bytes_of_padding=500_000)
        rig.backlog.put(Item(number, size_bytes=10, encodes_to=event))
    rig.run(1)
    assert [call.numbers for call in rig.transport.calls] == [[0, 1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11]]


def test_a_header_on_any_answer_advertises() -> None:
    """A receiver that was away when it was asked can still say that it takes batches."""
    rig = Rig(
        transport=ScriptedTransport(script=deque([Answer(201, {"x-replaystack-capabilities": "bulk"})]))
    )
    rig.put(1, 2, 3)
    rig.run(1)
    assert [call.numbers for call in rig.transport.calls] == [[1], [2, 3]]


def test_explicit_batching_needs_no_question_and_falls_back() -> None:
    """batch_max_events set by the user uses bulk at once; 404 ends that for good, losing nothing."""
    rig = Rig(transport=ScriptedTransport(script=deque([Answer(404)])), bulk_without_asking=True)
    rig.put(1, 2)
    rig.run(1)
    assert rig.transport.gets == []
    assert [call.numbers for call in rig.transport.calls] == [[1, 2], [1], [2]]
    rig.put(3, 4)
    rig.run(1)
    assert [call.numbers for call in rig.transport.calls[3:]] == [[3], [4]]


def test_quick_retries_back_off_exponentially_with_jitter() -> None:
    """The n-th quick retry waits chance x 150 ms x 2^(n-1); chance is 0.5 here."""
    rig = Rig(PumpSettings(max_retries=3))
    rig.transport.script.extend([Answer(500), REFUSED, Answer(408)])
    rig.put(1)
    assert [rig.step() for _ in range(1)] == [pytest.approx(0.075)]
    rig.time.now += 0.075
    assert rig.step() == pytest.approx(0.15)
    rig.time.now += 0.15
    assert rig.step() == pytest.approx(0.3)
    rig.time.now += 0.3
    assert rig.step() is None
    stats = rig.backlog.stats(errors=0, skipped={})
    assert (stats.delivered, stats.retries) == (1, 3)
    assert rig.errors == []


def test_an_outage_holds_the_batch_and_tries_again_by_itself() -> None:
    """After the quick attempts: 1, 2, 4 ... 60 s, one attempt each, the same bytes, then all of it."""
    rig = Rig(PumpSettings(max_retries=1))
    rig.transport.answer = REFUSED
    rig.put(1, 2)
    rig.step()
    rig.time.now += 0.075
    waits = []
    for _ in range(9):
        wait = rig.step()
        assert wait is not None
        waits.append(wait)
        rig.time.now += wait
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert set(rig.transport.sent) == {1}
    assert rig.errors
    rig.transport.answer = Answer(201)
    rig.run()
    assert rig.transport.sent[-2:] == [1, 2]
    first, last = rig.transport.calls[0].document, rig.transport.calls[-2].document
    assert first == last


def test_the_tick_shortens_the_wait() -> None:
    """flush_interval_seconds tries held events again at its own pace."""
    rig = Rig(PumpSettings(max_retries=0, flush_interval_seconds=10))
    rig.transport.answer = REFUSED
    rig.put(1)
    waits = []
    for _ in range(6):
        wait = rig.step()
        assert wait is not None
        waits.append(wait)
        rig.time.now += wait
    assert waits == [1, 2, 4, 8, 10, 10]


def test_a_flush_tries_at_once() -> None:
    """Held events do not wait for their back-off when the user flushes."""
    rig = Rig(PumpSettings(max_retries=0))
    rig.transport.script.extend([REFUSED, REFUSED, REFUSED])
    rig.put(1)
    rig.run(4)
    assert len(rig.transport.calls) == 3
    assert rig.pump.drive(rig.pump.hurry(), rig.time.now + 0.5)
    assert len(rig.transport.calls) == 4


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("100000", 300.0), ("Thu, 01 Jan 1970 00:17:00 GMT", 20.0), ("soon", 0.075), ("-5", 0.075)],
)
def test_retry_after_is_honoured(value: str, seconds: float) -> None:
    """Seconds or a date, capped at 300 s; rubbish is ignored. The clock says 1000 s after the epoch."""
    rig = Rig()
    rig.transport.script.append(Answer(429, {"retry-after": value}))
    rig.put(1)
    assert rig.step() == pytest.approx(seconds)


def test_a_flush_respects_retry_after() -> None:
    """The receiver's word stands: a flush in that time returns False at once instead of hammering."""
    rig = Rig()
    rig.transport.script.append(Answer(429, {"retry-after": "60"}))
    rig.put(1)
    rig.step()
    before = rig.time.now
    assert rig.pump.drive(rig.pump.hurry(), rig.time.now + 10) is False
    assert rig.time.now == before
    assert len(rig.transport.calls) == 1


@pytest.mark.parametrize("status", [400, 402, 404, 409, 413, 422])
def test_a_refused_event_is_dropped_and_reported(status: int) -> None:
    """A permanent refusal is never retried, blocks nobody, and is counted."""
    rig = Rig()
    rig.transport.script.extend([Answer(status)] * (2 if status == 413 else 1))
    rig.put(1, 2)
    rig.run()
    assert rig.transport.sent == ([1, 1, 2] if status == 413 else [1, 2])
    stats = rig.backlog.stats(errors=0, skipped={})
    assert (stats.delivered, dict(stats.dropped)) == (1, {"rejected": 1})
    assert len(rig.errors) == 1


def test_an_event_that_is_too_large_gets_a_try_without_bodies() -> None:
    """413: the headline of a large event is worth more than nothing."""
    rig = Rig()
    rig.transport.script.append(Answer(413))
    rig.put(1)
    rig.run()
    first, second = (call.document for call in rig.transport.calls)
    assert first["requestPayload"] == {"pad": ""}
    assert second["requestPayload"] == {"__omitted": True}
    assert second["traceId"] == first["traceId"]
    assert rig.backlog.stats(errors=0, skipped={}).delivered == 1


def test_a_refused_batch_gives_up_only_the_bad_event() -> None:
    """A poison event in a batch is found; its neighbours arrive."""
    rig = bulk_rig()
    rig.transport.script.extend([Answer(400), Answer(201), Answer(422), Answer(201)])
    rig.put(1, 2, 3)
    rig.run(1)
    assert [call.numbers for call in rig.transport.calls] == [[1, 2, 3], [1], [2], [3]]
    stats = rig.backlog.stats(errors=0, skipped={})
    assert (stats.delivered, dict(stats.dropped)) == (2, {"rejected": 1})


def test_a_batch_answer_may_refuse_single_events() -> None:
    """data.rejected of a bulk 2xx: those are dropped and counted, the others delivered."""
    rig = bulk_rig()
    body = json.dumps({"success": True, "data": {"accepted": 2, "rejected": [{"index": 1, "message": "no"}]}})
    rig.transport.script.append(Answer(200, {}, body.encode()))
    rig.put(1, 2, 3)
    rig.run(1)
    stats = rig.backlog.stats(errors=0, skipped={})
    assert (stats.delivered, dict(stats.dropped)) == (2, {"rejected": 1})


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 403])
def test_a_wrong_key_or_a_redirect_holds_without_quick_retries(status: int) -> None:
    """Somebody can mend that: nothing is dropped, nothing hammers."""
    rig = Rig(PumpSettings(max_retries=5))
    rig.transport.script.append(Answer(status))
    rig.put(1)
    assert rig.step() == 60.0
    assert rig.backlog.stats(errors=0, skipped={}).queued == 1
    assert len(rig.errors) == 1
    rig.time.now += 60
    rig.run()
    assert rig.backlog.stats(errors=0, skipped={}).delivered == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1", b'"yes"', b"\xff", b'{"data": {"rejected": 7}}'])
def test_a_2xx_with_a_rubbish_body_is_a_delivery(body: bytes) -> None:
    """The status decides; a proxy's page in the body does not."""
    rig = bulk_rig()
    rig.transport.script.append(Answer(200, {}, body))
    rig.put(1, 2)
    rig.run(1)
    assert rig.backlog.stats(errors=0, skipped={}).delivered == 2


def test_memory_is_bounded_and_the_oldest_give_way() -> None:
    """queue_max_bytes holds from the first event, each drop is counted and told once."""
    rig = Rig(PumpSettings(queue_max_bytes=10_000))
    rig.put(*range(25))
    stats = rig.backlog.stats(errors=0, skipped={})
    assert (stats.queued, dict(stats.dropped)) == (10, {"max_queue_size": 15})
    assert stats.queued_bytes <= 10_000
    rig.run()
    assert rig.transport.sent == list(range(15, 25))
    assert rig.drops == [{"reason": "max_queue_size", "eventType": "custom"}] * 15


def test_the_offline_bound_counts_only_during_an_outage() -> None:
    """A burst towards a healthy receiver may be larger than offline_queue_max; an outage may not."""
    rig = Rig(PumpSettings(max_retries=0, offline_queue_max=3))
    rig.put(*range(10))
    assert rig.backlog.stats(errors=0, skipped={}).queued == 10
    rig.transport.script.append(REFUSED)
    rig.step()
    assert rig.backlog.stats(errors=0, skipped={}).queued == 3
    rig.put(10, 11)
    rig.run(2)
    assert rig.transport.sent == [0, 9, 10, 11]
    assert len(rig.drops) == 9
    rig.put(*range(20, 30))
    rig.run()
    assert rig.transport.sent[-10:] == list(range(20, 30))


def test_an_offline_bound_of_zero_drops_after_the_retries() -> None:
    """0 holds nothing; the next event gets attempts of its own."""
    rig = Rig(PumpSettings(max_retries=1, offline_queue_max=0))
    rig.transport.script.extend([REFUSED, REFUSED])
    rig.put(1, 2)
    rig.run(1)
    assert rig.transport.sent == [1, 1, 2]
    stats = rig.backlog.stats(errors=0, skipped={})
    assert (stats.delivered, dict(stats.dropped)) == (1, {"max_queue_size": 1})


def test_what_cannot_be_encoded_is_dropped_and_its_neighbours_are_not() -> None:
    """Fail closed: an event that cannot be masked never leaves, and takes no other with it."""
    rig = bulk_rig()
    rig.put(1)
    rig.backlog.put(Item(2, encodes_to=ValueError("broken")))
    rig.backlog.put(Item(3, encodes_to=Dropped("before_send")))
    rig.put(4)
    rig.run(1)
    assert rig.transport.sent == [1, 4]
    stats = rig.backlog.stats(errors=0, skipped={})
    assert dict(stats.dropped) == {"encode_error": 1, "before_send": 1}


def test_a_raising_drop_hook_changes_nothing() -> None:
    """The user's hook may raise; sending goes on."""
    rig = Rig(PumpSettings(queue_max_bytes=2_000))

    def hook(info: dict[str, object]) -> None:
        raise RuntimeError("hook")

    rig.pump.notices._on_queue_drop = hook
    rig.put(*range(5))
    rig.run()
    assert rig.transport.sent == [3, 4]


def test_a_sync_delivery_returns_the_answer_and_holds_a_failure() -> None:
    """async_send=False: the caller's own event is attempted now; a failed one waits for a flush."""
    rig = Rig(PumpSettings(max_retries=1, offline_queue_max=2))
    rig.transport.script.append(
        Answer(201, {}, b'{"success": true, "message": "m", "data": {"eventId": "e"}}')
    )
    response = rig.direct.deliver(Item(1))
    assert response is not None
    assert rig.direct.take_own_error() is None
    assert (response.success, response.message, response.data) == (True, "m", {"eventId": "e"})
    rig.transport.answer = REFUSED
    assert [rig.direct.deliver(Item(number)) for number in (2, 3, 4)] == [None] * 3
    assert rig.direct.take_own_error() is REFUSED
    assert rig.transport.sent == [1, 2, 2, 3, 3, 4, 4]
    rig.transport.answer = Answer(200)
    assert rig.direct.deliver(Item(5)) is not None
    assert rig.backlog.stats(errors=0, skipped={}).queued == 2
    assert rig.pump.drive(rig.pump.hurry(), rig.time.now + 5)
    assert rig.transport.sent[-3:] == [5, 3, 4]
    assert len(rig.drops) == 1


def test_a_sync_delivery_never_waits_longer_than_promised() -> None:
    """(max_retries + 1) x timeout_seconds in all; a longer Retry-After goes to the queue."""
    rig = Rig(PumpSettings(max_retries=3, timeout_seconds=2.0))
    rig.transport.answer = Answer(503, {"retry-after": "3"})
    rig.direct.deliver(Item(1))
    assert sum(rig.time.slept) <= 8.0
    assert rig.transport.sent == [1, 1, 1]
    assert rig.backlog.stats(errors=0, skipped={}).queued == 1


def test_a_flush_bounds_the_attempt_itself() -> None:
    """flush(0.2) against a stalled receiver gives the attempt 0.2 s, not its usual 2.5."""
    rig = Rig()
    rig.transport.answer = REFUSED
    rig.put(1)
    rig.pump.drive(rig.pump.hurry(), rig.time.now + 0.2)
    assert rig.transport.calls[0].timeout_seconds == pytest.approx(0.2)


def test_a_flush_waits_for_everything_before_it_and_nothing_after() -> None:
    """The target is what was captured before the call, in order; later drops do not count for it."""
    rig = Rig(PumpSettings(max_retries=0))
    rig.put(1)
    target = rig.pump.hurry()
    rig.transport.script.append(REFUSED)
    rig.step()
    rig.put(2)
    rig.backlog.book_drop("closed", "custom")
    assert not rig.backlog.is_settled(target)
    rig.run(5)
    assert rig.backlog.is_settled(target)


def test_a_refused_batch_is_halved() -> None:
    """One bad event of 16 costs one request per halving and side, not sixteen."""
    rig = bulk_rig(batch_max_events=16)
    rig.put(*range(16))
    rig.transport.refuses = {5}
    rig.run(1)
    assert [call.numbers for call in rig.transport.calls] == [
        list(range(16)), list(range(8)), [0, 1, 2, 3], [4, 5, 6, 7], [4, 5], [4], [5], [6, 7],
        list(range(8, 16)),
    ]  # fmt: skip
    stats = rig.backlog.stats(errors=0, skipped={})
    assert (stats.delivered, dict(stats.dropped)) == (15, {"rejected": 1})
    rig.put(*range(20, 36))
    rig.run(1)
    assert rig.transport.calls[-1].numbers == list(range(20, 36))


def test_several_bad_events_are_all_found() -> None:
    """Halving goes on inside of both halves; nothing good is lost, nothing that was taken is sent again."""
    rig = bulk_rig(batch_max_events=30)
    rig.put(*range(60))
    rig.transport.refuses = {0, 7, 8, 29, 30, 59}
    rig.run(1)
    stats = rig.backlog.stats(errors=0, skipped={})
    assert (stats.delivered, dict(stats.dropped)) == (54, {"rejected": 6})
    assert rig.transport.accepted == [number for number in range(60) if number not in rig.transport.refuses]


def test_large_bodies_wake_the_sender_before_the_queue_is_full() -> None:
    """A batch of fifty that gathers for 0.2 s must not cost events because each of them is large."""
    rig = bulk_rig()
    assert rig.step() is None
    rig.put(1, size_bytes=500_000)
    assert rig.step() == pytest.approx(0.2)
    assert rig.backlog.inbox.wake_at == 50
    woken = rig.backlog.inbox
    woken.wait(0.0)
    rig.put(2, 3, size_bytes=500_000)
    assert woken._semaphore.acquire(blocking=False)
    rig.step()
    assert rig.transport.sent == [1, 2, 3]


def test_a_batch_is_encoded_in_slices() -> None:
    """At most 32 events or 1 MiB in one go; other threads get their turn in between."""
    rig = bulk_rig(batch_max_events=100)
    sizes: list[int] = []
    original = rig.pump.encoder._encode_slice
    rig.pump.encoder._encode_slice = lambda pendings: (  # type: ignore[method-assign]
        sizes.append(len(pendings)) or original(pendings)  # type: ignore[func-returns-value]
    )
    rig.put(*range(100))
    rig.run(1)
    rig.put(*range(100, 110), size_bytes=400_000)
    rig.run(1)
    assert sizes == [32, 32, 32, 4, 2, 2, 2, 2, 2]
    assert rig.transport.sent == list(range(110))


def test_other_threads_get_their_turn_while_a_burst_is_encoded() -> None:
    """After each millisecond of encoding the sender gives way, within a slice too."""
    rig = bulk_rig(batch_max_events=20)

    class Slow(Item):
        def encode(self) -> Masked | Dropped:
            rig.time.now += 0.0006
            return super().encode()

    for number in range(20):
        rig.backlog.put(Slow(number))
    rig.run(1)
    assert rig.transport.sent == list(range(20))
    assert rig.time.gave_way == 10


def test_gzip_only_where_it_is_advertised() -> None:
    """A large body is compressed for a receiver that says so; 415 ends that, losing nothing."""
    rig = Rig(transport=ScriptedTransport(capabilities="gzip"))
    rig.backlog.put(Item(1, encodes_to=masked(1)))
    rig.backlog.put(Item(2, encodes_to=masked(2, bytes_of_padding=5000)))
    rig.run()
    assert [call.headers.get("Content-Encoding") for call in rig.transport.calls] == [None, "gzip"]
    rig.transport.script.append(Answer(415))
    rig.backlog.put(Item(3, encodes_to=masked(3, bytes_of_padding=5000)))
    rig.run()
    assert [call.headers.get("Content-Encoding") for call in rig.transport.calls[2:]] == ["gzip", None]
    assert rig.backlog.stats(errors=0, skipped={}).delivered == 3


def test_drops_are_told_to_a_receiver_that_asks() -> None:
    """Cumulative counts by reason, with the stream that they belong to."""
    rig = Rig(transport=ScriptedTransport(capabilities="drops"))
    rig.put(1)
    rig.run()
    first = rig.transport.calls[0].headers
    assert (first["x-replaystack-process"], first.get("x-replaystack-drops")) == ("stream-1", None)
    rig.backlog.put(Item(2, encodes_to=Dropped("before_send")))
    rig.backlog.put(Item(3, encodes_to=Dropped("before_send")))
    rig.transport.script.append(Answer(400))
    rig.put(4, 5)
    rig.run()
    assert rig.transport.calls[-1].headers["x-replaystack-drops"] == "before_send=2, rejected=1"


def test_without_capabilities_no_header_says_more_than_the_contract() -> None:
    """Compression and drops are used only after the receiver advertised them."""
    rig = Rig(PumpSettings(queue_max_bytes=10_000))
    rig.put(*range(20))
    rig.backlog.put(Item(20, encodes_to=masked(20, bytes_of_padding=5000)))
    rig.run()
    for call in rig.transport.calls:
        assert not {"Content-Encoding", "x-replaystack-drops", "x-replaystack-process"} & set(call.headers)


def test_a_wrong_key_is_said_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """401: one line, not one a minute, until something was delivered; the hook hears of each."""
    rig = Rig()
    logger = RateLimitedLogger("replaystack.delivery.settlement", lambda: rig.time.now)
    monkeypatch.setattr("replaystack.delivery.settlement._log", logger)
    rig.transport.answer = Answer(401)
    rig.put(1)
    rig.run(600)
    lines = [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
    assert len(rig.transport.calls) == len(rig.errors) == 11
    assert [line.getMessage() for line in lines] == [
        "the receiver refuses us with status 401: events are held, the next attempt is in 60 s"
    ]


class Listener:
    """A hook that keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, object]]] = []

    def __getattr__(self, name: str) -> object:
        if not name.startswith("record_"):
            raise AttributeError(name)
        return lambda **figures: self.heard.append((name, figures))

    def of(self, name: str) -> list[dict[str, object]]:
        return [figures for heard, figures in self.heard if heard == name]


def test_metrics_hear_of_everything() -> None:
    """Deliveries, retries, drops, encodings and depths, by keyword, with their figures."""
    hook = Listener()
    rig = Rig(PumpSettings(max_retries=1, queue_max_bytes=3000), metrics=hook)
    rig.put(1, 2, 3, 4)
    rig.transport.script.extend([Answer(503), Answer(201), Answer(422)])
    rig.run(1)
    assert hook.of("record_event_dropped") == [
        {"reason": "max_queue_size", "event_type": "custom", "count": 1},
        {"reason": "rejected", "event_type": "custom", "count": 1},
    ]
    assert [(told["success"], told["events"]) for told in hook.of("record_delivery")] == [
        (False, 1), (True, 1), (False, 1), (True, 1),
    ]  # fmt: skip
    assert hook.of("record_retry") == [{"attempt": 1, "reason": "503"}]
    assert [told["events"] for told in hook.of("record_encode")] == [1, 1, 1]
    assert hook.of("record_queue_depth")[0]["depth"] == 3


def test_a_raising_metrics_hook_changes_nothing() -> None:
    """The hook is the user's; sending goes on, and the error is reported."""

    class Raising(Listener):
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(name)

    rig = Rig(metrics=Raising())
    rig.put(1, 2)
    rig.run()
    assert rig.transport.sent == [1, 2]
    assert rig.errors


def test_the_lag_is_the_age_of_the_oldest_in_memory() -> None:
    """What a kill can lose: whatever was captured since then; nothing once all is settled."""
    rig = Rig(PumpSettings(max_retries=0))
    assert rig.backlog.stats(errors=0, skipped={}).encode_lag_seconds == 0.0
    rig.put(1)
    rig.time.now += 3
    rig.put(2)
    assert rig.backlog.stats(errors=0, skipped={}).encode_lag_seconds == pytest.approx(3.0)
    rig.transport.answer = REFUSED
    rig.step()
    rig.time.now += 1
    assert rig.backlog.stats(errors=0, skipped={}).encode_lag_seconds == pytest.approx(4.0)
    rig.transport.answer = Answer(201)
    rig.run(2)
    assert rig.backlog.stats(errors=0, skipped={}).encode_lag_seconds == 0.0
