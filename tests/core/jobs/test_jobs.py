"""A job becomes one event, and the code in it notices nothing."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.receiver import Receiver, Reply

import replaystack
from replaystack import CaptureFailure, ReplayStackClient
from replaystack.jobs import current_job
from replaystack.scope import current_scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator
    from pathlib import Path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver."""
    with Receiver() as running:
        yield running


def only(client: ReplayStackClient, receiver: Receiver) -> dict[str, Any]:
    """Return the one event of a test."""
    assert client.flush()
    return receiver.event()


@pytest.mark.checklist("O9")
def test_a_run_is_one_event(client: ReplayStackClient, receiver: Receiver) -> None:
    """Name, type, parameters, progress, result, duration and success are in it; secrets are not."""
    rows = [1]
    with client.job(
        "nightly-report", tenant="acme", api_token="tok_live_1", request_payload={"rows": rows}
    ) as run:
        rows.append(2)
        run.progress("half way", done=5, password="hunter2").progress("all of it", done=10)
        client.add_breadcrumb("by the way")
        answer = {"written": 3}
        run.result(answer)
        answer["written"] = 4
        assert current_job() is run
    assert current_job() is None
    assert current_scope() is None

    event = only(client, receiver)
    assert (event["eventType"], event["status"], event["endpoint"]) == ("cron", "success", "nightly-report")
    assert event["requestPayload"] == {"rows": [1]}
    assert event["responsePayload"] == {"written": 3}
    assert event["metadata"]["tenant"] == "acme"
    assert "tok_live_1" not in str(event)
    assert "hunter2" not in str(event)
    assert [crumb["message"] for crumb in event["breadcrumbs"]] == ["half way", "all of it", "by the way"]
    assert event["breadcrumbs"][0]["metadata"]["done"] == 5
    assert event["executionTimeMs"] >= 0
    assert event["traceId"] == run.trace_id
    assert "statusCode" not in event


@pytest.mark.checklist("O9")
@pytest.mark.parametrize(
    "error", [LookupError("no rows"), KeyboardInterrupt(), SystemExit(3), SystemExit("no")]
)
def test_a_failed_run_raises_what_was_raised(
    client: ReplayStackClient, receiver: Receiver, error: BaseException
) -> None:
    """The very exception, with its context untouched, comes out; the event has its traceback."""
    with pytest.raises(type(error)) as caught, client.job("nightly", "queue"):
        raise error
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    event = only(client, receiver)
    assert (event["status"], event["eventType"]) == ("failed", "queue")
    assert event["errorName"] == type(error).__name__
    assert "test_a_failed_run_raises_what_was_raised" in event["stackTrace"]
    assert event["stackFrames"][-1]["functionName"] == "test_a_failed_run_raises_what_was_raised"
    assert event["executionTimeMs"] >= 0


def test_a_cause_is_told(client: ReplayStackClient, receiver: Receiver) -> None:
    """What led to the exception is in `metadata.replaystack.causes`."""

    @client.job("nightly")
    def nightly() -> None:
        try:
            next(iter(()))
        except StopIteration as error:
            raise RuntimeError("no rate") from error

    with pytest.raises(RuntimeError):
        nightly()
    (cause,) = only(client, receiver)["metadata"]["replaystack"]["causes"]
    assert (cause["relation"], cause["errorName"]) == ("cause", "StopIteration")


def test_an_orderly_exit_is_no_failure(client: ReplayStackClient, receiver: Receiver) -> None:
    """`sys.exit()` at the end of a script is how scripts end."""
    with pytest.raises(SystemExit), client.job("script"):
        raise SystemExit(0)
    assert only(client, receiver)["status"] == "success"


def test_capture_failure_says_what_the_event_carries(client: ReplayStackClient, receiver: Receiver) -> None:
    """Its payload and status code win over the result; the exception goes on."""
    failure = CaptureFailure("partner is down", {"partner": "dhl", "password": "pw"}, 503)

    @client.job("ship", response_payload={"none": "yet"})
    def ship() -> None:
        raise failure

    with pytest.raises(CaptureFailure) as caught:
        ship()
    assert caught.value is failure
    event = only(client, receiver)
    assert (event["statusCode"], event["errorMessage"]) == (503, "partner is down")
    assert event["responsePayload"]["partner"] == "dhl"
    assert event["responsePayload"]["password"] != "pw"


