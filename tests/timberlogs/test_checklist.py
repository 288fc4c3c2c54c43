"""The Timberlogs seed's checklist, item by item, against a real receiver on loopback."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from tests.receiver import Receiver, Reply

from replaystack import timberlogs
from replaystack.delivery.courier import Outcome
from replaystack.delivery.schedule import Schedule
from replaystack.timberlogs import (
    FORMAT_CONTENT_TYPES,
    Flow,
    IngestRawOptions,
    LogEntry,
    LogOptions,
    TimberlogsClient,
    TimberlogsConfig,
    ValidationError,
    create_timberlogs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack.timberlogs import FormatName


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Serve as the seed's receiver does: it takes `/v1/logs` and advertises nothing."""
    with Receiver(takes_logs=True) as receiver:
        yield receiver


def made(receiver: Receiver, **options: Any) -> TimberlogsClient:
    """Return a client of `receiver`."""
    options = {"source": "shop", "environment": "production", "api_key": "tb_test_x", **options}
    return create_timberlogs(endpoint=receiver.origin, **options)


def test_the_defaults_are_the_seeds() -> None:
    """Batch 10, 5 s, 3 retries, 1 s doubling up to 30 s, everything from debug on."""
    with create_timberlogs("s", "production", "k") as client:
        config = client.recorder.config
        assert (config.batch_max_events, config.batch_interval_seconds, config.max_retries) == (10, 5.0, 3)
        assert (config.retry_base_seconds, config.retry_max_seconds) == (1.0, 30.0)
        assert client.should_log("debug")
    with TimberlogsClient(TimberlogsConfig("s", "production", "k", retry={"max_retries": 1})) as client:
        assert (client.recorder.config.max_retries, client.recorder.config.retry_max_seconds) == (1, 30.0)


def test_the_wire_is_the_seeds(receiver: Receiver) -> None:
    """An entry has the seed's keys and, towards a receiver that advertises nothing, no others."""
    with made(receiver, dataset="d", version="1.2", user_id="u", session_id="s") as client:
        client.info("m", {"a": 1}, LogOptions(tags=["x"]))
        client.warn("w").log(
            LogEntry("error", "e", request_id="r", country="DE", ip_address="::1", dataset="own")
        )
        client.flush()
        first, second, third = receiver.logs(3)
        (post,) = receiver.log_posts()
    assert isinstance(first.pop("timestamp"), int)
    assert first == {
        "level": "info", "message": "m", "source": "shop", "environment": "production", "version": "1.2",
        "userId": "u", "sessionId": "s", "dataset": "d", "data": {"a": 1}, "tags": ["x"],
    }  # fmt: skip
    assert (second["level"], third["level"]) == ("warn", "error")
    assert (third["requestId"], third["country"], third["ipAddress"], third["dataset"]) == (
        "r",
        "DE",
        "::1",
        "own",
    )
    assert post.headers["x-api-key"] == "tb_test_x"


@pytest.mark.checklist("T1")
def test_filtered_logs_take_no_step(receiver: Receiver) -> None:
    """The first accepted log of a flow is step 0; what `min_level` filters leaves no gap."""
    with made(receiver, min_level="info") as client:
        flow = client.flow("order")
        assert flow.debug("a").info("b").debug("c").error("d") is flow
        client.flush()
        assert [(e["message"], e["stepIndex"], e["flowId"]) for e in receiver.logs(2)] == [
            ("b", 0, flow.id), ("d", 1, flow.id),
        ]  # fmt: skip


@pytest.mark.checklist("T2")
def test_flow_ids(receiver: Receiver) -> None:
    """A flow's id is its name and eight characters; two flows differ; a name may have dashes."""
    with made(receiver) as client:
        ids = {client.flow("check-out").id for _ in range(100)}
        assert len(ids) == 100
        assert all(re.fullmatch(r"check-out-[0-9a-z]{8}", flow_id) for flow_id in ids)
        assert client.flow("check-out").name == "check-out"
        with pytest.raises(AttributeError):
            client.flow("x").id = "y"  # type: ignore[misc]  # read-only is the promise


