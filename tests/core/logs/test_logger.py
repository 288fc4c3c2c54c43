"""Promises of the logger (API.md section 6): what is said, how it is kept, and that it hurts nobody."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from typing import Any

import pytest

import replaystack
from replaystack import ReplayStackClient, get_logger
from replaystack.logs import LogEntry, LogOptions, add_sink
from replaystack.logs.behind import RESERVED


class Kept:
    """A sink that keeps what it got."""

    accepts_pii = True

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        add_sink(self)

    def emit(self, entry: LogEntry) -> None:
        self.entries.append(entry)

    @property
    def last(self) -> LogEntry:
        return self.entries[-1]


class Hostile:
    """An object whose every method that a careless formatter calls raises."""

    def __str__(self) -> str:
        raise RuntimeError("str")

    __repr__ = __bool__ = __len__ = __iter__ = __str__


@pytest.fixture
def kept() -> Kept:
    """Return a sink that hears everything."""
    return Kept()


def test_the_verbs_say_their_level_and_can_be_chained(kept: Kept) -> None:
    """Each verb has its level, `warn` is `warning`, and each returns the logger."""
    log = get_logger("levels")
    log.debug("m").info("m").warning("m").warn("m").error("m").critical("m").exception("m")
    assert [entry.level for entry in kept.entries] == [
        "debug", "info", "warning", "warning", "error", "critical", "error",
    ]  # fmt: skip
    assert {entry.logger for entry in kept.entries} == {"levels"}


def test_fields_come_by_name_as_data_and_as_extra(kept: Kept) -> None:
    """Fields by name win over `data`, and that over `extra`; `data` may come by name too."""
    log = get_logger("fields")
    log.info("m", {"a": 1, "b": 1, "c": 1}, extra={"a": 0, "d": 0}, b=2)
    assert kept.last.fields == {"a": 1, "d": 0, "b": 2, "c": 1}
    log.info("m", data={"a": 1}, options={"tags": ["x"]})
    assert kept.last.fields == {"a": 1}
    assert list(kept.last.tags) == ["x"]
    log.info("m", {"a": 1}, LogOptions(tags=["x", "y"]))
    assert list(kept.last.tags) == ["x", "y"]
    log.info("m", tags="abc")
    assert list(kept.last.tags) == ["abc"]


def test_what_was_said_stays_said(kept: Kept) -> None:
    """Data is snapshotted at the call: what changes later changes nothing."""
    data: dict[str, Any] = {"n": 1, "deep": {"list": [1]}}
    get_logger("snapshot").info("m", data)
    data["n"] = 2
    data["deep"]["list"].append(2)
    assert kept.last.fields == {"n": 1, "deep": {"list": [1]}}


def test_secrets_are_masked_at_the_call(kept: Kept) -> None:
    """Message, fields by key and by value, tags, traceback: no sink ever sees a secret."""
    log = get_logger("masked")
    secret = "sk_live_" + "a1B2" * 8
    try:
        raise ValueError(f"api_key={secret}")
    except ValueError as error:
        log.error(
            f"password={secret}", error, tags=[f"token={secret}"], password="x", note=f"Bearer {secret}",
            deep={"list": [{"authorization": secret}]},
        )  # fmt: skip
    entry = kept.last
    assert secret not in repr(entry)
    assert entry.fields["password"] == "[MASKED]"
    assert entry.error_name == "ValueError"


def test_the_short_way_and_the_long_way_mask_alike(kept: Kept) -> None:
    """A name that is met again takes the short way, and its value is masked all the same."""
    log = get_logger("twice")
    card = "4111 1111 1111 1111"
    for _ in range(3):
        log.info(
            "m", note=card, number=4111111111111111, small=7, password="hunter22", nothing=None, big=1e300
        )
        fields = kept.last.fields
        assert fields["note"] == fields["number"] == fields["password"] == "[MASKED]"
        assert (fields["small"], fields["nothing"], fields["big"]) == (7, None, 1e300)


def test_an_exception_is_taken_apart(kept: Kept) -> None:
    """`error(message, exc)` takes name, traceback and text; `exc_info` takes name and traceback."""
    log = get_logger("errors")
    error = ValueError("v")
    log.error("m", error)
    assert kept.last.error_name == "ValueError"
    assert (kept.last.error_stack or "").endswith("ValueError: v")
    assert kept.last.fields == {"message": "v"}
    try:
        raise KeyError("k")
    except KeyError:
        log.exception("m")
        log.warning("m", exc_info=True)
    for entry in kept.entries[-2:]:
        assert entry.error_name == "KeyError"
        assert "test_an_exception_is_taken_apart" in (entry.error_stack or "")
        assert not entry.fields
    log.error("m", KeyboardInterrupt())
    assert kept.last.error_name == "KeyboardInterrupt"


@pytest.mark.checklist("P6", "O11")
def test_nothing_that_is_passed_makes_a_call_raise(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Odd values, odd names, odd messages: each call returns, and each entry is plain JSON."""
    monkeypatch.setattr("replaystack.diagnostics._strict", False)
    log = get_logger("odd")
    circle: dict[str, Any] = {}
    circle["self"] = circle
    odd: list[Any] = [
        Hostile(), dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc), b"\xff", circle, object(), float("nan"),
        10**5000, {1, 2}, "\ud800",
        lambda: None, [[["deep"] * 5] * 5], {Hostile(): 1}, None, "",
    ]  # fmt: skip
    calls = 0
    for value in odd:
        log.info("m", value=value)
        log.info(value)
        log.info("m", value)
        log.info("m", {"v": value}, value, tags=value, extra=value, exc_info=value)
        log.info("m", is_pii=value)
        log.info("100 % sure", value)
        log.info("%s", value)
        calls += 7
    names = dict.fromkeys(
        (*RESERVED, "level", "content", "timestamp", "logger", "name", "message", "self"), 1
    )
    log.info("m", **names)
    log.info()
    log.info("m", 1, 2, 3, 4)
    assert len(kept.entries) >= calls - len(odd)  # what could not be read is reported, and not silently wrong
    for entry in kept.entries:
        json.dumps([entry.message, dict(entry.fields), entry.tags], allow_nan=False)


