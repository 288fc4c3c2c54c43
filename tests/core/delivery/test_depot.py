"""Pump and spool together: when events go to disk, how they come back, and what is booked. No thread."""

from __future__ import annotations

import json
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.core.delivery.depots import REFUSED, books, end
from tests.core.delivery.fakes import Item, Rig

from replaystack.delivery import Dropped
from replaystack.delivery.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from replaystack.sanitize import Masked


def test_a_healthy_receiver_needs_no_disk(make: Callable[..., Rig], tmp_path: Path) -> None:
    """on_failure: nothing is written while deliveries succeed."""
    rig = make()
    rig.put(1, 2, 3)
    rig.run(1)
    assert rig.transport.sent == [1, 2, 3]
    assert not (tmp_path / "spool").exists()


def test_an_outage_moves_everything_to_disk(make: Callable[..., Rig]) -> None:
    """From the first exhausted attempt on: what is queued at once, what is new within 0.5 s, unsent."""
    rig = make()
    rig.transport.answer = REFUSED
    rig.put(1, 2, 3)
    rig.run(0.1)
    assert (books(rig).spooled, books(rig).queued, rig.transport.sent) == (3, 0, [1])
    rig.put(4)
    assert rig.step() == pytest.approx(0.2)
    rig.time.now += 0.2
    rig.step()
    assert (books(rig).spooled, books(rig).queued) == (4, 0)
    assert rig.transport.sent == [1]
    assert books(rig).encode_lag_seconds == 0.0


def test_retries_read_from_the_disk_and_the_order_stays(make: Callable[..., Rig]) -> None:
    """After the outage all of it leaves, oldest first, what came meanwhile behind it; then memory again."""
    rig = make(bulk=True)
    rig.transport.answer = REFUSED
    rig.put(*range(120))
    rig.run(3)
    rig.transport.answer = Answer(200)
    rig.put(*range(120, 130))
    rig.run(60)
    assert rig.transport.accepted == list(range(130))
    stats = books(rig)
    assert (stats.delivered, stats.spooled, stats.queued) == (130, 0, 0)
    rig.put(200)
    before = len(list(rig.pump.depot._spool._segments)) if rig.pump.depot else 0
    rig.run(1)
    assert rig.transport.accepted[-1] == 200
    assert before == 0


def test_the_same_bytes_are_sent_from_disk(make: Callable[..., Rig]) -> None:
    """An event that failed once is the same event, with the same id, when it comes from disk."""
    rig = make()
    rig.transport.answer = REFUSED
    rig.put(1)
    rig.run(0.5)
    rig.transport.answer = Answer(200)
    rig.run(5)
    first, last = rig.transport.calls[0], rig.transport.calls[-1]
    assert first.document == last.document


def test_the_next_process_adopts_and_delivers_once(make: Callable[..., Rig]) -> None:
    """What a killed process left is another's: adopted, delivered, and gone from disk."""
    first = make()
    first.transport.answer = REFUSED
    first.put(*range(10))
    first.run(1)
    end(first)
    second = make(bulk=True)
    second.put(100)
    second.run(5)
    assert second.transport.accepted == [*range(10), 100]
    stats = books(second)
    assert (stats.captured, stats.adopted, stats.delivered, stats.spooled) == (1, 10, 11, 0)
    third = make()
    third.put(200)
    third.run(5)
    assert third.transport.accepted == [200]


@pytest.mark.parametrize("durability", ["always", "sync"])
def test_always_means_on_disk_before_sending(make: Callable[..., Rig], durability: str) -> None:
    """When an attempt begins, its events are on disk: a kill in the middle of it loses nothing."""
    rig = make(durability, bulk=True)
    depot = rig.pump.depot
    assert depot is not None
    seen: list[int] = []
    rig.transport.during = lambda: seen.append(depot._spool.events)
    rig.put(*range(5))
    rig.step()
    assert (books(rig).spooled, books(rig).queued) == (5, 0)
    rig.run(1)
    assert seen == [5]
    assert rig.transport.accepted == [0, 1, 2, 3, 4]
    assert books(rig).spooled == 0


def test_sync_is_on_disk_when_the_call_returns(make: Callable[..., Rig]) -> None:
    """write_through: encoded, written, synced; booked as captured and spooled in one step."""
    rig = make("sync")
    depot = rig.pump.depot
    assert depot is not None
    assert depot.write_through(Item(1))
    assert (books(rig).captured, books(rig).spooled) == (1, 1)
    assert depot.write_through(Item(2, encodes_to=Dropped("before_send")))
    assert dict(books(rig).dropped) == {"before_send": 1}
    rig.run(1)
    assert rig.transport.accepted == [1]


