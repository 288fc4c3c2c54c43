"""Captures from inside of the SDK's own work, and work that is torn off: nothing hangs, spins or vanishes."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.receiver import Receiver, Reply

from replaystack import ReplayStackClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from replaystack import Stats


def lawful(stats: Stats) -> bool:
    """Tell whether the ledger adds up."""
    return stats.captured == stats.delivered + stats.queued + stats.in_flight + sum(stats.dropped.values())


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll until `condition`; a failure costs 20 s, a success next to nothing."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


@pytest.mark.parametrize("async_send", [True, False])
def test_a_drop_hook_that_captures_does_not_feed_itself(receiver: Receiver, *, async_send: bool) -> None:
    """One hook call per drop of the application's own events; the hook's captures are counted apart."""
    receiver.reply = Reply(503)
    calls: list[dict[str, Any]] = []

    def hook(info: dict[str, Any]) -> None:
        calls.append(info)
        client.capture_event(endpoint="from the hook")

    client = ReplayStackClient(
        api_key="k",
        endpoint=receiver.origin,
        async_send=async_send,
        max_retries=0,
        offline_queue_max=2,
        on_queue_drop=hook,
    )
    for number in range(8):
        client.capture_event(endpoint=str(number))
    client.flush(1.0)
    wait_until(lambda: len(calls) == client.stats().dropped.get("max_queue_size", 0) > 0)
    stats = client.stats()
    assert len(calls) <= 8
    assert stats.dropped["reentrant"] == len(calls)
    assert lawful(stats)
    receiver.reply = Reply()
    client.close(20)


@pytest.mark.parametrize("async_send", [True, False])
def test_an_error_hook_that_captures_does_not_feed_itself(receiver: Receiver, *, async_send: bool) -> None:
    """on_error=capture_exception towards a receiver that refuses everything: one request per capture."""
    receiver.reply = Reply(422)

    def hook(error: BaseException) -> None:
        client.capture_exception(error)

    client = ReplayStackClient(
        api_key="k",
        endpoint=receiver.origin,
        async_send=async_send,
        on_error=hook,
    )
    for _ in range(3):
        client.capture_event(endpoint="x")
        client.flush(20)
    stats = client.stats()
    assert len(receiver.posts()) == 3
    assert dict(stats.dropped) == {"rejected": 3, "reentrant": 3}
    assert client.close()


@pytest.mark.parametrize("async_send", [True, False])
def test_a_log_handler_on_everything_does_not_feed_itself(receiver: Receiver, *, async_send: bool) -> None:
    """A root handler at DEBUG that captures hears urllib3 too; the number of events stays finite."""

    class Capturing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            client.capture_event(endpoint="log")

    client = ReplayStackClient(api_key="k", endpoint=receiver.origin, async_send=async_send)
    root = logging.getLogger()
    handler, level = Capturing(), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        client.capture_event(endpoint="x")
        assert client.close(20)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert len(receiver.taken()) < 20
    assert lawful(client.stats())


def test_before_send_that_captures_is_one_event(receiver: Receiver) -> None:
    """The hook's own capture is dropped and counted, not sent through the hook again."""

    def hook(event: dict[str, Any]) -> dict[str, Any]:
        client.capture_event(endpoint="from before_send")
        return event

    client = ReplayStackClient(api_key="k", endpoint=receiver.origin, before_send=hook)
    client.capture_event(endpoint="x")
    assert client.close()
    assert [event["endpoint"] for event in receiver.taken()] == ["x"]
    assert dict(client.stats().dropped) == {"reentrant": 1}


def test_a_flush_from_a_hook_does_not_wait_for_itself(receiver: Receiver) -> None:
    """client.flush() in on_error returns at once, in sync mode too."""
    receiver.reply = Reply(422)
    results: list[bool] = []
    client = ReplayStackClient(
        api_key="k",
        endpoint=receiver.origin,
        async_send=False,
        on_error=lambda _: results.append(client.flush(20)),
    )
    client.capture_event(endpoint="x")
    assert results
    assert client.close()


SIGNAL = """
import signal, sys, threading
from types import SimpleNamespace
from replaystack import ReplayStackClient

class Transport:
    lock = threading.Lock()          # as a connection pool has one
    raised = False
    def post(self, url, json, headers, timeout):
        with self.lock:
            if not Transport.raised:
                Transport.raised = True
                signal.raise_signal(signal.SIGUSR1)
            return SimpleNamespace(status_code=201, headers={})

client = ReplayStackClient(api_key="k", transport=Transport(), async_send=False)
signal.signal(signal.SIGUSR1, lambda *_: client.capture_event(endpoint="from the handler"))
client.capture_event(endpoint="x")
print(client.flush(10), client.stats().delivered)
"""


def test_a_signal_handler_may_capture_while_the_same_thread_sends() -> None:
    """Sync mode: the handler's event is queued instead of entering the transport again."""
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["True", "2"], done.stderr


