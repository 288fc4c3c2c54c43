"""The Autoplay seed's checklist: how the SDK itself logs."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.receiver import Receiver, Reply

from replaystack import MetricsHook, ReplayStackClient
from replaystack.delivery.retry import held_delay, judge, quick_delay
from replaystack.diagnostics import EXTRA_KEYS

if TYPE_CHECKING:
    from pathlib import Path

KEY, SECRET, BODY = "rs_live_KeyThatNobodyMaySee00", "hunter2hunter2", "a body that stays at home"


class Heard(logging.Handler):
    """Every record below `replaystack`, whatever its level."""

    def __init__(self) -> None:
        super().__init__(0)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def in_trouble(monkeypatch: pytest.MonkeyPatch) -> list[logging.LogRecord]:
    """Return what the SDK says while everything goes wrong: retries, a refusal, hooks that raise."""
    monkeypatch.setattr("replaystack.diagnostics._strict", False)
    monkeypatch.setattr("replaystack.diagnostics._REPEAT_SECONDS", 0.0)
    heard = Heard()
    package = logging.getLogger("replaystack")
    before = package.level
    package.setLevel(1)
    package.addHandler(heard)

    def angry(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a hook of the user's")

    try:
        with Receiver(capabilities="logs") as receiver:
            for reply in (Reply(503), Reply(503), Reply(422)):
                receiver.replies.append(reply)
                receiver.log_replies.append(reply)
            with ReplayStackClient(
                api_key=KEY, endpoint=receiver.origin, on_error=angry, on_queue_drop=angry, metrics=Angry()
            ) as client:
                client.capture_event(request_payload={"password": SECRET, "text": BODY})
                client.log.error(BODY, ValueError(f"password={SECRET}"), password=SECRET)
                client.flush(30)
                client.capture_event(request_payload={"text": BODY})
                client.log.info(BODY)
                assert client.flush(30)
    finally:
        package.removeHandler(heard)
        package.setLevel(before)
    assert heard.records
    return heard.records


class Angry(MetricsHook):
    def record_delivery(self, **figures: Any) -> None:
        raise RuntimeError("a metrics hook of the user's")


@pytest.mark.checklist("A1")
def test_root_stays_as_it_is() -> None:
    """Using the SDK adds no handler to the root logger, changes no level, and prints nothing by itself."""
    program = """
import logging
root = logging.getLogger()
before = (root.level, list(root.handlers), logging.lastResort)
import replaystack
client = replaystack.ReplayStackClient(api_key="k", endpoint="http://127.0.0.1:9", max_retries=0)
client.log.info("m").error("e")
client.capture_event()
client.close(0)
assert (root.level, list(root.handlers), logging.lastResort) == before
handlers = [type(h).__name__ for h in logging.getLogger("replaystack").handlers]
assert handlers == ["NullHandler"], handlers
assert logging.getLogger("app").handlers == []
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=60, capture_output=True, text=True
    )
    assert ended.stdout == ""


def debug_lines(of: str) -> list[logging.LogRecord]:
    """Return what is said at DEBUG where the logger `of` is set to it, as the seed's blocks do."""
    heard, logger, package = Heard(), logging.getLogger(of), logging.getLogger("replaystack")
    before = logger.level
    package.addHandler(heard)
    logger.setLevel(logging.DEBUG)
    try:
        with (
            Receiver(capabilities="bulk") as receiver,
            ReplayStackClient(api_key=KEY, endpoint=receiver.origin) as client,
        ):
            client.capture_event(request_payload={"password": SECRET, "text": BODY})
            assert client.flush(30)
    finally:
        package.removeHandler(heard)
        logger.setLevel(before)
    return [record for record in heard.records if record.levelno == logging.DEBUG]


def test_debug_shows_what_left() -> None:
    """Who sees no events finds out why: what the receiver takes, and what came of each attempt."""
    said = {record.name: record.getMessage() for record in debug_lines("replaystack")}
    assert said["replaystack.delivery.capabilities"].endswith("takes: bulk")
    assert said["replaystack.delivery.pump"].startswith("attempt with a batch of 1: delivered, status 201")


def test_debug_of_one_module_alone() -> None:
    """As narrow as the seed's `autoplay_sdk.chatbot`."""
    assert {record.name for record in debug_lines("replaystack.delivery.pump")} == {
        "replaystack.delivery.pump"
    }


