"""The law of the ledger, at every moment, under real threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.core.delivery.fakes import assert_lawful
from tests.receiver import Receiver, Reply

from replaystack import ReplayStackClient

if TYPE_CHECKING:
    from pathlib import Path

    from replaystack import Stats


@pytest.mark.parametrize("durability", [None, "on_failure", "always", "sync"])
def test_the_law_holds_while_threads_capture_and_the_receiver_stumbles(
    tmp_path: Path, durability: Any
) -> None:
    """What came in = what went, is on its way, waits or is on disk, at any time, from any thread."""
    each = 300 if durability is None else 60
    spool = {} if durability is None else {"spool_path": tmp_path / "spool", "durability": durability}
    with Receiver(capabilities="bulk, gzip, drops") as receiver:
        receiver.replies.extend(
            reply
            for _ in range(10 if durability is None else 2)
            for reply in (
                Reply(),
                Reply(500),
                Reply(400),
                Reply(misbehave="reset"),
                Reply(429, {"Retry-After": "0"}),
            )
        )
        client = ReplayStackClient(api_key="k", endpoint=receiver.origin, queue_max_bytes=60_000, **spool)
        done = threading.Event()
        seen: list[Stats] = []

        def capture(worker: int) -> None:
            for number in range(each):
                client.capture_event(endpoint=f"job-{worker}", metadata={"n": number})

        def read() -> None:
            while not done.is_set():
                stats = client.stats()
                assert_lawful(stats)
                seen.append(stats)

        failures: list[BaseException] = []

        def guarded() -> None:
            try:
                read()
            except BaseException as error:  # noqa: BLE001 - handed to the main thread
                failures.append(error)

        reader = threading.Thread(target=guarded)
        workers = [threading.Thread(target=capture, args=(number,)) for number in range(6)]
        reader.start()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        client.flush(30)
        if durability is not None:  # what is on disk counts as flushed, and is sent all the same
            assert client.recorder.lifetime.delivery.pump.backlog.wait_for(
                lambda: client.stats().spooled + client.stats().in_flight == 0, 30
            )
        done.set()
        reader.join()
        assert not failures, failures
        assert len(seen) > 5
        final = client.stats()
        assert_lawful(final)
        assert final.captured == 6 * each
        assert final.delivered == len(receiver.taken())
        identities = [event["metadata"]["replaystack"]["eventId"] for event in receiver.taken()]
        assert len(identities) == len(set(identities))
        assert client.close(30)


def test_sequence_numbers_are_gap_free_over_threads() -> None:
    """Each captured event has its place; what is missing at the receiver was dropped, and counted."""
    with Receiver(capabilities="bulk") as receiver:
        with ReplayStackClient(api_key="k", endpoint=receiver.origin) as client:
            workers = [
                threading.Thread(target=lambda: [client.capture_event(endpoint="x") for _ in range(100)])
                for _ in range(5)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        numbers = sorted(event["metadata"]["replaystack"]["sequence"] for event in receiver.taken())
        assert numbers == list(range(500))
        assert len({event["metadata"]["replaystack"]["process"] for event in receiver.taken()}) == 1


def test_captures_after_close_are_counted_drops() -> None:
    """Nothing is lost silently, not even what came too late."""
    with Receiver() as receiver:
        client = ReplayStackClient(api_key="k", endpoint=receiver.origin)
        client.capture_event(endpoint="x")
        assert client.close()
        client.capture_event(endpoint="late")
        assert client.close()
        stats = client.stats()
        assert (stats.captured, stats.delivered, dict(stats.dropped)) == (2, 1, {"closed": 1})
        assert len(receiver.taken()) == 1


def test_what_is_skipped_is_not_captured() -> None:
    """Sampling, ignore rules and the success filter are counted apart from the law."""
    with Receiver() as receiver:
        with ReplayStackClient(
            api_key="k", endpoint=receiver.origin, ignored_paths=["/health"], capture_success=False
        ) as client:
            client.capture_event(endpoint="/health", status="failed")
            client.capture_event(endpoint="/a")
            client.capture_event(endpoint="/a", status="pending")
            client.capture_event(endpoint="/a", status="warning")
            client.capture_event(endpoint="/a", status="failed")
        stats = client.stats()
    assert dict(stats.skipped) == {"disabled": 0, "ignored_path": 1, "sampled": 0, "not_success": 2}
    assert stats.captured == stats.delivered == 2
