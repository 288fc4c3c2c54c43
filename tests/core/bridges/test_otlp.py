"""What a collector gets is OTLP as its makers define it; what it does not get is counted."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from tests.core.bridges.collector import Collector
from tests.core.domains.writing import entry

from replaystack import ConfigError
from replaystack.logs import LogEntry
from replaystack.logs.bridges import OtlpSink
from replaystack.logs.bridges.otlp import _SEVERITIES
from replaystack.logs.sinks import add_sink, emit_to_sinks, local_sinks

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
TRACE = "5b8efff798038103d269b633813fc60c"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Run a collector."""
    with Collector() as running:
        yield running


@pytest.fixture
def sink(collector: Collector) -> Iterator[OtlpSink]:
    """Return a sink that sends there; it is closed at the end."""
    made = OtlpSink(collector.endpoint, service_name="shop", resource={"deployment.environment.name": "ci"})
    yield made
    collector.hold.set()
    made.close()


def balanced(sink: OtlpSink) -> bool:
    """Tell whether the account adds up."""
    stats = sink.stats()
    return stats.taken == (stats.delivered + stats.queued + stats.in_flight + stats.rejected + stats.dropped)


def test_an_entry_as_otlp_defines_it(collector: Collector, sink: OtlpSink) -> None:
    """Resource, scope, time, severity, body, attributes of every kind, trace id."""
    values: dict[str, Any] = {
        "text": "é", "yes": True, "count": 5, "huge": 2**70, "ratio": 0.5, "none": None,
        "list": [1, "a", None], "nested": {"deep": {"er": [1]}},
    }  # fmt: skip
    sink.emit(
        LogEntry(
            "0189-id", 1700000000.123456, "error", "rate is gone", "pricing",
            fields=values, tags=("a", "b"), error_name="KeyError", error_stack="Traceback ...\nKeyError: 'x'",
            user_id="u-7", request_id=TRACE, correlation_id="c-1", flow_id="checkout-12345678", step_index=0,
        )
    )  # fmt: skip
    sink.emit(entry("second", logger="other", request_id="not hex"))
    assert sink.flush()
    ((path, headers, request),) = collector.requests
    assert (path, headers["content-type"]) == ("/v1/logs", "application/json")
    (resource,) = request.resource_logs
    assert {item.key: item.value.string_value for item in resource.resource.attributes} == {
        "service.name": "shop",
        "deployment.environment.name": "ci",
    }
    first, second = resource.scope_logs
    assert (first.scope.name, second.scope.name) == ("pricing", "other")
    (record,) = first.log_records
    assert abs(record.time_unix_nano - 1700000000123456000) < 1000
    assert (record.severity_number, record.severity_text) == (SeverityNumber.SEVERITY_NUMBER_ERROR, "ERROR")
    assert record.body.string_value == "rate is gone"
    assert record.trace_id.hex() == TRACE
    attributes = {item.key: json_format.MessageToDict(item.value) for item in record.attributes}
    assert attributes["text"] == {"stringValue": "é"}
    assert attributes["yes"] == {"boolValue": True}
    assert attributes["count"] == {"intValue": "5"}
    assert attributes["huge"] == {"stringValue": str(2**70)}
    assert attributes["ratio"] == {"doubleValue": 0.5}
    assert attributes["none"] == {}
    assert attributes["list"] == {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}, {}]}}
    (deep,) = attributes["nested"]["kvlistValue"]["values"]
    assert deep["key"] == "deep"
    assert attributes["exception.type"] == {"stringValue": "KeyError"}
    assert attributes["exception.stacktrace"]["stringValue"].endswith("KeyError: 'x'")
    assert attributes["user.id"] == {"stringValue": "u-7"}
    assert attributes["flow_id"] == {"stringValue": "checkout-12345678"}
    assert attributes["step_index"] == {"intValue": "0"}
    assert second.log_records[0].trace_id == b""
    assert sink.stats().delivered == 2


def test_the_severities_are_those_of_the_definition() -> None:
    """Each of our levels has the number that OpenTelemetry gives to its text."""
    for number, text in _SEVERITIES.values():
        assert SeverityNumber.Value(f"SEVERITY_NUMBER_{text}") == number


@pytest.mark.checklist("P8")
def test_personal_data_goes_only_where_it_may(collector: Collector, sink: OtlpSink) -> None:
    """A collector is a third party: PII entries go there only with `accepts_pii`."""
    private = OtlpSink(collector.endpoint, accepts_pii=True)
    removals = [add_sink(sink), add_sink(private)]

    def fail(error: BaseException, where: object) -> None:
        raise error

    try:
        emit_to_sinks(local_sinks(), entry("jane", is_pii=True), fail)
    finally:
        for remove in removals:
            remove()
    assert sink.flush()
    assert private.close()
    assert (sink.stats().taken, private.stats().delivered) == (0, 1)


