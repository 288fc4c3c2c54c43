"""Any handler of the standard library is a sink: its level, formatter and filters work as ever."""

from __future__ import annotations

import io
import logging
import logging.handlers
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from tests.core.domains.writing import entry

from replaystack.logs.bridges import HandlerSink
from replaystack.logs.entry import NO_FIELDS
from replaystack.logs.sinks import add_sink, emit_to_sinks, local_sinks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack.logs import LogEntry


def log(each: LogEntry) -> None:
    """Hand an entry to the sinks as a logger does."""

    def fail(error: BaseException, sink: object) -> None:
        raise error

    emit_to_sinks(local_sinks(), each, fail)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Return what a handler at INFO with a formatter wrote."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(name)s|%(levelname)s|%(message)s|%(order)s"))
    handler.setLevel(logging.INFO)
    remove = add_sink(HandlerSink(handler))
    yield handler.stream
    remove()


def test_a_record_has_all_of_an_entry(stream: io.StringIO) -> None:
    """Name, level, message, fields as attributes, and the traceback as text."""
    log(entry("paid", logger="billing", fields={"order": 7}))
    log(entry("no", level="debug"))
    log(entry("bad", level="error", fields={"order": 8}, error_stack="Traceback\n  x\nValueError: v"))
    assert stream.getvalue() == ("billing|INFO|paid|7\nagents|ERROR|bad|8\nTraceback\n  x\nValueError: v\n")


@pytest.mark.checklist("O11")
def test_reserved_names_do_no_harm(stream: io.StringIO) -> None:
    """A field called like a part of a record is renamed, and the record is whole."""
    records: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Keeping()
    remove = add_sink(HandlerSink(handler))
    fields: dict[str, Any] = dict.fromkeys(vars(logging.makeLogRecord({})), "x")
    log(entry("whole 100%", fields={**fields, "message": "x", "order": 1}))
    remove()
    (record,) = records
    assert (record.getMessage(), record.levelno) == ("whole 100%", logging.INFO)
    assert record.__dict__["field_name"] == "x"
    assert record.__dict__["field_message"] == "x"


@pytest.mark.checklist("P8")
def test_personal_data_only_if_told(stream: io.StringIO) -> None:
    """A handler is a third party, too."""
    log(entry("jane", is_pii=True, fields={"order": 1}))
    assert stream.getvalue() == ""
    handler = logging.StreamHandler(io.StringIO())
    remove = add_sink(HandlerSink(handler, accepts_pii=True))
    log(entry("jane", is_pii=True))
    remove()
    assert handler.stream.getvalue() == "jane\n"


def test_a_socket_handler_sends_it() -> None:
    """What leaves by pickle can be pickled."""
    made: list[bytes] = []

    class Wire(logging.handlers.SocketHandler):
        def send(self, s: Any) -> None:
            made.append(bytes(s))

    handler = Wire("127.0.0.1", 9)
    remove = add_sink(HandlerSink(handler))
    log(entry("x", fields={"order": 1, "n": {"a": [1]}}))
    log(entry("without fields", fields=NO_FIELDS))
    remove()
    records = [pickle.loads(data[4:]) for data in made]
    assert [record["msg"] for record in records] == ["x", "without fields"]
    assert records[0]["order"] == 1