@pytest.mark.checklist("O9")
def test_cancellation_passes_unchanged(client: ReplayStackClient, receiver: Receiver) -> None:
    """A cancelled job has failed, and its task is cancelled all the same."""
    inside = asyncio.Event

    async def main() -> None:
        begun = inside()

        @client.job("sync-feed")
        async def feed() -> None:
            begun.set()
            await asyncio.get_running_loop().create_future()

        task = asyncio.create_task(feed())
        await begun.wait()
        task.cancel("enough")
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert caught.value.args == ("enough",)
        assert task.cancelled()

    asyncio.run(main())
    event = only(client, receiver)
    assert (event["status"], event["errorName"]) == ("failed", "CancelledError")


def test_a_function_is_a_job_at_each_call(client: ReplayStackClient, receiver: Receiver) -> None:
    """Its arguments by name are the request, what it returns is the response, and it stays what it was."""

    @client.job("charge", "queue")
    def charge(order: int, card_number: str, /, *items: str, password: str, **rest: int) -> dict[str, int]:
        """Charge a card."""
        run = current_job()
        assert run is not None
        run.progress("asked")
        return {"order": order}

    assert charge(7, "4111111111111111", "a", "b", password="pw", extra=1) == {"order": 7}
    assert (charge.__name__, charge.__doc__) == ("charge", "Charge a card.")
    event = only(client, receiver)
    assert event["requestPayload"]["order"] == 7
    assert event["requestPayload"]["items"] == ["a", "b"]
    assert event["requestPayload"]["rest"] == {"extra": 1}
    assert "4111111111111111" not in str(event)
    assert event["requestPayload"]["password"] != "pw"
    assert event["responsePayload"] == {"order": 7}
    assert [crumb["message"] for crumb in event["breadcrumbs"]] == ["asked"]


def test_payloads_can_be_left_out(client: ReplayStackClient, receiver: Receiver) -> None:
    """`request_payload=None` and `response_payload=None` say so."""

    @client.job("quiet", request_payload=None, response_payload=None)
    def quiet(secret: str) -> str:
        return secret

    assert quiet("x") == "x"
    assert not {"requestPayload", "responsePayload"} & only(client, receiver).keys()


def test_methods_partials_and_callable_objects(client: ReplayStackClient, receiver: Receiver) -> None:
    """`self` is no argument; what awaits is awaited, however it is dressed."""

    class Shop:
        @client.job("close")
        def close(self, day: str) -> str:
            return day

        async def __call__(self, day: str) -> str:
            await asyncio.sleep(0)
            assert current_job() is not None
            return day

    assert Shop().close("mon") == "mon"
    assert asyncio.run(client.job("object")(Shop())("tue")) == "tue"

    async def add(a: int, b: int) -> int:
        await asyncio.sleep(0)
        assert current_job() is not None
        return a + b

    assert asyncio.run(client.job("partial")(functools.partial(add, 1))(2)) == 3
    assert client.flush()
    events = {event["endpoint"]: event for event in receiver.events(3)}
    assert events["close"]["requestPayload"] == {"day": "mon"}
    assert events["object"]["responsePayload"] == "tue"
    assert events["partial"]["responsePayload"] == 3


def test_a_generator_is_one_run(client: ReplayStackClient, receiver: Receiver) -> None:
    """From its first step to its end, with `send` and `throw`; between steps the context is the reader's."""

    @client.job("rows")
    def rows() -> Generator[int, str, str]:
        run = current_job()
        assert run is not None
        got = yield 1
        assert current_job() is run
        run.progress(f"got {got}")
        try:
            yield 2
        except KeyError:
            yield 3
        return "done"

    reader = rows()
    assert next(reader) == 1
    assert current_job() is None
    assert reader.send("x") == 2
    assert reader.throw(KeyError("k")) == 3
    with pytest.raises(StopIteration) as stopped:
        next(reader)
    assert stopped.value.value == "done"
    event = only(client, receiver)
    assert (event["status"], event["responsePayload"]) == ("success", "done")
    assert event["breadcrumbs"][0]["message"] == "got x"


