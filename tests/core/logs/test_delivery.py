"""Promises of how entries leave: inside of events, to `/v1/logs`, or not at all, and always counted."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from tests.receiver import LOGS_PATH, Receiver, Reply

from replaystack import ReplayStackClient, run_with_replaystack_context
from replaystack.logs.timber import LIMITS

if TYPE_CHECKING:
    from pathlib import Path

    from replaystack import Stats


def client_of(receiver: Receiver, **options: Any) -> ReplayStackClient:
    """Return a client of `receiver` that gathers no batches for long."""
    return ReplayStackClient(
        **{"api_key": "k", "endpoint": receiver.origin, "batch_interval_seconds": 0.01, **options}
    )


def logs_of(client: ReplayStackClient) -> Stats:
    """Return the account of entries, after checking its law."""
    stats = client.stats().logs
    assert stats is not None
    gone = stats.delivered + stats.carried + sum(stats.dropped.values())
    assert stats.captured + stats.adopted == gone + stats.queued + stats.in_flight + stats.spooled, stats
    return stats


def test_entries_reach_a_receiver_that_takes_them() -> None:
    """Where `logs` is advertised, entries go to `/v1/logs` with id, logger, moment and masked data."""
    with Receiver(capabilities="logs") as receiver, client_of(receiver, service_name="shop") as client:
        before = time.time() * 1000
        client.log.warning("m", a=1, password="hunter22", tags=["t"])
        assert client.flush()
        (entry,) = receiver.logs(1)
        (post,) = receiver.log_posts()
        assert logs_of(client).delivered == 1
    assert before - 1 <= entry.pop("timestamp") <= time.time() * 1000
    assert uuid.UUID(entry.pop("id"))
    assert entry == {
        "level": "warn", "message": "m", "source": "shop", "environment": "development", "tags": ["t"],
        "logger": "app", "isPii": False, "data": {"a": 1, "password": "[MASKED]"},
    }  # fmt: skip
    assert post.path == LOGS_PATH
    assert post.headers["x-replaystack-api-key"] == post.headers["x-api-key"] == "k"


def test_without_a_log_receiver_entries_travel_inside_of_events() -> None:
    """Outside of a scope the next capture takes the client's entries; they are counted as carried."""
    with Receiver() as receiver, client_of(receiver, max_logs=2) as client:
        client.log.debug("below").info("one").info("two").error("three", is_pii=False)
        client.capture_event()
        assert client.flush()
        event = receiver.event()
        stats = logs_of(client)
        assert receiver.log_posts() == []
    assert [entry["message"] for entry in event["logs"]] == ["two", "three"]
    assert event["logs"][1]["level"] == "error"
    assert event["logs"][1]["metadata"]["replaystack"]["logger"] == "app"
    assert event["metadata"]["replaystack"]["logsOmitted"] == 1
    assert stats.carried == 3
    assert stats.dropped == {"no_log_receiver": 1}


def test_a_scope_has_its_own_entries() -> None:
    """Inside of a scope its events carry its entries, and nobody else's do."""
    with Receiver() as receiver, client_of(receiver) as client:
        with run_with_replaystack_context():
            client.log.info("inside")
            client.capture_event()
        client.capture_event()
        assert client.flush()
        first, second = receiver.events(2)
    assert [entry["message"] for entry in first["logs"]] == ["inside"]
    assert "logs" not in second


@pytest.mark.parametrize("options", [{"capture_logs": False}, {"max_logs": 0}, {"log_level": "error"}])
def test_what_is_not_wanted_in_events_is_not_there(options: dict[str, Any]) -> None:
    """`capture_logs`, `max_logs` and `log_level` decide what events carry."""
    with Receiver() as receiver, client_of(receiver, **options) as client:
        client.log.info("m")
        client.capture_event()
        assert client.flush()
        assert "logs" not in receiver.event()
        assert logs_of(client).dropped == {"no_log_receiver": 1}


