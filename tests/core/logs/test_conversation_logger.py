"""The PolyAI seed's `conv.log`: its entries to the letter, and its patterns."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.availability import missing
from tests.receiver import Receiver

from replaystack import ReplayStackClient, run_with_replaystack_context
from replaystack.logs import Logger, add_sink, get_logger
from replaystack.testing import captured_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack.testing import CapturedLogs

SEEDS = Path(__file__).resolve().parents[4] / "shared" / "seeds"


class Conversation:
    """What a PolyAI function is handed: `conv.log` and nothing else of it."""

    def __init__(self, log: Logger) -> None:
        self.log = log


@pytest.fixture
def conv() -> Conversation:
    """Return a conversation."""
    return Conversation(get_logger("conversation_logger"))


@pytest.fixture
def said() -> Iterator[CapturedLogs]:
    """Keep what is said."""
    with captured_logs() as captured:
        yield captured


@pytest.mark.checklist("P1")
def test_the_entry_has_the_seeds_shape(conv: Conversation, said: CapturedLogs) -> None:
    """Exactly level, content, is_pii, timestamp, logger and the fields; seconds in UTC with Z."""
    conv.log.info("m", a=1)
    (entry,) = said.flat
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry.pop("timestamp"))
    assert entry == {
        "level": "info",
        "content": "m",
        "is_pii": False,
        "logger": "conversation_logger",
        "a": 1,
    }
    assert list(said.flat[0]) == ["level", "content", "is_pii", "timestamp", "logger", "a"]


@pytest.mark.checklist("P2")
def test_the_levels_are_the_seeds(conv: Conversation, said: CapturedLogs) -> None:
    """Warning is "warning", error is "error"; critical, which the seed has not, is "error" too."""
    conv.log.warning("w").error("e").critical("c").warn("w")
    assert [entry["level"] for entry in said.flat] == ["warning", "error", "error", "warning"]


@pytest.mark.checklist("P3")
@pytest.mark.parametrize(
    ("flag", "is_pii"),
    [(True, True), (False, False), (1, True), (0, False), ("yes", True), (None, False), ([], True)],
)
def test_the_pii_flag_is_a_boolean(
    conv: Conversation, said: CapturedLogs, *, flag: Any, is_pii: bool
) -> None:
    """Whatever is passed, the entry says true or false, once, and never among the fields; in doubt true."""
    conv.log.info("m", is_pii=flag)
    assert said.flat[0]["is_pii"] is is_pii
    assert not said.entries[0].fields


def test_fixed_keys_win(conv: Conversation, said: CapturedLogs) -> None:
    """A field that is called like a fixed key is `field_<name>`; one that is called so too moves on."""
    conv.log.info("m", level="x", content="y", timestamp=1, logger="z", field_level="mine")
    (entry,) = said.flat
    assert (entry["level"], entry["content"], entry["logger"]) == ("info", "m", "conversation_logger")
    assert entry["field_level"] == "mine"
    assert entry["field_field_level"] == "x"
    assert (entry["field_content"], entry["field_timestamp"], entry["field_logger"]) == ("y", 1, "z")


@pytest.mark.checklist("P6")
def test_odd_values_never_raise(conv: Conversation, said: CapturedLogs) -> None:
    """Moments, bytes, cycles, sets and objects are logged as plain JSON."""
    cycle: list[Any] = []
    cycle.append(cycle)
    conv.log.info("m", when=dt.date(2026, 1, 2), raw=b"abc", cycle=cycle, some={1}, thing=object())
    (entry,) = said.flat
    assert (entry["when"], entry["raw"], entry["cycle"]) == ("2026-01-02", "abc", ["[Circular]"])


@pytest.mark.checklist("P7")
def test_timestamps_do_not_go_back_inside_of_an_event() -> None:
    """In an event the entries stand in the order of their calls, with moments that parse as UTC."""
    with Receiver() as receiver, ReplayStackClient(api_key="k", endpoint=receiver.origin) as client:
        conv = Conversation(client.logger("conversation_logger"))
        with run_with_replaystack_context():
            for number in range(20):
                conv.log.info("m", number=number)
            client.capture_event()
        assert client.flush()
        logs = receiver.event()["logs"]
    moments = [dt.datetime.strptime(entry["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z") for entry in logs]
    assert moments == sorted(moments)
    assert [entry["metadata"]["number"] for entry in logs] == list(range(20))
    assert {entry["metadata"]["replaystack"]["logger"] for entry in logs} == {"conversation_logger"}


@pytest.mark.checklist("P8")
def test_the_companion_pattern(conv: Conversation, said: CapturedLogs) -> None:
    """Of a personal entry and its redacted companion, a sink that did not ask gets the companion."""
    heard: list[str] = []

    class Console:
        accepts_pii = False

        def emit(self, entry: Any) -> None:
            heard.append(entry.message)

    add_sink(Console())
    conv.log.warning("User email captured", email="j***@example.com", is_pii=True)
    conv.log.info("User email captured [redacted]")
    assert heard == ["User email captured [redacted]"]
    assert len(said.entries) == 2


def test_every_call_of_the_seed_runs(conv: Conversation, said: CapturedLogs) -> None:
    """Each `conv.log` call that the seed's page shows is one entry with its fields."""
    page = SEEDS / "polyai-conv-log.txt"
    if not page.exists():
        missing("the seeds are not here")
    calls = re.findall(r"^conv\.log\.\w+\(.*?\)$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(calls) >= 7
    for call in calls:
        exec(call, {"conv": conv})
    assert len(said.entries) == len(calls)
    assert said.flat[0] | {"timestamp": ""} == {
        "level": "info", "content": "Validated inputs", "is_pii": False, "timestamp": "",
        "logger": "conversation_logger", "validation_passed": True,
    }  # fmt: skip
    assert sum(entry.is_pii for entry in said.entries) == 2
