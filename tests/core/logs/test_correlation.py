"""Promises of correlation ids and of flows: what belongs together carries one id, and nothing else does."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from tests.receiver import Receiver

from replaystack import (
    ReplayStackClient,
    get_correlation_id,
    get_logger,
    log_with_correlation,
    run_with_replaystack_context,
    set_correlation_id,
)
from replaystack.scope import Scope, current_correlation_id, enter_scope
from replaystack.testing import captured_logs

if TYPE_CHECKING:
    from collections.abc import Callable


def apart(work: Callable[[], Any]) -> Any:
    """Run `work` in a context of its own: what it sets is gone afterwards."""
    return contextvars.Context().run(work)


@pytest.mark.checklist("O4")
def test_an_id_is_seen_by_the_task_and_its_children_alone() -> None:
    """Set in one task it is visible in awaited code and child tasks, not in siblings nor other threads."""

    async def read() -> str | None:
        return current_correlation_id()

    async def first() -> list[str | None]:
        set_correlation_id("one")
        with ThreadPoolExecutor(1) as pool:
            bare = pool.submit(current_correlation_id).result()
            copied = pool.submit(contextvars.copy_context().run, current_correlation_id).result()
        return [await read(), await asyncio.create_task(read()), bare, copied]

    async def both() -> tuple[list[str | None], str | None]:
        started = asyncio.create_task(first())
        return await started, await asyncio.create_task(read())

    assert apart(lambda: asyncio.run(both())) == (["one", "one", None, "one"], None)


@pytest.mark.checklist("O5")
def test_one_id_is_made_for_a_context() -> None:
    """Unset, entries carry none; once asked for, one is made, and the context keeps it."""

    def context() -> tuple[str, str]:
        with captured_logs() as said:
            get_logger("c").info("before")
            log_with_correlation(get_logger("c"), "info", "m")
            log_with_correlation("c", logging.INFO, "m")
            get_logger("c").info("after")
        ids = [entry.correlation_id for entry in said.entries]
        assert ids[0] is None
        assert ids[1] == ids[2] == ids[3] == get_correlation_id()
        return str(ids[1]), get_correlation_id()

    assert apart(context)[0] != apart(context)[0]


@pytest.mark.checklist("O6")
def test_an_explicit_id_wins() -> None:
    """What the call names wins over the context, and is no field."""

    def context() -> None:
        set_correlation_id("context")
        with captured_logs() as said:
            log_with_correlation(get_logger("c"), "info", "m", correlation_id="mine", a=1)
            get_logger("c").info("m", correlation_id="mine too")
            get_logger("c").info("m")
        assert [entry.correlation_id for entry in said.entries] == ["mine", "mine too", "context"]
        assert said.entries[0].fields == {"a": 1}

    apart(context)


def test_a_logger_of_the_standard_library_gets_the_id_too(caplog: pytest.LogCaptureFixture) -> None:
    """`log_with_correlation` passes it as `extra`, and reserved names do no harm."""
    caplog.set_level("INFO")

    def context() -> None:
        set_correlation_id("cid")
        log_with_correlation(logging.getLogger("theirs"), "INFO", "m", name="x", order=1)

    apart(context)
    extra = vars(caplog.records[0])
    assert (extra["correlation_id"], extra["field_name"], extra["order"]) == ("cid", "x", 1)


def test_inside_of_a_request_it_is_the_trace_id_and_ends_with_it() -> None:
    """The trace id, unless something is set inside; neither reaches the thread's next request."""

    def thread() -> list[str | None]:
        seen: list[str | None] = []
        set_correlation_id("boot")
        for trace_id in ("t1", "t2"):
            before = enter_scope(Scope(trace_id))
            seen.append(current_correlation_id())
            set_correlation_id("set in " + trace_id)
            seen.append(current_correlation_id())
            enter_scope(before)
        with run_with_replaystack_context():
            set_correlation_id("job")
            seen.append(current_correlation_id())
        seen.append(current_correlation_id())
        return seen

    assert apart(thread) == ["t1", "set in t1", "t2", "set in t2", "job", None]


def test_a_job_belongs_to_what_is_around_it_and_to_nothing_that_is_over() -> None:
    """Inside of a request it has the request's id; after the request its thread has none to give."""

    def thread() -> list[str | None]:
        seen: list[str | None] = []
        before = enter_scope(Scope("t1"))
        with run_with_replaystack_context():
            seen.append(current_correlation_id())
        set_correlation_id("set in t1")
        with run_with_replaystack_context(), run_with_replaystack_context():
            seen.append(current_correlation_id())
        enter_scope(before)
        seen.append(current_correlation_id())
        with run_with_replaystack_context():
            seen.append(current_correlation_id())
        return seen

    assert apart(thread) == ["t1", "set in t1", None, None]


def test_events_carry_the_current_flow() -> None:
    """What is captured in the `with` block of a flow has its id, and so have entries of other loggers."""
    with Receiver() as receiver, ReplayStackClient(api_key="k", endpoint=receiver.origin) as client:
        with client.flow("order") as flow, captured_logs() as said:
            client.log.info("beside")
            flow.info("step")
            client.capture_event()
        client.capture_event()
        with run_with_replaystack_context():
            client.flow("other", id="other-12345678", start=5).info("goes on")
            client.capture_event()
        assert client.flush()
        first, second, third = (event["metadata"]["replaystack"] for event in receiver.events(3))
    assert first["flowId"] == flow.id
    assert "flowId" not in second
    assert third["flowId"] == "other-12345678"
    assert [(entry.flow_id, entry.step_index) for entry in said.entries] == [(flow.id, None), (flow.id, 0)]


def test_a_flow_goes_on_elsewhere() -> None:
    """With its id and a start another process numbers on, and flows in threads stay apart."""
    with captured_logs() as said, ReplayStackClient(api_key="k", enabled=False) as client:
        flow = client.flow("order", id="order-abcdefgh", start=3)
        worker = threading.Thread(target=lambda: flow.info("elsewhere"))
        worker.start()
        worker.join()
        flow.bind(a=1).warning("here")
    assert [(entry.flow_id, entry.step_index) for entry in said.entries] == [
        ("order-abcdefgh", 3), ("order-abcdefgh", 4),
    ]  # fmt: skip