@pytest.mark.checklist("P8")
@pytest.mark.parametrize(
    ("capabilities", "send_pii", "leaves"),
    [
        ("logs", False, False),
        ("logs, pii", False, True),
        ("logs", True, True),
        (None, False, False),
        (None, True, True),
    ],
)
def test_personal_data_leaves_only_where_it_may(
    capabilities: str | None, *, send_pii: bool, leaves: bool
) -> None:
    """A PII entry goes to a receiver that advertised `pii`, or with `send_pii`; else it is counted."""
    with Receiver(capabilities=capabilities) as receiver, client_of(receiver, send_pii=send_pii) as client:
        client.log.info("born 1970", is_pii=True)
        client.flush()  # the receiver is known from here on, unless it takes no entries at all
        client.capture_event(logs=[{"level": "info", "message": "mine", "isPii": True}])
        client.log.info("born 1971", is_pii=True)
        client.capture_event()
        assert client.flush()
        sent = str([request.body for request in receiver.requests()])
        stats = logs_of(client)
    assert ("born 197" in sent) is leaves
    assert ("mine" in sent) is leaves
    assert stats.dropped.get("pii_not_allowed", 0) == (0 if leaves else 2)


def test_an_outage_loses_no_entry() -> None:
    """Refused and hanging answers are tried again; what was logged meanwhile arrives once, in order."""
    with (
        Receiver(capabilities="logs") as receiver,
        client_of(receiver, max_retries=1, timeout_seconds=0.5) as client,
    ):
        receiver.log_replies.extend([Reply(503), Reply(misbehave="reset"), Reply(500)])
        for number in range(250):
            client.log.info("m", number=number)
        while not client.flush(30):
            pass
        numbers = [entry["data"]["number"] for entry in receiver.logs(250)]
        assert numbers == list(range(250))
        assert logs_of(client).delivered == 250
        assert all(len(post.json["logs"]) <= 100 for post in receiver.log_posts())


@pytest.mark.checklist("T8")
def test_a_rejected_entry_does_not_hold_up_the_others() -> None:
    """The receiver refuses a batch: the bad entry is found, dropped, counted; the others arrive."""
    reply = Reply(
        400, body={"error": "Validation error", "issues": [{"path": ["logs", 0, "level"], "message": "bad"}]}
    )
    errors: list[BaseException] = []
    with Receiver(capabilities="logs") as receiver, client_of(receiver, on_error=errors.append) as client:
        original = receiver._choose

        def choose(request: Any) -> Reply:
            if request.path == LOGS_PATH and any(e["message"] == "bad" for e in request.json["logs"]):
                return reply
            return original(request)

        receiver._choose = choose  # type: ignore[method-assign]  # a receiver with a taste
        for number in range(20):
            client.log.info("bad" if number == 7 else "good", number=number)
        assert client.flush(30)
        assert len(receiver.taken_logs()) == 19
        assert logs_of(client).dropped == {"rejected": 1}
    assert "logs.0.level: bad" in str(errors[-1])


@pytest.mark.checklist("T9")
def test_a_hanging_receiver_holds_nobody_up() -> None:
    """While the receiver hangs, calls return at once, from threads and from a running event loop."""
    with Receiver(capabilities="logs") as receiver, client_of(receiver, timeout_seconds=60.0) as client:
        receiver.log_reply = Reply(misbehave="hang")
        client.log.info("first")
        receiver.log_posts(1)

        async def many() -> int:
            for _ in range(1000):
                client.log.info("m")
            return client.stats().logs.captured  # type: ignore[union-attr]  # there are entries

        # A single call that waited for the receiver would take a minute, and the test's own limit is two.
        assert asyncio.run(many()) == 1001
        receiver.log_reply = Reply(200)
        receiver.released.set()
        client.close(0)