def test_a_filter_that_raises_hurts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Filters are the user's, and `logging` lets through what they raise."""
    monkeypatch.setattr("replaystack.diagnostics._strict", False)
    asked: list[str] = []

    def angry(record: logging.LogRecord) -> bool:
        asked.append(record.name)
        raise RuntimeError("a filter of the user's")

    loggers = [logging.getLogger(f"replaystack.delivery.{name}") for name in ("pump", "capabilities")]
    for logger in loggers:
        logger.addFilter(angry)
    try:
        assert debug_lines("replaystack") == []
    finally:
        for logger in loggers:
            logger.removeFilter(angry)
    assert {"replaystack.delivery.pump", "replaystack.delivery.capabilities"} <= set(asked)


@pytest.mark.checklist("A4")
def test_errors_have_tracebacks_and_retries_have_none(in_trouble: list[logging.LogRecord]) -> None:
    """The line of a retry has no traceback; that of the final failure has."""
    retries = [record for record in in_trouble if "trying again" in record.getMessage()]
    failures = [record for record in in_trouble if record.getMessage().startswith("replaystack: ")]
    assert retries
    assert failures
    assert not any(record.exc_info for record in retries)
    assert all(record.exc_info for record in failures)


@pytest.mark.checklist("A5")
def test_extra_keys_come_from_the_list(in_trouble: list[logging.LogRecord]) -> None:
    """No record has an attribute beyond those of every record and the ten of the list."""
    usual = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
    for record in in_trouble:
        assert set(vars(record)) - usual <= EXTRA_KEYS, record
    assert not EXTRA_KEYS & usual


@pytest.mark.checklist("A6")
def test_no_record_holds_a_secret(in_trouble: list[logging.LogRecord]) -> None:
    """Neither key nor secret nor body: not in the text, not in arguments, extra or traceback."""
    shown = logging.Formatter()
    for record in in_trouble:
        text = shown.format(record) + repr(record.args) + repr(vars(record))
        for secret in (KEY, SECRET, BODY):
            assert secret not in text, record.name


@pytest.mark.checklist("A7")
def test_hooks_that_raise_change_nothing(in_trouble: list[logging.LogRecord]) -> None:
    """Delivery went on (the fixture's flush says so), and the raising hook was reported."""
    assert any("record_delivery" in record.getMessage() for record in in_trouble)


@pytest.mark.checklist("A8")
def test_each_loss_is_counted_told_and_measured() -> None:
    """The oldest gives way: counter, callback and metric agree, each with its reason."""
    told: list[dict[str, Any]] = []
    measured: list[tuple[str, str, int]] = []

    class Measuring(MetricsHook):
        def record_event_dropped(self, *, reason: str, event_type: str, count: int) -> None:
            measured.append((reason, event_type, count))

    with Receiver(capabilities="logs") as receiver:
        receiver.log_reply = Reply(503)
        with ReplayStackClient(
            api_key="k", endpoint=receiver.origin, queue_max_bytes=20_000, on_queue_drop=told.append,
            metrics=Measuring(), max_retries=0,
        ) as client:  # fmt: skip
            for number in range(100):
                client.log.info("m", number=number)
            client.flush(0.2)
            receiver.log_reply = Reply(200)
            client.flush(30)
            stats = client.stats().logs
        assert stats is not None
        lost = stats.dropped["max_queue_size"]
        assert receiver.taken_logs()[-1]["data"] == {"number": 99}
    assert len(told) == lost == sum(count for reason, _, count in measured if reason == "max_queue_size")
    assert {kind for _, kind, _ in measured} == {"log"}


@pytest.mark.checklist("A9")
def test_backoff_doubles_up_to_its_cap() -> None:
    """By WIRE.md: full jitter below 150 ms x 2^n, then 1, 2, 4 ... 60 s; 401, 403 and 404 are not hurried."""
    assert [quick_delay(n, lambda: 1.0) for n in (1, 2, 3)] == [0.15, 0.3, 0.6]
    assert quick_delay(3, lambda: 0.0) == 0.0
    assert [held_delay(n) for n in (1, 2, 3, 7, 99)] == [1, 2, 4, 60, 60]
    assert [judge(status) for status in (401, 403, 404, 200)] == ["held", "held", "rejected", "delivered"]


@pytest.mark.checklist("A11")
def test_no_file_is_written(tmp_path: Path) -> None:
    """Logging and capturing without a spool leaves no file behind, in no directory of the process."""
    program = """
import replaystack
client = replaystack.ReplayStackClient(api_key="k", endpoint="http://127.0.0.1:9", max_retries=0)
client.log.info("m")
replaystack.get_logger("agents").error("e", ValueError("v"))
client.capture_event()
client.close(0)
"""
    environment = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", program]
    subprocess.run(command, check=True, timeout=60, cwd=tmp_path, env=environment, capture_output=True)
    assert list(tmp_path.rglob("*")) == []
