"""A task's exception that nobody awaited is an event, on every loop that was seen, and on no other."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import logging
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from tests.availability import missing

from replaystack import ReplayStackClient, install_replaystack_process_guards
from replaystack.http import HttpRequest, MiddlewareOptions, Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

ENDPOINT = "/runtime/asyncio"


def new_loop(name: str) -> asyncio.AbstractEventLoop:
    """Return a loop of asyncio or of uvloop."""
    if name == "asyncio":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@pytest.fixture(params=["asyncio", "uvloop"])
def loop_name(request: pytest.FixtureRequest) -> str:
    """Name each kind of loop in turn."""
    if importlib.util.find_spec(str(request.param)) is None:
        missing(f"{request.param} is not installed")
    return str(request.param)


_installed: list[Callable[[], None]] = []


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Take away what a test has installed: one that fails must not disturb the next."""
    yield
    while _installed:
        _installed.pop()()


class Collecting:
    """A transport that keeps what it is given, and may be made to wait."""

    status_code = 201

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.arrived = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.was_stuck = False

    def post(self, url: str, *, json: Any, headers: Any, timeout: float) -> Collecting:
        self.was_stuck = not self.gate.wait(10)
        self.events.append(json)
        self.arrived.set()
        return self

    def json(self) -> Any:
        return {"success": True}


class Subject:
    """A client and what it has sent."""

    def __init__(self, *, async_send: bool = True) -> None:
        self.transport = Collecting()
        self.client = ReplayStackClient(api_key="k", transport=self.transport, async_send=async_send)

    def install(self, **options: Any) -> Callable[[], None]:
        unsubscribe = install_replaystack_process_guards(
            self.client,
            uncaught_exception=False,
            thread_exception=False,
            unraisable_exception=False,
            flush_on_shutdown=False,
            **options,
        )
        _installed.append(unsubscribe)
        return unsubscribe

    def begin_exchange(self) -> None:
        """Do what an adapter does first with a request."""
        head = HttpRequest(
            method="GET", scheme="http", path="/x", raw_path=None, query=b"", headers=(), host="h", peer=None
        )
        Recording(self.client.recorder, MiddlewareOptions(), head)

    def seen(self) -> list[tuple[str, str]]:
        """Return endpoint and error of all that was captured so far, once it is sent."""
        assert self.client.flush(30)
        return [(str(event["endpoint"]), str(event["errorName"])) for event in self.transport.events]


async def failing() -> None:
    """Fail as a task that nobody looks after."""
    raise LookupError("nobody awaited this")


async def lose_a_task() -> None:
    """Start a task that fails, and forget it."""
    task = asyncio.ensure_future(failing())
    await asyncio.wait([task])  # which does not ask it for its exception
    del task
    gc.collect()


def run(loop_name: str, main: Coroutine[Any, Any, None]) -> None:
    """Run `main` on a new loop, and close that."""
    loop = new_loop(loop_name)
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()


LOST = (ENDPOINT, "LookupError")


def test_the_loop_at_install_time(loop_name: str, caplog: pytest.LogCaptureFixture) -> None:
    """One event, and asyncio's own line about it as ever; after unsubscribing only the line."""
    subject = Subject()

    async def main() -> None:
        unsubscribe = subject.install()
        await lose_a_task()
        unsubscribe()
        assert asyncio.get_running_loop().get_exception_handler() is None
        await lose_a_task()

    run(loop_name, main())
    assert subject.seen() == [LOST]
    assert subject.transport.events[0]["metadata"]["message"] == "Task exception was never retrieved"
    lines = [record for record in caplog.records if record.name == "asyncio"]
    assert [record.levelno for record in lines] == [logging.ERROR] * 2


def test_each_loop_at_its_first_exchange(loop_name: str) -> None:
    """Installed before any loop runs, as at import time: a loop is seen once a request comes."""
    subject = Subject()
    unsubscribe = subject.install()

    async def main() -> None:
        await lose_a_task()  # too early: nothing has been seen of this loop
        subject.begin_exchange()
        subject.begin_exchange()
        await lose_a_task()

    run(loop_name, main())
    run(loop_name, main())
    unsubscribe()
    assert subject.seen() == [LOST] * 2
    subject.begin_exchange()  # and with neither loop nor guards nothing happens