def test_a_signal_handler_on_top_of_a_write_goes_to_memory(make: Callable[..., Rig]) -> None:
    """The thread that holds the gate cannot wait for itself: no deadlock, no second writer."""
    rig = make("sync")
    depot = rig.pump.depot
    assert depot is not None
    with depot._entered() as entered:
        assert entered
        assert not depot.write_through(Item(1))
        rig.put(1)
    rig.run(1)
    assert rig.transport.accepted == [1]


def test_a_refused_batch_from_disk_is_halved(make: Callable[..., Rig]) -> None:
    """The bad event is dropped and counted, its neighbours arrive, each once."""
    rig = make("always", bulk=True)
    rig.put(*range(32))
    rig.transport.refuses = {11}
    rig.run(3)
    assert rig.transport.accepted == [number for number in range(32) if number != 11]
    assert dict(books(rig).dropped) == {"rejected": 1}
    assert books(rig).spooled == 0


def test_an_event_from_disk_that_is_too_large_gets_a_try_without_bodies(make: Callable[..., Rig]) -> None:
    """413 holds for what comes from disk, too."""
    rig = make("always")
    rig.transport.script.append(Answer(413))
    rig.put(1, 2)
    rig.run(1)
    assert [call.numbers for call in rig.transport.calls] == [[1], [1], [2]]
    assert rig.transport.calls[1].document["requestPayload"] == {"__omitted": True}
    assert rig.transport.calls[2].document["requestPayload"] == {"pad": ""}
    rig.transport.script.extend([Answer(413), Answer(413)])
    rig.put(3)
    rig.run(1)
    assert dict(books(rig).dropped) == {"rejected": 1}


def test_a_torn_attempt_leaves_what_is_on_disk_there(make: Callable[..., Rig]) -> None:
    """Ctrl-C in the middle of an attempt: nothing is lost, nothing stays in flight."""
    rig = make("always")
    rig.put(1, 2)
    rig.transport.script.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        rig.run(1)
    assert (books(rig).in_flight, books(rig).spooled) == (0, 2)
    rig.run(1)
    assert rig.transport.accepted == [1, 2]


def test_new_events_are_written_while_an_attempt_waits(make: Callable[..., Rig]) -> None:
    """A receiver that hangs holds the one thread; what is captured meanwhile is on disk within 0.5 s."""
    rig = make()
    rig.transport.answer = REFUSED
    rig.put(1)
    rig.run(0.5)
    spooled: list[int] = []

    def hang() -> None:
        rig.put(2, 3)
        for _moment in range(4):
            rig.time.now += 0.2
            assert rig.transport.while_waiting is not None
            rig.transport.while_waiting()
            spooled.append(books(rig).spooled)
        raise TimeoutError

    rig.transport.during = hang
    rig.run(1)
    assert spooled[-1] == 2
    assert (books(rig).spooled, books(rig).in_flight) == (3, 0)


def test_the_end_writes_what_is_in_memory_and_in_flight(make: Callable[..., Rig]) -> None:
    """The exit does not wait for a receiver that hangs: the next process has all of it."""
    rig = make()

    def hang() -> None:
        rig.put(2, 3)
        assert rig.pump.depot is not None
        rig.pump.depot.store_all(rig.time.now + 1)
        assert (books(rig).spooled, books(rig).queued, books(rig).in_flight) == (3, 0, 0)
        raise TimeoutError

    rig.transport.during = hang
    rig.put(1)
    rig.step()
    end(rig)
    second = make()
    second.put(9)
    second.run(5)
    assert sorted(second.transport.accepted) == [1, 2, 3, 9]