@pytest.mark.checklist("T12")
def test_the_queue_is_bounded_and_says_what_it_lost() -> None:
    """Over `queue_max_bytes` the oldest entries give way; each is counted and told to `on_queue_drop`."""
    drops: list[dict[str, Any]] = []
    with Receiver(capabilities="logs") as receiver:
        receiver.log_reply = Reply(503)
        with client_of(receiver, queue_max_bytes=50_000, on_queue_drop=drops.append, max_retries=0) as client:
            for _ in range(500):
                client.log.info("m" * 100)
            client.flush(0.2)
            lost = logs_of(client).dropped["max_queue_size"]
            receiver.log_reply = Reply(200)
            assert client.flush(30)
            assert lost > 300
            assert len(drops) == lost
            assert {drop["eventType"] for drop in drops} == {"log"}
            assert len(receiver.taken_logs()) == 500 - lost


@pytest.mark.checklist("T11")
def test_what_is_too_long_for_the_wire_is_cut_visibly_and_counted() -> None:
    """No limit of WIRE.md section 2 is crossed, nothing raises, and the cut shows."""
    with Receiver(capabilities="logs") as receiver, client_of(receiver, service_name="s" * 300) as client:
        client.set_user_id("u" * 300)
        client.log.info("x" * 10_001, tags=["t" * 80] * 30)
        client.log.error("m", error=1, exc_info=ValueError("v" * 30_000))
        client.log.info("")
        flow = client.flow("f" * 80, start=1000)
        flow.info("last").info("beyond")
        assert client.flush()
        entries = receiver.logs(5)
        shortened = logs_of(client).shortened
    for entry in entries:
        assert 1 <= len(entry["message"]) <= 10_000
        for key, limit in LIMITS.items():
            assert len(entry.get(key, "")) <= limit, key
        assert len(entry.get("tags", ())) <= 20
        assert all(len(tag) <= 50 for tag in entry.get("tags", ()))
        assert 0 <= entry.get("stepIndex", 0) <= 1000
    assert entries[0]["message"].endswith(" characters]")
    assert entries[0]["tags"][-1] == "…[+11 tags]"
    assert entries[1]["errorStack"].endswith("vvv")
    assert entries[2]["message"] == "[empty]"
    assert "stepIndex" not in entries[4]
    assert entries[4]["data"]["stepIndex"] == 1001
    assert shortened >= 4


def test_entries_wait_on_disk_for_the_next_process(tmp_path: Path) -> None:
    """With a spool, what could not be delivered is sent by the next client, from a folder of its own."""
    with Receiver(capabilities="logs") as receiver:
        receiver.log_reply = Reply(503)
        spooled = client_of(receiver, spool_path=tmp_path, max_retries=0)
        spooled.log.info("first", n=1).info("second", n=2)
        assert spooled.close()
        assert logs_of(spooled).spooled == 2
        assert list((tmp_path / "logs").iterdir())
        receiver.log_reply = Reply(200)
        with client_of(receiver, spool_path=tmp_path) as client:
            client.flush()
            assert [entry["data"] for entry in receiver.logs(2)] == [{"n": 1}, {"n": 2}]
            assert client.flush()
            assert logs_of(client).adopted == 2


def test_entries_have_their_ids_on_disk_before_the_receiver_is_known(tmp_path: Path) -> None:
    """Nobody answered yet: what the next process sends is known by its id all the same, if it comes twice."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    away = ReplayStackClient(
        api_key="k", endpoint=f"http://127.0.0.1:{port}", spool_path=tmp_path, max_retries=0
    )
    away.logger("shop").info("first")
    assert away.close()
    assert logs_of(away).spooled == 1
    with Receiver(capabilities="logs") as receiver, client_of(receiver, spool_path=tmp_path) as client:
        client.log.info("second")
        client.flush()
        first, second = receiver.logs(2)
        assert (first["logger"], first["isPii"], second["logger"]) == ("shop", False, "app")
        assert len({uuid.UUID(entry["id"]) for entry in (first, second)}) == 2


def test_a_forked_child_has_entries_of_its_own() -> None:
    """Parent and child each deliver what they logged, once, with ids that differ."""
    program = """