def test_an_exchange_without_a_loop_is_an_exchange() -> None:
    """WSGI: no loop runs, and nothing comes of it."""
    subject = Subject()
    unsubscribe = subject.install()
    subject.begin_exchange()
    unsubscribe()
    assert subject.seen() == []


def test_a_handler_of_the_application_is_chained(loop_name: str) -> None:
    """It is called with the same context, raises if it likes, and is there again at the end."""
    subject, called = Subject(), []

    def theirs(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        called.append(type(context["exception"]).__name__)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(theirs)
        unsubscribe = subject.install()
        await lose_a_task()
        unsubscribe()
        assert loop.get_exception_handler() is theirs

    run(loop_name, main())
    assert (subject.seen(), called) == ([LOST], ["LookupError"])


def test_twice_is_once_and_two_clients_are_two(loop_name: str) -> None:
    """Each client is told once, whoever saw the loop; a handler put over ours and left there is theirs."""
    first, second = Subject(), Subject()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        undo = [first.install(), second.install(), first.install()]
        below = loop.get_exception_handler()

        def theirs(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            assert below is not None
            below(loop, context)

        loop.set_exception_handler(theirs)
        await lose_a_task()
        for unsubscribe in undo:
            unsubscribe()
        await lose_a_task()
        assert loop.get_exception_handler() is theirs
        again = first.install()  # over theirs, which still calls the old one
        await lose_a_task()
        again()
        assert loop.get_exception_handler() is theirs

    run(loop_name, main())
    assert first.seen() == [LOST] * 2
    assert second.seen() == [LOST]


def test_what_is_no_failure_is_no_event(loop_name: str) -> None:
    """Cancellation, a wish to end, and asyncio's warnings without an exception are none."""
    subject = Subject()

    async def main() -> None:
        unsubscribe = subject.install()
        task = asyncio.ensure_future(asyncio.sleep(30))
        await asyncio.sleep(0)
        task.cancel()
        del task
        await asyncio.sleep(0)
        gc.collect()
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "Task was destroyed but it is pending!"})
        loop.call_exception_handler({"message": "x", "exception": SystemExit(0)})
        unsubscribe()

    run(loop_name, main())
    assert subject.seen() == []


def test_false_leaves_loops_alone(loop_name: str) -> None:
    """asyncio_unhandled_rejection=False: no handler, and none at an exchange."""
    subject = Subject()

    async def main() -> None:
        unsubscribe = subject.install(asyncio_unhandled_rejection=False)
        subject.begin_exchange()
        assert asyncio.get_running_loop().get_exception_handler() is None
        unsubscribe()

    run(loop_name, main())


def test_a_loop_is_let_go_of(loop_name: str) -> None:
    """Guards do not keep a loop alive, not even one whose own handler knows it."""
    subject = Subject()
    unsubscribe = subject.install()

    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_, loop=loop: loop.is_running())
        subject.begin_exchange()
        return weakref.ref(loop)

    loop = new_loop(loop_name)
    seen = loop.run_until_complete(main())
    loop.close()
    del loop
    gc.collect()
    assert seen() is None
    unsubscribe()


def test_the_loop_does_not_wait_for_the_receiver(loop_name: str) -> None:
    """In sync mode sending blocks: it happens beside the loop, which goes on meanwhile."""
    subject = Subject(async_send=False)
    subject.transport.gate.clear()

    async def main() -> None:
        unsubscribe = subject.install()
        await lose_a_task()
        assert subject.transport.events == []
        subject.transport.gate.set()  # never reached if the loop stood still
        await asyncio.to_thread(subject.transport.arrived.wait, 30)
        unsubscribe()

    run(loop_name, main())
    assert subject.seen() == [LOST]
    assert not subject.transport.was_stuck


def test_a_task_that_dies_after_its_loop() -> None:
    """In sync mode as well: with no loop to hold up, the event is sent where the task was let go."""
    subject = Subject(async_send=False)
    loop = asyncio.new_event_loop()

    async def main() -> asyncio.Task[None]:
        subject.begin_exchange()
        task = asyncio.ensure_future(failing())
        await asyncio.wait([task])
        return task

    unsubscribe = subject.install()
    task = loop.run_until_complete(main())
    loop.close()
    del task
    gc.collect()
    unsubscribe()
    assert subject.seen() == [LOST]