def test_the_end_writes_what_the_sender_is_encoding(
    make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the sender took and has not encoded yet is waited for, and is on disk once."""
    rig = make()
    entered, go = threading.Event(), threading.Event()

    class Slow(Item):
        def encode(self) -> Masked | Dropped:
            entered.set()
            assert go.wait(10)
            return super().encode()

    rig.transport.answer = REFUSED
    rig.backlog.put(Slow(1))
    sender = threading.Thread(target=rig.step)
    sender.start()
    assert entered.wait(10)
    wait_for = rig.backlog.wait_for

    def looked(condition: Callable[[], bool], seconds: float) -> bool:
        go.set()
        return wait_for(condition, seconds)

    monkeypatch.setattr(rig.backlog, "wait_for", looked)
    assert rig.pump.depot is not None
    rig.pump.depot.store_all(rig.time.now + 1)
    sender.join(10)
    assert (books(rig).spooled, rig.backlog.unsettled) == (1, 0)
    end(rig)
    second = make()
    second.put(9)
    second.run(5)
    assert (sorted(second.transport.accepted), books(second).adopted) == ([1, 9], 1)


def test_what_was_delivered_is_settled_on_disk_before_anybody_hears_of_it(
    make: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for the flush may end the process as soon as it is over: nothing may be sent again then."""
    rig = make("always")
    assert rig.pump.depot is not None
    spool, seen = rig.pump.depot._spool, []
    settle = spool.settle

    def settled(count: int) -> None:
        seen.append((books(rig).delivered, books(rig).in_flight))
        settle(count)

    monkeypatch.setattr(spool, "settle", settled)
    rig.put(1)
    rig.run(2)
    assert (rig.transport.accepted, seen) == ([1], [(0, 1)])


def _after_the_mark(rig: Rig) -> tuple[object, str]:
    return rig.backlog, "settle_lifted"


def _before_the_mark(rig: Rig) -> tuple[object, str]:
    assert rig.pump.depot is not None
    return rig.pump.depot._spool, "settle"


def _between_mark_and_count(rig: Rig) -> tuple[object, str]:
    assert rig.pump.depot is not None
    return rig.pump.depot._spool, "_book_first"


def _after_the_books(rig: Rig) -> tuple[object, str]:
    assert rig.pump.depot is not None
    return rig.pump.depot, "_tell"


@pytest.mark.parametrize(
    "place", [_before_the_mark, _between_mark_and_count, _after_the_mark, _after_the_books]
)
@pytest.mark.parametrize("refused", [(), (1,)], ids=["all taken", "one refused"])
@pytest.mark.parametrize("blows", [1, 2])
def test_what_was_answered_is_settled_whatever_tears_it_off(
    *,
    place: Callable[[Rig], tuple[object, str]],
    refused: tuple[int, ...],
    blows: int,
    make: Callable[..., Rig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C, even twice, anywhere between the answer and the books: nothing hangs, is lost or sent twice."""
    rig = make("always", bulk=True)
    rig.put(1, 2, 3)
    answer = {"data": {"rejected": [{"index": index} for index in refused]}}
    rig.transport.script.append(Answer(200, body=json.dumps(answer).encode()))
    owner, name = place(rig)
    step, left = getattr(owner, name), [blows]

    def torn_off(*arguments: object) -> object:
        if rig.transport.calls and left[0]:
            left[0] -= 1
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(owner, name, torn_off)
    with pytest.raises(KeyboardInterrupt):
        rig.run(1)
    rig.put(4)
    while left[0]:
        with pytest.raises(KeyboardInterrupt):
            rig.run(1)
    rig.run(1)
    assert [call.numbers for call in rig.transport.calls] == [[1, 2, 3], [4]]
    stats = books(rig)
    assert (stats.in_flight, stats.queued, stats.spooled) == (0, 0, 0)
    assert (stats.delivered, stats.dropped.get("rejected", 0)) == (4 - len(refused), len(refused))
    end(rig)
    following = make()
    following.put(5)
    following.run(5)
    assert following.transport.accepted == [5]
    assert books(following).adopted == 0


def test_a_flush_counts_what_is_on_disk_as_done_and_tries_it(make: Callable[..., Rig]) -> None:
    """flush: True as soon as everything is delivered, dropped or on disk; one attempt of its own."""
    rig = make()
    rig.transport.answer = REFUSED
    rig.put(1, 2)
    assert rig.pump.drive(rig.pump.hurry(), rig.time.now + 5)
    assert books(rig).spooled == 2
    attempts = len(rig.transport.calls)
    assert rig.pump.drive(rig.pump.hurry(), rig.time.now + 5)
    assert len(rig.transport.calls) == attempts + 1
    rig.transport.answer = Answer(200)
    assert rig.pump.drive(rig.pump.hurry(), rig.time.now + 5)
    assert rig.transport.accepted == [1, 2]


def test_a_sync_client_keeps_failures_on_disk(make: Callable[..., Rig]) -> None:
    """async_send=False: its own attempt first, then the disk; oldest first on the next flush."""
    rig = make(sync=True, offline_queue_max=100)
    rig.transport.answer = REFUSED
    deliver = partial(map, rig.direct.deliver)
    assert list(deliver([Item(1), Item(2)])) == [None, None]
    assert (books(rig).spooled, books(rig).queued) == (2, 0)
    rig.transport.answer = Answer(200)
    assert rig.direct.deliver(Item(3)) is not None
    assert rig.pump.drive(rig.pump.hurry(), rig.time.now + 5)
    assert rig.transport.accepted == [3, 1, 2]