class Torn(BaseException):
    """What gevent.Timeout and KeyboardInterrupt are: no Exception."""


class TearingTransport:
    """Raises a BaseException once, then takes everything."""

    def __init__(self) -> None:
        self.torn = False
        self.taken: list[Any] = []

    def post(self, url: str, json: Any, headers: Any, timeout: float) -> Any:
        if not self.torn:
            self.torn = True
            raise Torn
        self.taken.append(json)
        return SimpleNamespace(status_code=201, headers={})


def test_ctrl_c_in_a_sync_capture_holds_the_event() -> None:
    """The interrupt reaches the application; the event leaves with the next flush."""
    transport = TearingTransport()
    client = ReplayStackClient(api_key="k", transport=transport, async_send=False)
    with pytest.raises(Torn):
        client.capture_event(endpoint="x")
    assert (client.stats().in_flight, client.stats().queued) == (0, 1)
    assert client.close(20)
    assert len(transport.taken) == 1


def test_nothing_that_a_transport_raises_ends_the_sender() -> None:
    """Async mode: the thread goes on, and the torn event is delivered."""
    transport = TearingTransport()
    client = ReplayStackClient(api_key="k", transport=transport)
    client.capture_event(endpoint="x")
    client.capture_event(endpoint="y")
    assert client.close(30)
    assert [event["endpoint"] for event in transport.taken] == ["x", "y"]


def test_a_users_transport_never_gets_a_batch() -> None:
    """One event per call, whatever an answer advertises."""
    calls: list[Any] = []

    class Transport:
        def post(self, url: str, json: Any, headers: Any, timeout: float) -> Any:
            calls.append((url, json))
            return SimpleNamespace(status_code=201, headers={"x-replaystack-capabilities": "bulk"})

    with ReplayStackClient(api_key="k", transport=Transport()) as client:
        for _ in range(5):
            client.capture_event(endpoint="x")
    assert len(calls) == 5
    assert all(url.endswith("/api/v1/ingest/events") and "events" not in event for url, event in calls)


def test_an_error_is_raised_to_the_caller_whose_event_it_was(receiver: Receiver) -> None:
    """raise_on_error in sync mode: a delivered capture never raises for another thread's failure."""
    with Receiver() as refusing:
        refusing.reply = Reply(422)
        client = ReplayStackClient(
            api_key="k", endpoint=refusing.origin, async_send=False, raise_on_error=True
        )
        failed = threading.Event()

        def bad() -> None:
            try:
                client.capture_event(endpoint="bad")
            except RuntimeError:
                failed.set()

        thread = threading.Thread(target=bad)
        thread.start()
        thread.join()
        assert failed.is_set()
        refusing.reply = Reply()
        assert client.capture_event(endpoint="good") is not None
        assert client.close()


def test_a_capture_that_meets_a_close_is_not_lost_in_silence(receiver: Receiver) -> None:
    """An event that was being captured while the client closed is delivered or counted."""
    client = ReplayStackClient(api_key="k", endpoint=receiver.origin)
    encoder = client.recorder._encoder
    original = encoder._encode

    def slow(event: Any) -> Any:
        masked = original(event)
        client.close()
        return masked

    encoder._encode = slow  # type: ignore[method-assign]
    client.capture_event(endpoint="x")
    stats = client.stats()
    assert stats.captured == 1
    assert lawful(stats)
    assert client.close()
    assert client.stats().delivered + sum(client.stats().dropped.values()) == 1


LATE = """
import atexit
atexit.register(lambda: [client.capture_event(endpoint=str(n)) for n in range(5)])
from replaystack import ReplayStackClient
client = ReplayStackClient()
"""


@pytest.mark.parametrize("up", [True, False])
def test_captures_after_our_own_exit_handler_are_delivered_or_said(*, up: bool) -> None:
    """A handler that was registered before the first client runs after ours; nothing is lost silently."""
    with Receiver() as receiver:
        origin = receiver.origin
        if up:
            done = subprocess.run(
                [sys.executable, "-c", LATE],
                env={"REPLAYSTACK_API_KEY": "k", "REPLAYSTACK_ENDPOINT": origin},
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert len(receiver.taken()) + done.stderr.count("undelivered") >= 5, done.stderr
    if not up:
        done = subprocess.run(
            [sys.executable, "-c", LATE],
            env={"REPLAYSTACK_API_KEY": "k", "REPLAYSTACK_ENDPOINT": origin},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "undelivered" in done.stderr


def test_a_flush_without_end_is_bounded_by_the_platform(receiver: Receiver) -> None:
    """flush(inf) means: as long as it takes."""
    with ReplayStackClient(api_key="k", endpoint=receiver.origin) as client:
        client.capture_event(endpoint="x")
        assert client.flush(float("inf"))
