"""The verbs of a client, seen from both ends: what user code calls and what a receiver gets."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import http
import json
import logging
import threading
import time
from collections import OrderedDict, defaultdict
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from tests.receiver import Receiver, Reply

import replaystack
from replaystack import ReplayStackClient, run_with_replaystack_context
from replaystack.wire import EVENT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Capture = "Callable[..., dict[str, Any]]"


@pytest.fixture
def client(receiver: Receiver) -> Iterator[ReplayStackClient]:
    """Open a client for one test."""
    with ReplayStackClient(
        api_key="rs_test",
        endpoint=receiver.origin,
        service_name="orders",
        app_version="1.0",
        commit_hash="a7f",
    ) as running:
        yield running


@pytest.fixture
def capture(client: ReplayStackClient, receiver: Receiver) -> Callable[..., dict[str, Any]]:
    """Capture one event and return it as it arrived."""

    def captured(**fields: Any) -> dict[str, Any]:
        before = len(receiver.taken())
        assert client.capture_event(**fields) is None
        assert client.flush()
        return receiver.events(before + 1)[-1]

    return captured


def test_an_event_carries_what_was_given_and_what_the_client_knows(
    capture: Callable[..., dict[str, Any]],
) -> None:
    """Every keyword of API.md section 2 reaches its wire key; the service names itself."""
    event = capture(
        event_type="queue",
        status="warning",
        method="POST",
        endpoint="/orders?x=1",
        request_url="https://api.example.com/orders?ref=email",
        trace_id="trace-1",
        auth_mode="bearer",
        auth_scheme="Bearer",
        request_headers={"Accept": "text/plain"},
        request_payload={"a": 1},
        response_headers={"Server": "x"},
        response_payload=[1, 2],
        status_code=207,
        execution_time_ms=0,
        error_name="E",
        error_message="m",
        stack_trace="Traceback",
        stack_frames=[{"functionName": "f", "fileName": "a.py", "lineNumber": 3, "raw": "r"}],
        breadcrumbs=[{"message": "given"}],
        logs=[{"level": "info", "message": "hello"}],
        source_ip="10.0.0.1",
        user_agent="ua",
        metadata={"tenant": "t1"},
    )
    own = event["metadata"].pop("replaystack")
    assert event == {
        "traceId": "trace-1",
        "eventType": "queue",
        "status": "warning",
        "method": "POST",
        "endpoint": "/orders",
        "requestUrl": "https://api.example.com/orders?ref=email",
        "authMode": "bearer",
        "authScheme": "Bearer",
        "requestHeaders": {"Accept": "text/plain"},
        "requestPayload": {"a": 1},
        "responseHeaders": {"Server": "x"},
        "responsePayload": [1, 2],
        "statusCode": 207,
        "executionTimeMs": 0,
        "errorName": "E",
        "errorMessage": "m",
        "stackTrace": "Traceback",
        "stackFrames": [{"functionName": "f", "fileName": "a.py", "lineNumber": 3, "raw": "r"}],
        "breadcrumbs": [{"message": "given"}],
        "logs": [{"level": "info", "message": "hello"}],
        "serviceName": "orders",
        "environment": "development",
        "appVersion": "1.0",
        "commitHash": "a7f",
        "sourceIp": "10.0.0.1",
        "userAgent": "ua",
        "metadata": {"tenant": "t1"},
    }
    assert sorted(own) == ["eventId", "masking", "process", "sequence", "timestamp"]
    assert own["timestamp"].endswith("Z")


def test_camel_case_keywords_are_accepted(capture: Callable[..., dict[str, Any]]) -> None:
    """The original took `requestPayload=`; so do we."""
    event = capture(eventType="cron", requestPayload={"a": 1}, executionTimeMs=5, statusCode=200)
    assert (event["eventType"], event["requestPayload"], event["executionTimeMs"]) == ("cron", {"a": 1}, 5)


def test_a_plain_capture_has_ids_and_defaults(capture: Callable[..., dict[str, Any]]) -> None:
    """Nothing is required: type custom, status success, ids of its own."""
    event = capture()
    assert (event["eventType"], event["status"], event["authMode"]) == ("custom", "success", "none")
    assert len(event["traceId"]) == 36
    assert "metadata" in event


def test_unknown_keywords_and_bad_values_are_kept_under_metadata(
    capture: Callable[..., dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """A typo at run time costs neither the event nor the application, and is said once."""
    with caplog.at_level(logging.WARNING, logger="replaystack"):
        event = capture(
            status="faild",
            event_type="http",
            status_code="teapot",
            payload=1,
            trace_id="x y",
            metadata={"kept": True},
        )
    assert (event["status"], event["eventType"]) == ("success", "custom")
    metadata = event["metadata"]
    metadata.pop("replaystack")
    assert metadata == {
        "kept": True,
        "status": "faild",
        "eventType": "http",
        "statusCode": "teapot",
        "payload": 1,
        "traceId": "x y",
    }


def test_a_credential_given_as_the_scheme_is_forgotten(capture: Callable[..., dict[str, Any]]) -> None:
    """A bare token in the wrong place does not leave the process, not even under metadata."""
    event = capture(auth_mode="bearer", auth_scheme="s3cr3t-bare-token-1234567890")
    assert "authScheme" not in event
    assert "s3cr3t" not in json.dumps(event)


class Color(str, enum.Enum):
    FAILED = "failed"


def test_enums_stand_for_their_values(capture: Callable[..., dict[str, Any]]) -> None:
    """http.HTTPStatus and string enums are what people have at hand."""
    event = capture(status=Color.FAILED, status_code=http.HTTPStatus.NOT_FOUND, execution_time_ms=12.7)
    assert (event["status"], event["statusCode"], event["executionTimeMs"]) == ("failed", 404, 12)


def test_the_snapshot_is_taken_in_the_call(client: ReplayStackClient, receiver: Receiver) -> None:
    """What the application changes after the call changes nothing in the event."""
    payload = {"items": ["tea"]}
    crumb = {"step": ["one"]}
    client.add_breadcrumb("b", metadata=crumb)
    crumb["step"].append("two")
    client.capture_event(endpoint="x", request_payload=payload)
    payload["items"].append("coffee")
    payload["password"] = ["late"]
    assert client.flush()
    event = receiver.event()
    assert event["requestPayload"] == {"items": ["tea"]}
    assert event["breadcrumbs"][0]["metadata"] == {"step": ["one"]}


def test_an_exception_brings_its_stack_frames_and_causes(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """capture_exception: failed, 500, custom, with name, message, stack, frames and causes."""
    user: Any = None
    try:
        try:
            user["id"]
        except TypeError as cause:
            raise ValueError("no user; token=abc123secret") from cause
    except ValueError as error:
        client.capture_exception(error, endpoint="process-user", request_payload={"user": user})
    assert client.flush()
    event = receiver.event()
    assert (event["status"], event["statusCode"], event["eventType"]) == ("failed", 500, "custom")
    assert event["errorName"] == "ValueError"
    assert event["errorMessage"] == "no user; token=[MASKED]"
    assert "abc123secret" not in json.dumps(event)
    assert event["stackFrames"][-1]["fileName"] == __file__
    assert event["metadata"]["replaystack"]["causes"][0]["errorName"] == "TypeError"
    assert event["requestPayload"] == {"user": None}


def test_what_the_caller_gives_wins_over_the_exception(client: ReplayStackClient, receiver: Receiver) -> None:
    """The exception's own fields only fill what was not given."""
    client.capture_exception(
        KeyError("x"), event_type="queue", status_code=503, error_name="Mine", errorMessage="my words"
    )
    assert client.flush()
    event = receiver.event()
    assert (event["eventType"], event["statusCode"]) == ("queue", 503)
    assert (event["errorName"], event["errorMessage"], event["status"]) == ("Mine", "my words", "failed")