import os, sys
from replaystack import ReplayStackClient
client = ReplayStackClient(api_key="k", endpoint=sys.argv[1])
client.log.info("parent before")
pid = os.fork()
client.log.info("child" if pid == 0 else "parent after")
if pid == 0:
    client.close()
    os._exit(0)
os.waitpid(pid, 0)
"""
    with Receiver(capabilities="logs") as receiver:
        subprocess.run([sys.executable, "-c", program, receiver.origin], check=True, timeout=60)
        entries = receiver.logs(3)
    assert sorted(entry["message"] for entry in entries) == ["child", "parent after", "parent before"]
    assert len({entry["id"] for entry in entries}) == 3


@pytest.mark.checklist("T17")
def test_the_end_of_the_process_delivers(tmp_path: Path) -> None:
    """A process that ends without `close` delivers what it logged; one that cannot says how much is lost."""
    program = """
import sys
from replaystack import ReplayStackClient
client = ReplayStackClient(api_key="k", endpoint=sys.argv[1], shutdown_timeout_seconds=float(sys.argv[2]))
for number in range(5):
    client.log.info("m", number=number)
"""
    with Receiver(capabilities="logs") as receiver:
        subprocess.run([sys.executable, "-c", program, receiver.origin, "30"], check=True, timeout=60)
        assert len(receiver.logs(5)) == 5
        receiver.log_reply = Reply(503)
        command = [sys.executable, "-c", program, receiver.origin, "0.3"]
        ended = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert "exiting with 5 undelivered log entries" in ended.stderr


@pytest.mark.checklist("T17")
def test_after_close_an_entry_is_a_counted_drop() -> None:
    """Two closes are safe; what is logged after them is counted as `closed`."""
    with Receiver(capabilities="logs") as receiver:
        client = client_of(receiver)
        client.log.info("m")
        assert client.close()
        assert client.close()
        client.log.info("late")
        assert logs_of(client).dropped == {"closed": 1}
        assert len(receiver.taken_logs()) == 1


def test_a_receiver_that_is_away_at_first_is_asked_again() -> None:
    """No answer is no refusal: entries wait until the receiver says what it takes."""
    with Receiver(capabilities="logs") as receiver:
        origin = receiver.origin
    client = ReplayStackClient(api_key="k", endpoint=origin, timeout_seconds=0.3, max_retries=0)
    client.log.info("m")
    assert not client.flush(0.3)
    assert logs_of(client).queued == 1
    client.close(0)


def test_sync_mode_sends_entries_with_the_next_flush() -> None:
    """Without a thread a call still never blocks: entries leave on flush and close."""
    with Receiver(capabilities="logs") as receiver, client_of(receiver, async_send=False) as client:
        client.log.info("m")
        assert receiver.requests() == []
        assert client.flush()
        assert len(receiver.taken_logs()) == 1


def test_a_large_field_becomes_a_marker() -> None:
    """Data over `max_payload_bytes` is sent as a preview with its size."""
    with Receiver(capabilities="logs") as receiver, client_of(receiver, max_payload_bytes=1000) as client:
        client.log.info("m", text="x" * 5000)
        assert client.flush()
        data = receiver.logs(1)[0]["data"]
    assert data["__truncated"] is True
    assert data["originalSizeBytes"] > 5000


def test_a_disabled_client_does_nothing() -> None:
    """`enabled=False`: no thread, no request, no count."""
    with Receiver(capabilities="logs") as receiver, client_of(receiver, enabled=False) as client:
        client.log.info("m")
        client.flush()
        assert receiver.requests() == []
        assert client.stats().logs.captured == 0  # type: ignore[union-attr]
    assert os.getpid()
