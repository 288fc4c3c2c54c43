"""What is said to the standard library, to structlog, to loguru or as a warning becomes an entry, once."""

from __future__ import annotations

import io
import logging
import logging.handlers
import queue
import threading
import warnings
from typing import TYPE_CHECKING, Any

import loguru
import pytest
import structlog
from tests.receiver import Receiver

from replaystack import ReplayStackClient, get_logger
from replaystack.logs.bridges import LoguruSink, ReplayStackHandler, StructlogProcessor, capture_warnings
from replaystack.logs.sinks import add_sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack.logs import LogEntry


class Keeping:
    """A sink that keeps what it gets."""

    accepts_pii = True

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []

    def emit(self, entry: LogEntry) -> None:
        self.entries.append(entry)


@pytest.fixture
def kept() -> Iterator[list[LogEntry]]:
    """Return the entries that reach the sinks."""
    sink = Keeping()
    remove = add_sink(sink)
    yield sink.entries
    remove()


@pytest.fixture
def handler() -> Iterator[ReplayStackHandler]:
    """Put a handler on the root logger."""
    made, root = ReplayStackHandler(), logging.getLogger()
    level = root.level
    root.addHandler(made)
    root.setLevel(logging.DEBUG)
    yield made
    root.removeHandler(made)
    root.setLevel(level)


def test_a_record_becomes_an_entry(handler: ReplayStackHandler, kept: list[LogEntry]) -> None:
    """Name, level, moment, message with arguments, extra as fields, masked."""
    logging.getLogger("billing.cards").warning(
        "paid %d of %s", 3, "five", extra={"order": 7, "password": "hunter2", "tags": ["a"]}
    )
    (entry,) = kept
    assert (entry.logger, entry.level, entry.message) == ("billing.cards", "warning", "paid 3 of five")
    assert entry.fields["order"] == 7
    assert entry.fields["password"] != "hunter2"
    assert entry.tags == ("a",)
    assert set(entry.fields) == {"order", "password"}


@pytest.mark.checklist("O3")
def test_the_exception_comes_along(handler: ReplayStackHandler, kept: list[LogEntry]) -> None:
    """`exc_info` gives name and traceback; where only its text is left (a queue in between), that."""
    log = logging.getLogger("x")
    try:
        raise ValueError("v")
    except ValueError:
        log.exception("failed")
    assert kept[0].error_name == "ValueError"
    assert (kept[0].error_stack or "").endswith("ValueError: v")
    assert "exc_info" not in kept[0].fields
    record = logging.makeLogRecord(
        {"name": "x", "msg": "m", "levelno": 40, "exc_text": "Traceback\nKeyError: 'k'"}
    )
    handler.handle(record)
    assert kept[1].error_stack == "Traceback\nKeyError: 'k'"


AUTOPLAY_SEED = """
logger.error(
    "Request failed for session=%s: %s",
    session_id,
    exc,
    exc_info=True,
    extra={"session_id": session_id, "product_id": product_id},
)
"""


def test_the_preferred_pattern_of_the_autoplay_seed(
    handler: ReplayStackHandler, kept: list[LogEntry]
) -> None:
    """Its one block with a call, as it stands: text, traceback and both ids are in the entry."""
    try:
        raise TimeoutError("password=hunter2hunter2")
    except TimeoutError as exc:
        given = {"logger": logging.getLogger("mine"), "session_id": "s-1", "product_id": "p-1", "exc": exc}
        exec(AUTOPLAY_SEED, given)
    (entry,) = kept
    assert (entry.logger, entry.level) == ("mine", "error")
    assert entry.message == "Request failed for session=[MASKED]: password=[MASKED]"  # both are key names
    assert entry.error_name == "TimeoutError"
    assert "in test_the_preferred_pattern" in (entry.error_stack or "")
    assert entry.fields == {"session_id": "s-1", "product_id": "p-1"}
    assert "hunter2hunter2" not in repr(entry)


@pytest.mark.checklist("P8")
def test_personal_data_stays_personal(handler: ReplayStackHandler, kept: list[LogEntry]) -> None:
    """`extra={"is_pii": True}`, also misspelt, marks the entry."""
    for name in ("is_pii", "pii", "isPii"):
        logging.getLogger("x").info("jane", extra={name: True})
    assert [entry.is_pii for entry in kept] == [True, True, True]
    assert all(not entry.fields for entry in kept)


def test_what_our_loggers_say_is_taken_once(handler: ReplayStackHandler, kept: list[LogEntry]) -> None:
    """A record that one of ours made, and the SDK's own lines, are passed over."""
    get_logger("ours").info("said once")
    logging.getLogger("replaystack.delivery.pump").warning("trouble")
    assert [entry.message for entry in kept] == ["said once"]


def test_other_handlers_get_a_record_once(handler: ReplayStackHandler, kept: list[LogEntry]) -> None:
    """What is taken over is not said again to the standard library."""
    stream = io.StringIO()
    other = logging.StreamHandler(stream)
    logging.getLogger().addHandler(other)
    try:
        logging.getLogger("x").info("once")
    finally:
        logging.getLogger().removeHandler(other)
    assert stream.getvalue() == "once\n"
    assert len(kept) == 1