def test_percent_arguments_are_understood(kept: Kept) -> None:
    """The standard library's way of passing arguments works, without running code of theirs."""
    log = get_logger("percent")
    log.info("user %s took %d ms (%.1f)", "bob", 3, 2.55)
    assert kept.last.message == "user bob took 3 ms (2.5)"
    log.info("%s", Hostile())
    assert "Hostile" in kept.last.message
    log.info("%d", "no number")
    assert (kept.last.message, kept.last.fields) == ("%d", {"args": ["no number"]})


def test_a_bound_logger_says_its_fields_each_time(kept: Kept) -> None:
    """`bind` gives a new logger; a call's own fields win; the first logger is as it was."""
    log = get_logger("bound")
    bound = log.bind(order=1, shop="a", tags=["t"]).bind(order=2)
    bound.info("m", shop="b", tags=("u",))
    assert kept.last.fields == {"order": 2, "shop": "b"}
    assert kept.last.tags == ("t", "u")
    log.info("m")
    assert not kept.last.fields
    log.bind(is_pii=True).info("m")
    assert kept.last.is_pii


@pytest.mark.checklist("P9")
@pytest.mark.parametrize("spelling", ["pii", "PII", "ispii", "isPii", "isPII"])
def test_a_misspelt_pii_flag_protects_all_the_same(
    kept: Kept, spelling: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A misspelt flag counts as the right one, with one warning; under the pytest plugin it raises."""
    log = get_logger("misspelt")
    with pytest.raises(TypeError, match=spelling):
        log.info("m", **{spelling: True})
    monkeypatch.setattr("replaystack.diagnostics._strict", False)
    log.info("m", phone="+123", **{spelling: True})
    assert kept.last.is_pii
    assert kept.last.fields == {"phone": "+123"}
    assert "misspelt" in caplog.text


def test_caplog_sees_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """The logger behind has the record: masked, with fields, at the caller's place."""
    caplog.set_level("INFO", logger="shop")
    try:
        raise ValueError("password=hunter22hunter")
    except ValueError:
        get_logger("shop").error("m", exc_info=True, order=7, args="x", password="hunter22")
    (record,) = caplog.records
    assert (record.name, record.levelname, record.getMessage()) == ("shop", "ERROR", "m")
    extra = vars(record)
    assert (extra["order"], extra["field_args"], extra["password"]) == (7, "x", "[MASKED]")
    assert record.filename == "test_logger.py"
    assert record.funcName == "test_caplog_sees_what_is_said"
    assert "ValueError" in caplog.text
    assert "hunter22" not in caplog.text
    assert isinstance(extra["replaystack_entry"], LogEntry)


def test_the_level_and_handlers_are_those_of_the_logger_behind(kept: Kept) -> None:
    """`setLevel` and `addHandler` go to the standard library's logger; below the level nothing is said."""
    log = get_logger("quiet").setLevel("warn")
    records: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Keeping()
    log.addHandler(handler)
    try:
        log.info("m").debug("m").warning("w")
    finally:
        log.removeHandler(handler)
        log.setLevel(0)
    assert logging.getLogger("quiet").level == 0
    assert [entry.message for entry in kept.entries] == ["w"]
    assert [record.getMessage() for record in records] == ["w"]
    with pytest.raises(ValueError, match="loud"):
        log.setLevel("loud")


@pytest.mark.checklist("A3")
def test_what_is_not_said_is_not_formatted(kept: Kept) -> None:
    """Below the level, neither message nor arguments are looked at."""

    class Counting:
        calls = 0

        def __str__(self) -> str:
            Counting.calls += 1
            return "x"

    log = get_logger("lazy").setLevel("ERROR")
    log.info("%s", Counting()).info("m", value=Counting())
    log.setLevel(0)
    assert Counting.calls == 0
    assert kept.entries == []


@pytest.mark.checklist("P8")
def test_personal_data_reaches_no_handler_that_did_not_ask(caplog: pytest.LogCaptureFixture) -> None:
    """A PII entry goes to no handler of the standard library, unless the handler says that it may."""
    caplog.set_level("DEBUG")
    heard: list[str] = []

    class Trusted(logging.Handler):
        accepts_pii = True

        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    log = get_logger("personal").addHandler(trusted := Trusted())
    log.info("born 1970", is_pii=True).info("[redacted]")
    log.removeHandler(trusted)
    assert [record.getMessage() for record in caplog.records] == ["[redacted]"]
    assert heard == ["born 1970", "[redacted]"]


def test_a_sink_that_logs_does_not_hear_itself() -> None:
    """What a sink says by a logger of ours goes to no sink: nothing feeds itself."""
    log = get_logger("echo")
    heard: list[str] = []

    class Echo:
        accepts_pii = False

        def emit(self, entry: LogEntry) -> None:
            heard.append(entry.message)
            log.info("echo", of=entry.message)

    add_sink(Echo())
    log.info("m")
    assert heard == ["m"]


def test_a_long_message_is_cut_visibly(kept: Kept) -> None:
    """10 000 characters stay whole, one more is cut and says so; a long traceback keeps its end."""
    log = get_logger("long")
    log.info("x" * 10_000)
    assert kept.last.message == "x" * 10_000
    log.info("x" * 10_001)
    assert len(kept.last.message) <= 10_000
    assert kept.last.message.endswith(" characters]")
    log.info("y" * 3_000_000)
    assert len(kept.last.message) <= 10_000
    assert kept.last.message.endswith(" characters]")


def test_ids_are_unique_over_threads(kept: Kept) -> None:
    """No two entries share an id, whoever logs."""
    log = get_logger("ids")
    threads = [threading.Thread(target=lambda: [log.info("m") for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({entry.id for entry in kept.entries}) == 2000


def test_the_default_client_serves_module_level_loggers() -> None:
    """`get_logger` opens nothing and goes to the default client; without one, to local sinks alone."""
    kept = Kept()
    log = get_logger("module")
    assert get_logger("module") is log
    log.info("before")
    with (
        ReplayStackClient(api_key="k", transport=Nowhere()) as first,
        ReplayStackClient(api_key="k", transport=Nowhere()) as second,
    ):
        log.info("to the first")
        replaystack.set_default_client(second)
        log.info("to the second").info("too")
        counts = [(client.stats().logs or client.stats()).captured for client in (first, second)]
    assert counts == [1, 2]
    assert len(kept.entries) == 4


class Nowhere:
    """A user's transport that takes everything."""

    status_code = 201
    headers: dict[str, str] | None = None

    def json(self) -> Any:
        return {"success": True}

    def post(self, url: str, *, json: Any, headers: Any, timeout: float) -> Nowhere:
        return self