def test_what_is_no_exception_is_captured_all_the_same(client: ReplayStackClient, receiver: Receiver) -> None:
    """capture_exception("text") and (None) were taken by the original; nothing is lost for a wrong type."""
    client.capture_exception("it broke")  # type: ignore[arg-type]
    client.capture_exception(None)  # type: ignore[arg-type]
    assert client.flush()
    first, second = receiver.events(2)
    assert (first["errorMessage"], first["status"], first["statusCode"]) == ("it broke", "failed", 500)
    assert second["status"] == "failed"


def test_hostile_exceptions_are_captured(client: ReplayStackClient, receiver: Receiver) -> None:
    """A raising __cause__ property and a message that is a str subclass cost nothing."""

    class SafeString(str):
        __slots__ = ()

        def __str__(self) -> str:
            return self

    class Weird(Exception):  # noqa: N818
        @property
        def __cause__(self) -> Any:  # type: ignore[override]
            raise RuntimeError("no cause for you")

    client.capture_exception(ValueError(SafeString("safe")))
    client.capture_exception(Weird("weird"))
    assert client.flush()
    assert [event["errorMessage"] for event in receiver.events(2)] == ["safe", "weird"]


def test_mappings_of_the_standard_library_are_metadata(capture: Callable[..., dict[str, Any]]) -> None:
    """OrderedDict and mappingproxy are not nested under a key of their own."""
    for metadata in (OrderedDict(a=1), MappingProxyType({"a": 1}), defaultdict(int, a=1)):
        event = capture(endpoint="x", metadata=metadata)
        event["metadata"].pop("replaystack")
        assert event["metadata"] == {"a": 1}