def test_what_a_sink_or_an_argument_logs_is_no_endless_loop(handler: ReplayStackHandler) -> None:
    """A sink that logs, and an argument whose text logs, are heard once and not again."""
    heard: list[str] = []

    class Chatty:
        accepts_pii = True

        def emit(self, entry: LogEntry) -> None:
            heard.append(entry.message)
            logging.getLogger("sink").info("I got one")
            get_logger("sink").info("I got one")

    class Argument:
        asked = 0

        def __str__(self) -> str:
            self.asked += 1
            if self.asked < 50:  # else an endless loop would end this process, not this test
                logging.getLogger("argument").info("I am asked")
            return "text"

    argument = Argument()

    remove = add_sink(Chatty())
    try:
        logging.getLogger("x").info("one %s", argument)
    finally:
        remove()
    assert heard.count("one text") == 1
    assert "I got one" not in heard
    assert argument.asked < 10  # once for each handler, pytest's among them


def test_what_cannot_be_formatted_is_taken_all_the_same(
    handler: ReplayStackHandler, kept: list[LogEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong number of arguments, or one whose text raises: the message stays as it is."""
    monkeypatch.setattr(logging, "raiseExceptions", False)  # pytest's own handler would fail the test

    class Bad:
        def __str__(self) -> str:
            raise RuntimeError("no")

        __repr__ = __str__

    logging.getLogger("x").info("one %s two %s", *["a"])
    logging.getLogger("x").info("bad %s", Bad())
    assert [entry.message for entry in kept] == ["one %s two %s", "bad %s"]
    assert kept[0].fields["args"] == ["a"]


def test_through_a_queue_and_another_thread(kept: list[LogEntry]) -> None:
    """Behind `QueueHandler` and `QueueListener`, as servers have it, nothing is lost."""
    waiting: queue.Queue[Any] = queue.Queue()
    listener = logging.handlers.QueueListener(waiting, ReplayStackHandler())
    log = logging.getLogger("queued")
    to_queue = logging.handlers.QueueHandler(waiting)
    log.addHandler(to_queue)
    log.propagate = False
    listener.start()
    try:
        for number in range(100):
            log.error("n", extra={"number": number})
    finally:
        listener.stop()
        log.removeHandler(to_queue)
        log.propagate = True
    assert [entry.fields["number"] for entry in kept] == list(range(100))


def test_a_record_reaches_the_event_of_its_request() -> None:
    """What the standard library's loggers said during a job is among the logs of its event."""
    with Receiver() as receiver, ReplayStackClient(api_key="rs_test", endpoint=receiver.origin) as client:
        log, own = logging.getLogger("library"), ReplayStackHandler(client=client)
        log.addHandler(own)
        try:
            with client.job("nightly"):
                log.warning("rate is old", extra={"age": 3})
        finally:
            log.removeHandler(own)
        assert client.flush()
        event = receiver.event()
    (line,) = event["logs"]
    assert (line["level"], line["message"]) == ("warning", "rate is old")


def test_structlog(kept: list[LogEntry]) -> None:
    """Event, level, bound values, exceptions in both forms; what comes after it gets the same."""
    rendered: list[dict[str, Any]] = []

    def last(logger: Any, name: str, event_dict: Any) -> Any:
        rendered.append(dict(event_dict))
        raise structlog.DropEvent

    log = structlog.wrap_logger(
        None,
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(),
            StructlogProcessor(),
            last,
        ],
        wrapper_class=structlog.BoundLogger,
    )
    log = log.bind(order=7, logger="billing", token="tok_live_4242424242")
    log.warning("paid", amount=3)
    try:
        raise KeyError("k")
    except KeyError:
        log.error("failed", exc_info=True)
    formatted = structlog.wrap_logger(
        None, processors=[structlog.processors.format_exc_info, StructlogProcessor(), last]
    )
    formatted.critical("worse", exc_info=ValueError("v"))
    first, second, third = kept
    assert (first.logger, first.level, first.message) == ("billing", "warning", "paid")
    assert (first.fields["order"], first.fields["amount"]) == (7, 3)
    assert first.fields["token"] != "tok_live_4242424242"
    assert second.error_name == "KeyError"
    assert "timestamp" not in first.fields
    assert (third.level, third.logger) == ("critical", "structlog")
    assert (third.error_stack or "").endswith("ValueError: v")
    assert rendered[0]["order"] == 7
    assert rendered[0]["event"] == "paid"


def test_loguru(kept: list[LogEntry]) -> None:
    """Message, its own levels, what is bound, exceptions, the moment of the call."""
    number = loguru.logger.add(LoguruSink(), format="{message}", level=0)
    try:
        log = loguru.logger.bind(order=7, logger="billing")
        log.success("paid {}", 3)
        log.trace("deep")
        try:
            raise KeyError("k")
        except KeyError:
            loguru.logger.exception("failed")
    finally:
        loguru.logger.remove(number)
    first, second, third = kept
    assert (first.logger, first.level, first.message) == ("billing", "info", "paid 3")
    assert first.fields == {"order": 7}
    assert second.level == "debug"
    assert (third.level, third.error_name) == ("error", "KeyError")
    assert third.logger.endswith("test_inward")


def test_warnings(kept: list[LogEntry], capsys: pytest.CaptureFixture[str]) -> None:
    """They become entries and are shown as before; removed, they are only shown."""
    shown: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *rest: shown.append(str(message))
        remove = capture_warnings()
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        remove()
        warnings.warn("older", DeprecationWarning, stacklevel=1)
    (entry,) = kept
    assert (entry.logger, entry.level, entry.message) == ("py.warnings", "warning", "old")
    assert entry.fields["category"] == "DeprecationWarning"
    assert shown == ["old", "older"]


def test_many_threads(handler: ReplayStackHandler, kept: list[LogEntry]) -> None:
    """Each thread's records are taken over, all of them."""
    log = logging.getLogger("threads")

    def run(thread: int) -> None:
        for number in range(50):
            log.info("n", extra={"who": [thread, number]})

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.fields["who"] for entry in kept) == [[t, n] for t in range(8) for n in range(50)]