def test_secrets_do_not_leave_here_either(collector: Collector, sink: OtlpSink) -> None:
    """What was not masked before is masked on this road, too: by name and by shape."""
    sink.emit(
        entry(
            "Authorization: Bearer abcdefghijklmnopqrstuvwxyz",
            fields={"password": "hunter2", "n": {"card": "4111 1111 1111 1111"}},
            error_stack="raise X('postgres://u:pw12345@db/x')",
        )
    )
    assert sink.flush()
    text = str(collector.requests[0][2])
    for secret in ("abcdefghijklmnop", "hunter2", "4111 1111", "pw12345"):
        assert secret not in text


def test_batches(collector: Collector) -> None:
    """No request has more than `batch`, and all arrive in order."""
    sink = OtlpSink(collector.endpoint, batch=10, max_queue=1000)
    for number in range(95):
        sink.emit(entry(str(number)))
    assert sink.close(30)
    assert collector.bodies() == [str(number) for number in range(95)]
    sizes = [len(request.resource_logs[0].scope_logs[0].log_records) for _, _, request in collector.requests]
    assert max(sizes) <= 10


def test_what_can_be_tried_again_is(collector: Collector, sink: OtlpSink) -> None:
    """503 and 429 are tried again; the entries arrive once in what was accepted."""
    collector.replies += [(503, {}, {}), (429, {"Retry-After": "0"}, {})]
    sink.emit(entry("x"))
    assert sink.flush(30)
    assert len(collector.requests) == 3
    assert (sink.stats().delivered, sink.stats().dropped) == (1, 0)


def test_refusals_are_counted(collector: Collector, sink: OtlpSink, caplog: pytest.LogCaptureFixture) -> None:
    """A 400 is not tried again; a partial success says how many."""
    collector.replies += [
        (400, {}, {"message": "no"}),
        (200, {}, {"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "too old"}}),
    ]
    sink.emit(entry("a"))
    assert sink.flush()
    for _ in range(3):
        sink.emit(entry("b"))
    assert sink.flush()
    stats = sink.stats()
    assert (stats.rejected, stats.delivered) == (3, 1)
    assert balanced(sink)
    assert "HTTP 400" in caplog.text


def test_a_full_queue_gives_up_the_oldest(collector: Collector) -> None:
    """While a collector hangs, memory is bounded and what was lost is counted; `emit` does not wait."""
    collector.hold.clear()
    sink = OtlpSink(collector.endpoint, batch=1, max_queue=5)
    sink.emit(entry("first"))
    collector.wait_for(1)
    for number in range(20):
        sink.emit(entry(str(number)))
        assert balanced(sink)
    assert (sink.stats().queued, sink.stats().dropped, sink.stats().in_flight) == (5, 15, 1)
    collector.hold.set()
    assert sink.close(30)
    assert collector.bodies() == ["first", "15", "16", "17", "18", "19"]
    sink.emit(entry("late"))
    assert sink.stats().dropped == 16


def test_nobody_there(caplog: pytest.LogCaptureFixture) -> None:
    """A collector that is gone costs its entries, one message, and nothing else."""
    sink = OtlpSink("http://127.0.0.1:9", timeout_seconds=1)
    sink.emit(entry("x"))
    sink.close(0.5)
    assert sink.flush(30)
    assert sink.stats().dropped == 1
    assert balanced(sink)
    assert "cannot be reached" in caplog.text


def test_its_own_lines_do_not_feed_it(collector: Collector, sink: OtlpSink) -> None:
    """What is logged while it sends (by urllib3, say) and comes back to it is left out."""

    class Echo(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sink.emit(entry(record.getMessage()))

    echo, noisy = Echo(), logging.getLogger("urllib3")
    before = noisy.level
    noisy.addHandler(echo)
    noisy.setLevel(logging.DEBUG)
    try:
        sink.emit(entry("x"))
        assert sink.flush()
    finally:
        noisy.removeHandler(echo)
        noisy.setLevel(before)
    assert collector.bodies() == ["x"]
    assert sink.stats().taken == 1


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://x", "http://"])
def test_an_endpoint_that_cannot_work(endpoint: str) -> None:
    """It is refused where it is configured."""
    with pytest.raises(ConfigError, match="endpoint"):
        OtlpSink(endpoint)


@pytest.mark.parametrize(("given", "url"), [("http://c:4318/", "/v1/logs"), ("http://c/v1/logs", "/v1/logs")])
def test_the_path_is_added_once(given: str, url: str) -> None:
    """Base address or whole address: both mean the same."""
    assert OtlpSink(given).url.endswith(url)
    assert OtlpSink(given).url.count("/v1/logs") == 1


@pytest.mark.checklist("O13")
def test_the_exit_sends_what_is_queued(collector: Collector) -> None:
    """A program that just ends loses nothing; a forked child sends its own and not its parent's."""
    script = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.core.domains.writing import entry
from replaystack.logs.bridges import OtlpSink
sink = OtlpSink({collector.endpoint!r}, interval_seconds=60)
sink.emit(entry("parent"))
child = os.fork()
if child == 0:
    sink.emit(entry("child"))
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60, env={**os.environ})
    assert sorted(collector.bodies()) == ["child", "parent"]