def test_snake_case_wins_over_camel_case(capture: Callable[..., dict[str, Any]]) -> None:
    """Where both spellings are given, as in the original."""
    assert capture(status_code=201, statusCode=500)["statusCode"] == 201
    assert capture(statusCode=500, status_code=201)["statusCode"] == 201


def test_breadcrumbs_outside_a_scope_belong_to_the_next_capture(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """They are one buffer per client, visible to every thread, and consumed."""
    worker = threading.Thread(target=client.add_breadcrumb, args=("from a thread",))
    worker.start()
    worker.join()
    client.add_breadcrumb("second", category="payment", level="warn", metadata={"password": "x", "n": 1})
    assert [crumb["message"] for crumb in client.get_breadcrumbs()] == ["from a thread", "second"]
    client.capture_event(endpoint="a")
    client.capture_event(endpoint="b")
    assert client.flush()
    first, second = receiver.events(2)
    assert [crumb["message"] for crumb in first["breadcrumbs"]] == ["from a thread", "second"]
    crumb = first["breadcrumbs"][1]
    assert (crumb["category"], crumb["level"]) == ("payment", "warning")
    assert crumb["metadata"] == {"password": "[MASKED]", "n": 1}
    assert "breadcrumbs" not in second


def test_breadcrumbs_inside_a_scope_stay_for_the_scope(client: ReplayStackClient, receiver: Receiver) -> None:
    """Every event of a job carries the steps so far, and nothing leaks out of it."""
    with run_with_replaystack_context():
        replaystack.add_breadcrumb("one")
        client.capture_event(endpoint="a")
        client.add_breadcrumb("two")
        client.capture_event(endpoint="b")
        assert len(client.get_breadcrumbs()) == 2
    assert client.get_breadcrumbs() == []
    assert client.flush()
    first, second = receiver.events(2)
    assert [crumb["message"] for crumb in first["breadcrumbs"]] == ["one"]
    assert [crumb["message"] for crumb in second["breadcrumbs"]] == ["one", "two"]


def test_scopes_of_sibling_tasks_are_apart(client: ReplayStackClient) -> None:
    """`async with` gives each task a scope; children share their parent's."""

    async def job(name: str) -> list[str]:
        async with run_with_replaystack_context():
            client.add_breadcrumb(f"{name} begins")
            await asyncio.sleep(0)
            await asyncio.create_task(child(name))
            return [crumb["message"] for crumb in client.get_breadcrumbs()]

    async def child(name: str) -> None:
        client.add_breadcrumb(f"{name} child")

    async def main() -> list[list[str]]:
        return await asyncio.gather(*(job(name) for name in "abc"))

    assert asyncio.run(main()) == [[f"{n} begins", f"{n} child"] for n in "abc"]


def test_only_the_newest_breadcrumbs_are_kept(receiver: Receiver) -> None:
    """max_breadcrumbs bounds scope and buffer; 0 keeps none."""
    for limit, kept in ((3, ["7", "8", "9"]), (0, [])):
        with ReplayStackClient(api_key="k", endpoint=receiver.origin, max_breadcrumbs=limit) as client:
            for number in range(10):
                client.add_breadcrumb(str(number))
            assert [crumb["message"] for crumb in client.get_breadcrumbs()] == kept
            client.clear_breadcrumbs()
            assert client.get_breadcrumbs() == []


def test_user_and_session_are_scope_local(client: ReplayStackClient, receiver: Receiver) -> None:
    """Inside a scope they are the scope's; outside, the client's default."""
    client.set_user_id("default-user").set_session_id("s-1")
    with run_with_replaystack_context():
        client.set_user_id("ada")
        client.capture_event(endpoint="inside")
    client.capture_event(endpoint="outside")
    client.set_user_id(None)
    client.capture_event(endpoint="after")
    assert client.flush()
    owns = [event["metadata"]["replaystack"] for event in receiver.events(3)]
    assert [own.get("user") for own in owns] == ["ada", "default-user", None]
    assert [own.get("session") for own in owns] == ["s-1", "s-1", "s-1"]


def test_module_level_calls_go_to_the_default_client(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first open client, or the one that was named; with none, nothing breaks."""
    monkeypatch.setattr("replaystack.recorder.registry._open", {})  # other tests may have left clients open
    replaystack.clear_breadcrumbs()
    replaystack.add_breadcrumb("nobody listens")
    replaystack.clear_breadcrumbs()
    with (
        ReplayStackClient(api_key="a", endpoint=receiver.origin) as first,
        ReplayStackClient(api_key="b", endpoint=receiver.origin) as second,
    ):
        replaystack.add_breadcrumb("to the first")
        replaystack.set_default_client(second)
        replaystack.add_breadcrumb("to the second")
        assert [crumb["message"] for crumb in first.get_breadcrumbs()] == ["to the first"]
        assert [crumb["message"] for crumb in second.get_breadcrumbs()] == ["to the second"]
        assert replaystack.get_breadcrumbs() == second.get_breadcrumbs()
        replaystack.set_default_client(None)
        assert replaystack.get_breadcrumbs() == first.get_breadcrumbs()


def test_sampling_is_purely_probabilistic(receiver: Receiver) -> None:
    """Failures are not promoted, unless sample_rate_failed says so."""
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, sample_rate=0.0) as none:
        none.capture_event(status="failed")
        assert none.stats().skipped["sampled"] == 1
    with ReplayStackClient(
        api_key="k", endpoint=receiver.origin, sample_rate=0.0, sample_rate_failed=1.0
    ) as failures:
        failures.capture_event(status="failed")
        failures.capture_event(status="success")
    assert [event["status"] for event in receiver.events()] == ["failed"]
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, sample_rate=0.3, enabled=True) as some:
        for _ in range(1000):
            some.capture_event(endpoint="x")
        kept = some.stats().captured
    assert 200 < kept < 400  # 0.3 of 1000, with a margin of seven standard deviations


def test_before_send_may_change_drop_or_break(receiver: Receiver) -> None:
    """It sees masked values; its result is masked again; None or an exception drops the event."""
    seen: list[dict[str, Any]] = []

    def hook(event: dict[str, Any]) -> dict[str, Any] | None:
        seen.append(event)
        if event["endpoint"] == "drop":
            return None
        if event["endpoint"] == "break":
            raise RuntimeError("hook")
        event["metadata"]["password"] = "hunter2-added"
        event["metadata"]["team"] = "blue"
        return event

    errors: list[BaseException] = []
    with ReplayStackClient(
        api_key="k", endpoint=receiver.origin, before_send=hook, on_error=errors.append
    ) as client:
        for endpoint in ("keep", "drop", "break"):
            client.capture_event(endpoint=endpoint, request_payload={"token": "s3cr3t"})
        assert client.flush()
        assert dict(client.stats().dropped) == {"before_send": 1, "before_send_error": 1}
    event = receiver.event()
    assert event["metadata"]["password"] == "[MASKED]"
    assert event["metadata"]["team"] == "blue"
    assert all(event["requestPayload"] == {"token": "[MASKED]"} for event in seen)
    assert len(errors) == 1


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("str")

    __repr__ = __str__

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("getattr")


def hostile_payloads() -> dict[str, Any]:
    """Return what an application should never pass, and does."""
    cyclic: dict[str, Any] = {"name": "loop"}
    cyclic["self"] = cyclic
    deep: Any = "bottom"
    for _ in range(100_000):
        deep = [deep]
    return {
        "cyclic": cyclic,
        "deep": deep,
        "huge": {"blob": "x" * 5_000_000},
        "raising": Hostile(),
        "lock": {"lock": threading.Lock()},
        "surrogate": "bad \ud800 text",
        "nan": [float("nan"), float("inf")],
        "bytes key": {b"\xff": 1, (1, 2): 2, None: 3},
        "set": {"a", "b"},
        "big int": 10**5000,
        "generator": (n for n in range(3)),
    }


@pytest.mark.parametrize("name", sorted(hostile_payloads()))
def test_a_hostile_payload_arrives_as_an_event_with_markers(
    name: str, capture: Callable[..., dict[str, Any]]
) -> None:
    """The application goes on, and the developer sees that something was there."""
    event = capture(
        endpoint="hostile", request_payload=hostile_payloads()[name], metadata={"lock": threading.Lock()}
    )
    assert event["endpoint"] == "hostile"
    assert "requestPayload" in event
    assert len(json.dumps(event)) < 1_000_000


def test_hostile_arguments_everywhere_raise_nothing(client: ReplayStackClient, receiver: Receiver) -> None:
    """Every keyword of every verb takes anything."""
    hostile = Hostile()
    names = [*EVENT_FIELDS, "unheard_of"]
    for name in names:
        for value in (hostile, 7, [hostile], {"a": hostile}, "\ud800", b"\xff", float("nan")):
            client.capture_event(**{name: value})
    client.add_breadcrumb(hostile, category=hostile, level=hostile, metadata=hostile)  # type: ignore[arg-type]
    client.set_user_id(hostile)  # type: ignore[arg-type]
    client.capture_event(endpoint="last")
    assert client.flush(60)
    stats = client.stats()
    assert stats.captured == stats.delivered == len(names) * 7 + 1


def test_flush_and_close_have_async_forms_that_leave_the_loop_free(receiver: Receiver) -> None:
    """While the flush waits for a slow receiver, the loop serves others."""

    async def main() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        async with ReplayStackClient(api_key="k", endpoint=receiver.origin) as client:
            client.capture_event(endpoint="x")
            ticker = asyncio.create_task(tick())
            assert await client.flush_async()
            ticker.cancel()
        return ticks

    assert asyncio.run(main()) > 0
    assert len(receiver.taken()) == 1


def test_a_cancelled_flush_holds_nobody(receiver: Receiver) -> None:
    """asyncio.wait_for gives up on a flush; the loop's end does not wait for it, nor needs its executor."""

    async def main() -> bool:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = threading.Event()
        blocked = loop.run_in_executor(None, busy.wait, 30)
        client = ReplayStackClient(api_key="k", endpoint=receiver.origin, max_retries=0)
        client.capture_event(endpoint="x")
        assert await client.flush_async(20)  # though the application's executor is full
        receiver.reply = Reply(misbehave="hang")
        client.capture_event(endpoint="y")
        try:
            await asyncio.wait_for(client.flush_async(25), 0.2)
        except asyncio.TimeoutError:
            given_up = True
        busy.set()
        await blocked
        clients.append(client)
        return given_up

    clients: list[ReplayStackClient] = []
    started = time.monotonic()
    assert asyncio.run(main())
    assert time.monotonic() - started < 15
    receiver.released.set()
    receiver.reply = Reply()
    assert clients[0].close(20)


def test_an_error_of_a_flush_comes_out_of_its_async_form() -> None:
    """raise_on_error holds for flush_async, and the error is the transport's own."""

    class Broken:
        def post(self, *_: Any, **__: Any) -> None:
            raise ConnectionResetError("broken")

    async def main() -> None:
        client = ReplayStackClient(api_key="k", transport=Broken(), raise_on_error=True, max_retries=0)
        client.capture_event(endpoint="x")
        try:
            with pytest.raises(ConnectionResetError):
                await client.flush_async(0.5)
        finally:
            client.recorder.lifetime.delivery.pump.backlog.clear()
            with contextlib.suppress(ConnectionResetError):
                client.close(0)

    asyncio.run(main())


def test_a_disabled_client_does_nothing(receiver: Receiver) -> None:
    """enabled=False: no thread, no connection, no event; every verb still works."""
    before = threading.active_count()
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, enabled=False) as client:
        assert client.capture_event(endpoint="x") is None
        client.add_breadcrumb("b")
        assert client.flush()
        assert threading.active_count() == before
        assert (client.stats().captured, client.stats().skipped["disabled"]) == (0, 1)
    assert receiver.requests() == []


def test_nothing_starts_before_the_first_capture(receiver: Receiver) -> None:
    """Making a client starts no thread and opens no connection."""
    before = threading.active_count()
    client = ReplayStackClient(api_key="k", endpoint=receiver.origin)
    assert threading.active_count() == before
    assert client.flush()
    assert client.close()
    assert receiver.requests() == []


def test_capture_is_safe_inside_a_destructor_and_a_log_handler(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """Re-entrant by construction: a capture may happen while another one runs on the same thread."""

    class Noisy(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            client.capture_event(endpoint="from-log")

    class Dying:
        def __del__(self) -> None:
            client.capture_event(endpoint="from-del")

    handler = Noisy()
    logging.getLogger("replaystack").addHandler(handler)
    try:
        Dying()
        client.capture_event(endpoint="x", status="no such status")
        assert client.flush()
    finally:
        logging.getLogger("replaystack").removeHandler(handler)
    endpoints = {event["endpoint"] for event in receiver.taken()}
    assert {"from-del", "x"} <= endpoints


def test_no_record_of_ours_holds_a_key_a_secret_or_a_body(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK's own log lines, at every level, give nothing away."""
    from tests.receiver import Reply

    receiver.replies.extend([Reply(500), Reply(500), Reply(401), Reply(422)])
    with caplog.at_level(logging.DEBUG, logger="replaystack"):
        client = ReplayStackClient(
            api_key="KEYKEYKEY", endpoint=receiver.origin, async_send=False, max_retries=1, service_name="s"
        )
        for _ in range(4):
            client.capture_event(
                endpoint="x",
                request_payload={"body": "BODYBODY"},
                request_headers={"Authorization": "Bearer SECRETSECRET"},
            )
        client.close()
    assert caplog.records
    formatter = logging.Formatter("%(message)s")
    for record in caplog.records:
        text = formatter.format(record) + repr(record.__dict__.get("args")) + repr(record.__dict__)
        assert not [word for word in ("KEYKEYKEY", "SECRETSECRET", "BODYBODY") if word in text]


def test_logger_names_are_the_module_paths_and_extras_are_from_the_list(receiver: Receiver) -> None:
    """Documented names let an operator narrow the level to one part."""
    import ast
    import re
    from pathlib import Path

    from replaystack.diagnostics import EXTRA_KEYS

    package = Path(replaystack.__file__).parent
    for module in package.rglob("*.py"):
        source = module.read_text()
        for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
            if not ast.unparse(call.func).endswith(("getLogger", "RateLimitedLogger")):
                continue
            argument = ast.unparse(call.args[0]) if call.args else "the root"
            # `self._name`, `entry.logger`: the logger behind one that the user named.
            known = ("__name__", "'replaystack", "name", "self._name", "entry.logger")
            assert argument.startswith(known), (module, argument)
        for extra in re.findall(r"extra=\{([^}]*)\}", source):
            assert set(re.findall(r'"(\w+)":', extra)) <= EXTRA_KEYS, module


def test_metrics_hear_of_drops_that_no_attempt_follows(receiver: Receiver) -> None:
    """before_send drops everything, so nothing is ever sent: the hook hears of it by the flush."""
    heard: list[dict[str, Any]] = []

    class Hook(replaystack.MetricsHook):
        def record_event_dropped(self, *, reason: str, event_type: str, count: int) -> None:
            heard.append({"reason": reason, "event_type": event_type, "count": count})

    with ReplayStackClient(
        api_key="k", endpoint=receiver.origin, before_send=lambda _: None, metrics=Hook()
    ) as client:
        client.capture_event(endpoint="x")
        client.capture_event(endpoint="x")
        client.flush()
    client.capture_event(endpoint="late")
    client.close()
    assert sum(drop["count"] for drop in heard if drop["reason"] == "before_send") == 2
    assert {"reason": "closed", "event_type": "custom", "count": 1} in heard