def test_steps_are_distinct_over_threads(receiver: Receiver) -> None:
    """900 logs of one flow from nine threads have 900 different steps."""
    with made(receiver, batch_size=100) as client:
        flow = client.flow("race")
        before, interval = sys.getswitchinterval(), 1e-6
        sys.setswitchinterval(interval)
        try:
            threads = [
                threading.Thread(target=lambda: [flow.info("m") for _ in range(100)]) for _ in range(9)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(before)
        client.flush(30)
        assert sorted(entry["stepIndex"] for entry in receiver.logs(900)) == list(range(900))


def test_a_flow_of_the_receiver_and_a_local_one_instead(receiver: Receiver) -> None:
    """`flow_async` takes the receiver's id; where it gives none, the flow has a local one."""

    async def both() -> tuple[Flow, Flow]:
        async with made(receiver) as client:
            first = await client.flow_async("order")
            receiver.takes_logs = False
            return first, await client.flow_async("order")

    theirs, ours = asyncio.run(both())
    assert theirs.id == "order-x7y8z9ab"
    assert re.fullmatch(r"order-[0-9a-f]{8}", ours.id)


@pytest.mark.checklist("T3", "T4")
def test_errors(receiver: Receiver) -> None:
    """An exception becomes name, stack and message; a dict becomes data and nothing else."""
    with made(receiver) as client:
        client.error("m", ValueError("v")).error("m", {"a": 1})
        client.flow("f").error("m", KeyboardInterrupt("stop"))
        client.flush()
        first, second, third = receiver.logs(3)
    assert first["errorName"] == "ValueError"
    assert first["errorStack"].endswith("ValueError: v")
    assert first["data"]["message"] == "v"
    assert second["data"] == {"a": 1}
    assert not {"errorName", "errorStack"} & second.keys()
    assert third["errorName"] == "KeyboardInterrupt"


@pytest.mark.checklist("T5")
def test_batches(receiver: Receiver) -> None:
    """Eleven logs make one request of ten at once; the eleventh waits for the interval, or a flush.

    By WIRE.md a batch goes when it is full or its interval is over; the sender's thread sends it.
    """
    with made(receiver, batch_size=10, flush_interval=3000.0) as client:
        for number in range(11):
            client.info("m", {"n": number})
        assert len(receiver.logs(10)) == 10
        assert client.stats().queued == 1
        client.flush()
        assert [len(post.json["logs"]) for post in receiver.log_posts()] == [10, 1]
    with made(receiver, flush_interval=0.05) as client:
        client.info("alone")
        assert receiver.logs(12)[-1]["message"] == "alone"


@pytest.mark.checklist("T6")
def test_a_failed_request_is_tried_again(receiver: Receiver) -> None:
    """503, then 200: delivered once, in two attempts. The waits double up to the cap, with full jitter."""
    receiver.log_replies.append(Reply(503))
    with made(receiver, initial_delay_ms=10, flush_interval=0.01) as client:
        client.info("m")
        client.flush(30)
        assert len(receiver.taken_logs()) == 1
        assert len(receiver.log_posts()) == 2
    schedule = Schedule(
        max_retries=6, tick_seconds=0, chance=lambda: 1.0, retry_base_seconds=1.0, retry_max_seconds=30.0
    )
    waits = []
    while not schedule.failed(Outcome("retry", 503), 0.0):
        waits.append(schedule.due)
    assert waits == [1, 2, 4, 8, 16, 30]


@pytest.mark.checklist("T7")
@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_what_is_refused_is_not_tried_again(receiver: Receiver, status: int) -> None:
    """4xx but 408, 425 and 429: dropped and counted (413 after one try without data), never repeated."""
    receiver.log_reply = Reply(status)
    with made(receiver, initial_delay_ms=0) as client:
        client.info("m", {"a": 1})
        client.flush(30)
        assert len(receiver.log_posts()) == (2 if status == 413 else 1)
        reason = "no_log_receiver" if status == 404 else "rejected"
        assert client.stats().dropped == {reason: 1}


@pytest.mark.checklist("T7")
@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_key_pauses_and_loses_nothing(receiver: Receiver, status: int) -> None:
    """By WIRE.md 401 and 403 hold the logs for 60 s; a flush tries again, and they arrive."""
    receiver.log_replies.append(Reply(status))
    with made(receiver, flush_interval=0.0) as client:
        client.info("m")
        receiver.log_posts(1)
        client.flush(30)
        assert len(receiver.taken_logs()) == 1


@pytest.mark.checklist("T7")
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
def test_what_may_work_in_a_moment_is_tried_again(receiver: Receiver, status: int) -> None:
    """Transient answers cost no log; a `retryAfter` in the body is waited for."""
    receiver.log_replies.append(Reply(status, body={"error": "Rate limit exceeded", "retryAfter": 0.3}))
    with made(receiver, initial_delay_ms=0, flush_interval=0.0) as client:
        started = time.monotonic()
        client.info("m")
        client.flush(30)
        assert len(receiver.taken_logs()) == 1
        assert time.monotonic() - started >= 0.3


@pytest.mark.checklist("T10")
def test_flush_waits_for_what_is_in_flight(receiver: Receiver) -> None:
    """A flush returns when queued and in-flight logs are settled, also those of another thread's attempt."""
    receiver.log_replies.append(Reply(misbehave="hang"))
    with made(receiver, flush_interval=0.0) as client:
        client.info("m")
        receiver.log_posts(1)  # in flight now
        waiting = threading.Thread(target=lambda: client.flush(60))
        waiting.start()
        assert client.stats().delivered == 0
        assert waiting.is_alive()
        receiver.released.set()
        waiting.join(60)
        assert client.stats().delivered == 1


@pytest.mark.checklist("T13")
@pytest.mark.parametrize("name", list(FORMAT_CONTENT_TYPES))
def test_raw_logs_have_their_content_type(receiver: Receiver, name: FormatName) -> None:
    """Each format goes with its own Content-Type and with options that are URL-encoded."""
    bodies = {
        "json": '[{"level": "info", "message": "m"}]', "jsonl": '{"level": "info", "message": "m"}\n',
        "csv": "level,message\ninfo,m\n", "syslog": "<34>Oct 11 22:14:15 host api: m\n", "text": "INFO m\n",
        "obl": '{"format": "open-board-log-0.1", "user_id": "u", "sessions": [{"id": "s", "type": "log", '
        '"events": [{"id": "e", "timestamp": "2026-01-01T00:00:00Z", "type": "note", "text": "m"}]}]}',
    }  # fmt: skip
    with made(receiver) as client:
        client.ingest_raw(bodies[name], name, IngestRawOptions(source="my app&level=error"))
    (post,) = receiver.log_posts()
    assert post.headers["content-type"].partition(";")[0] == FORMAT_CONTENT_TYPES[name]
    query = dict(parse_qsl(post.path.partition("?")[2]))
    assert (query["format"], query["source"]) == (name, "my app&level=error")
    assert "level" not in query


@pytest.mark.checklist("T13")
def test_raw_logs_that_cannot_go_raise_before_any_request(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown format is a ValueError, a missing key a RuntimeError; nothing was sent."""
    monkeypatch.delenv("REPLAYSTACK_API_KEY", raising=False)
    with made(receiver) as client, pytest.raises(ValueError, match="xml"):
        client.ingest_raw("m", "xml")  # type: ignore[arg-type]  # that is what is tested
    with made(receiver, api_key=None) as client, pytest.raises(RuntimeError, match="API key"):
        client.ingest_raw("m", "text")
    assert receiver.requests() == []


@pytest.mark.checklist("T15")
def test_users_and_sessions_hold_for_later_logs(receiver: Receiver) -> None:
    """`set_user_id` concerns later logs; None forgets; an entry's own wins."""
    with made(receiver) as client:
        client.set_user_id("a").set_session_id("s").info("1")
        client.log(LogEntry("info", "2", user_id="own"))
        client.set_user_id(None).set_session_id(None).info("3")
        client.flush()
        assert [entry.get("userId") for entry in receiver.logs(3)] == ["a", "own", None]
        assert [entry.get("sessionId") for entry in receiver.logs(3)] == ["s", "s", None]


@pytest.mark.checklist("T16")
def test_with_delivers_and_raises_on(receiver: Receiver) -> None:
    """`with` and `async with` flush on a normal end and on an exception, which goes on."""
    with made(receiver) as client:
        client.info("1")
    assert len(receiver.taken_logs()) == 1
    with pytest.raises(KeyError, match="mine"), made(receiver) as client:  # noqa: PT012 - the block is the test
        client.info("2")
        raise KeyError("mine")
    assert len(receiver.taken_logs()) == 2

    async def run() -> None:
        async with made(receiver) as client:
            client.info("3")
            await client.flush_async()
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        asyncio.run(run())
    assert len(receiver.taken_logs()) == 3


@pytest.mark.checklist("T17")
def test_the_end(receiver: Receiver) -> None:
    """After `disconnect` a log is a counted drop; twice is safe; a process that forgets it delivers."""
    client = made(receiver)
    client.info("m")
    client.disconnect()
    client.disconnect()
    client.info("late")
    assert client.stats().dropped == {"closed": 1}
    program = (
        "import sys; from replaystack.timberlogs import create_timberlogs\n"
        "c = create_timberlogs('s', 'e', 'k', endpoint=sys.argv[1])\n"
        "c.info('forgotten')\n"
    )
    subprocess.run([sys.executable, "-c", program, receiver.origin], check=True, timeout=60)
    assert receiver.logs(2)[-1]["message"] == "forgotten"


@pytest.mark.checklist("T18")
def test_the_moment_and_the_data_are_those_of_the_call(receiver: Receiver) -> None:
    """An outage changes no timestamp, and what becomes of the data later changes nothing."""
    receiver.log_replies.append(Reply(503, headers={"Retry-After": "0.3"}))
    with made(receiver, initial_delay_ms=0, flush_interval=0.0) as client:
        data = {"n": 1}
        before = int(time.time() * 1000)
        client.info("m", data)
        after = time.time() * 1000
        data["n"] = 2
        client.flush(30)
        (entry,) = receiver.logs(1)
    assert before <= entry["timestamp"] <= after
    assert entry["data"] == {"n": 1}


def test_nothing_that_is_logged_raises(receiver: Receiver) -> None:
    """Empty and long messages, many tags, unknown levels, odd data: each is delivered."""
    with made(receiver) as client:
        client.info("").info("x" * 20_000).info("m", {"when": time.gmtime(), "object": object()})
        client.log(LogEntry("loud", "m", tags=[1] * 30))  # type: ignore[list-item]  # what the seed let raise
        client.info("m", options=LogOptions(tags="abc"))  # type: ignore[arg-type]  # same
        client.flow("n" * 300).info("m")
        client.flush(30)
        assert len(receiver.logs(6)) == 6
    assert receiver.logs(6)[4]["tags"] == ["abc"]


@pytest.mark.parametrize(
    "bad",
    [
        {"batch_size": 0}, {"batch_size": -1}, {"flush_interval": -1}, {"max_retries": -1},
        {"min_level": "loud"},
        {"source": ""}, {"source": "x" * 101}, {"environment": ""}, {"initial_delay_ms": -1},
    ],
)  # fmt: skip
def test_a_setting_that_cannot_work_is_said_at_once(receiver: Receiver, bad: dict[str, Any]) -> None:
    """`ValidationError`, a ValueError that names the setting, where the client is made."""
    with pytest.raises(ValidationError, match=next(iter(bad))):
        made(receiver, **bad)
    assert issubclass(ValidationError, ValueError)


def test_without_a_key_nothing_is_sent(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No key: one warning, no request, no queue that grows; local sinks get their entries."""
    monkeypatch.delenv("REPLAYSTACK_API_KEY", raising=False)
    with made(receiver, api_key=None) as client:
        for _ in range(100):
            client.info("m")
        client.flush()
        assert client.stats().queued == 0
    assert receiver.requests() == []
    assert "no api_key" in caplog.text


def test_the_surface_is_complete() -> None:
    """Every public name of the seed's package is here."""
    names = (
        "create_timberlogs TimberlogsClient Flow LogEntry LogOptions TimberlogsConfig LogLevel Environment"
    )
    assert {
        *names.split(),
        "ValidationError",
        "__version__",
        "FormatName",
        "FORMAT_CONTENT_TYPES",
        "IngestRawOptions",
    } <= set(timberlogs.__all__)