@pytest.mark.parametrize("ending", ["close", "raise"])
def test_a_generator_that_ends_early(client: ReplayStackClient, receiver: Receiver, ending: str) -> None:
    """A reader that has enough is no failure, and the generator is closed; an exception is one."""
    closed = []

    @client.job("rows")
    def rows() -> Iterator[int]:
        try:
            yield 1
            raise ValueError("row 2")
        finally:
            closed.append(current_job() is not None)

    reader = rows()
    next(reader)
    if ending == "close":
        reader.close()  # type: ignore[attr-defined]  # a generator, told as an iterator
    else:
        with pytest.raises(ValueError, match="row 2"):
            next(reader)
    assert closed == [True]
    assert only(client, receiver)["status"] == ("success" if ending == "close" else "failed")


def test_an_asynchronous_generator_is_one_run(client: ReplayStackClient, receiver: Receiver) -> None:
    """The same for `async def` with `yield`, closed early or read to its end."""

    @client.job("pages")
    async def pages(count: int) -> AsyncIterator[int]:
        run = current_job()
        assert run is not None
        for number in range(count):
            await asyncio.sleep(0)
            run.progress(f"page {number}")
            yield number

    async def main() -> None:
        assert [page async for page in pages(2)] == [0, 1]
        early = pages(5)
        assert await anext(early) == 0
        assert current_job() is None
        await early.aclose()  # type: ignore[attr-defined]  # a generator, told as an iterator

    asyncio.run(main())
    assert client.flush()
    whole, early = receiver.events(2)
    assert [crumb["message"] for crumb in whole["breadcrumbs"]] == ["page 0", "page 1"]
    assert whole["requestPayload"] == {"count": 2}
    assert (whole["status"], early["status"]) == ("success", "success")


def test_jobs_in_parallel_know_nothing_of_each_other(client: ReplayStackClient, receiver: Receiver) -> None:
    """One object in many tasks and threads at once: each run has its own breadcrumbs."""
    job = client.job("parallel")

    async def one(number: int) -> None:
        async with job as run:
            for step in range(3):
                client.add_breadcrumb(f"{number}/{step}")
                await asyncio.sleep(0)
            run.result(number)

    async def main() -> None:
        await asyncio.gather(*map(one, range(20)))

    def thread(number: int) -> None:
        with job as run:
            client.add_breadcrumb(f"{number}/0")
            run.result(number)

    asyncio.run(main())
    threads = [threading.Thread(target=thread, args=(number,)) for number in range(100, 110)]
    for running in threads:
        running.start()
    for running in threads:
        running.join()
    assert client.flush()
    for event in receiver.events(30):
        assert {crumb["message"].partition("/")[0] for crumb in event["breadcrumbs"]} == {
            str(event["responsePayload"])
        }


def test_a_job_in_a_job(client: ReplayStackClient, receiver: Receiver) -> None:
    """The inner one names the outer one's trace, and has its user; breadcrumbs stay where they were left."""
    with client.job("outer") as outer:
        client.set_user_id("u1")
        client.add_breadcrumb("outer's")
        with client.job("inner"):
            client.add_breadcrumb("inner's")
        assert current_job() is outer
    assert client.flush()
    inner_event, outer_event = receiver.events(2)
    own = inner_event["metadata"]["replaystack"]
    assert (own["parentTraceId"], own["user"]) == (outer.trace_id, "u1")
    assert [crumb["message"] for crumb in inner_event["breadcrumbs"]] == ["inner's"]
    assert [crumb["message"] for crumb in outer_event["breadcrumbs"]] == ["outer's"]


def test_a_run_may_end_in_another_context(client: ReplayStackClient, receiver: Receiver) -> None:
    """Entered here and left in a copied context, as test fixtures and streams do, it is one event."""
    job = client.job("moved")
    contextvars.copy_context().run(job.__enter__)
    contextvars.Context().run(job.__exit__, None, None, None)
    assert only(client, receiver)["status"] == "success"


def test_progress_after_the_end_and_odd_values(client: ReplayStackClient, receiver: Receiver) -> None:
    """What comes too late is left out; odd values neither raise nor reach the wire unmasked."""

    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    with client.job("odd", weird=Odd(), trace_id="not a trace id!") as run:
        run.progress(50, value=Odd()).progress("").result(Odd())
    run.progress("late").result("late")
    event = only(client, receiver)
    assert [crumb["message"] for crumb in event["breadcrumbs"]] == ["50"]
    assert "late" not in str(event)


def test_a_disabled_client_stays_out_of_the_way(receiver: Receiver) -> None:
    """Nothing is captured, no scope is entered, and the job runs."""
    with ReplayStackClient(api_key="rs_test", endpoint=receiver.origin, enabled=False) as client:
        with client.job("nothing") as run:
            assert current_scope() is None
            run.progress("x").result(1)
        assert client.job("nothing")(len)("abc") == 3
        assert client.stats().captured == 0


def test_sync_mode_sends_within_the_job(receiver: Receiver) -> None:
    """Without a thread the event has arrived when the block ends; a coroutine's loop goes on meanwhile."""
    with ReplayStackClient(api_key="rs_test", endpoint=receiver.origin, async_send=False) as client:
        with client.job("one"):
            pass
        assert len(receiver.taken()) == 1

        async def main() -> None:
            sends: list[str] = []

            async def look() -> None:
                sends.append(threading.current_thread().name)

            async with client.job("two"):
                other = asyncio.create_task(look())
            await other

        asyncio.run(main())
        assert [event["endpoint"] for event in receiver.taken()] == ["one", "two"]


def test_a_refused_event_changes_nothing(receiver: Receiver) -> None:
    """Also with `raise_on_error` in sync mode: a job ends as its code ended."""
    receiver.reply = Reply(400)
    with ReplayStackClient(
        api_key="rs_test", endpoint=receiver.origin, async_send=False, raise_on_error=True, max_retries=0
    ) as client:
        with client.job("fine"):
            pass
        with pytest.raises(LookupError), client.job("failed"):
            raise LookupError
        assert client.stats().dropped == {"rejected": 2}


def test_durability_sync_means_on_disk_when_the_job_ends(receiver: Receiver, tmp_path: Path) -> None:
    """With `durability="sync"` the event of a job is in a file before its block is left."""
    receiver.reply = Reply(503)
    with ReplayStackClient(
        api_key="rs_test", endpoint=receiver.origin, spool_path=str(tmp_path / "spool"), durability="sync"
    ) as client:
        with client.job("kept", marker="MARK-OF-THE-JOB"):
            pass
        assert b"MARK-OF-THE-JOB" in b"".join(path.read_bytes() for path in (tmp_path / "spool").iterdir())

        async def main() -> None:
            async with client.job("kept", marker="MARK-OF-THE-TASK"):
                pass

        asyncio.run(main())
        assert b"MARK-OF-THE-TASK" in b"".join(path.read_bytes() for path in (tmp_path / "spool").iterdir())
        receiver.reply = Reply(201)


def test_ignore_rules_and_success_filter_apply(receiver: Receiver) -> None:
    """A job is admitted as any event: by its name, its status, by chance."""
    with ReplayStackClient(
        api_key="rs_test", endpoint=receiver.origin, ignored_paths=["heartbeat"], capture_success=False
    ) as client:
        with client.job("fine"):
            pass
        with pytest.raises(ValueError, match="x"), client.job("heartbeat"):
            raise ValueError("x")
        assert client.stats().captured == 0


def test_process_guards_see_the_loop_of_a_job(client: ReplayStackClient, receiver: Receiver) -> None:
    """A forgotten task's exception on the loop of a job is an event, as on the loop of a request."""

    async def main() -> None:
        async with client.job("loop"):
            pass

        async def forgotten() -> None:
            raise LookupError("forgotten")

        task = asyncio.create_task(forgotten())
        await asyncio.wait([task])
        del task

    unsubscribe = replaystack.install_replaystack_process_guards(client, shutdown_signals=())
    try:
        asyncio.run(main())
    finally:
        unsubscribe()
    assert client.flush()
    assert [event["endpoint"] for event in receiver.events(2)] == ["loop", "/runtime/asyncio"]
