"""Every code block of the OCapistaine seed runs as it stands, over our loggers, and does its work."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import time
import uuid
from contextvars import copy_context
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import fastapi
import httpx
import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from replaystack import configure_domains, get_logger, log_with_correlation, set_correlation_id

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCKS = Path(__file__).with_name("ocapistaine")
SEED = Path(__file__).resolve().parents[4] / "shared/seeds/ocapistaine-logging-integration.txt"
NAMES = sorted(path.stem for path in BLOCKS.iterdir())


def block(name: str) -> str:
    """Return a block of the seed."""
    return (BLOCKS / f"{name}.txt").read_text(encoding="utf-8")


def run(name: str, **given: Any) -> dict[str, Any]:
    """Run a block in a namespace of its own and return that."""
    namespace: dict[str, Any] = {"__name__": "seed", **given}
    exec(compile(block(name), name, "exec"), namespace)
    return namespace


@pytest.fixture(autouse=True)
def application(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put our `get_logger` where the seed's application has its own."""
    modules: dict[str, dict[str, Any]] = {
        "app": {},
        "app.providers": {},
        "app.providers.logging": {"get_logger": get_logger},
        "app.agents": {},
        "app.agents.tracing": {},
        "app.agents.tracing.opik": {"OpikTracer": SimpleNamespace(track=lambda function: function)},
    }
    for name, content in modules.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    yield
    set_correlation_id(None)


@pytest.fixture
def records(tmp_path: Path) -> Any:
    """Configure domain files in JSON and return a reader of one domain's records."""
    configure_domains(tmp_path / "logs", console=False, format="json")

    def read(domain: str) -> list[dict[str, Any]]:
        lines = (tmp_path / "logs" / f"{domain}.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    return read


def said(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return levels and messages."""
    return [(record["level"], record["message"]) for record in found]


class Agent:
    """What the seed calls an agent: it validates, unless it is told to fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def execute_feature(self, feature: str, *, contribution: str) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        return {"valid": bool(contribution), "reason": feature}


def test_the_blocks_are_those_of_the_seed() -> None:
    """Letter for letter, but for the blanks at the beginning of lines, which the seed has lost."""
    if not SEED.exists():
        pytest.skip("the seed does not lie beside this checkout")
    text = "\n".join(SEED.read_text(encoding="utf-8").splitlines())
    for name in NAMES:
        assert re.sub(r"^ +", "", block(name).rstrip("\n"), flags=re.MULTILINE) in text, name


def test_every_block_is_run_here() -> None:
    """None of them is only stored."""
    source = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in NAMES if source.count(f'"{name}"') == 0] == []


@pytest.mark.checklist("O1", "O12")
def test_domain_loggers(records: Any, caplog: pytest.LogCaptureFixture) -> None:
    """One logger for each subsystem, the same each time; a line is written once, and caplog sees it."""
    caplog.set_level(logging.INFO)
    namespace = run("01_domain_loggers", get_logger=get_logger, logging=logging)
    for domain in ("agents", "services", "scheduler", "providers", "mockup"):
        namespace[f"logger_{domain}"].info("hello", n=1)
        get_logger(domain).info("again")
        assert said(records(domain)) == [("INFO", "hello"), ("INFO", "again")]
    assert caplog.text.count("hello") == 5


def test_what_the_seeds_class_does_ours_does_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The printed class loses context and traceback; ours has both in the file."""
    monkeypatch.chdir(tmp_path)
    namespace = run("02_domain_logger_class")
    theirs = namespace["get_logger"]("theirs")
    theirs.error("failed", order=7, exc_info=True)
    for handler in list(theirs.logger.handlers):
        theirs.logger.removeHandler(handler)
        handler.close()
    assert "order" not in (tmp_path / "logs" / "theirs.log").read_text()
    configure_domains("logs", console=False)
    try:
        raise ValueError("v")
    except ValueError:
        get_logger("ours").error("failed", order=7, exc_info=True)
    text = (tmp_path / "logs" / "ours.log").read_text()
    assert re.match(r"\S+ \S+ - ours - ERROR - failed order=7\n    Traceback", text)
    assert text.endswith("    ValueError: v\n")


@pytest.mark.checklist("O2")
def test_context_and_json(records: Any) -> None:
    """`extra` becomes the context of a line that has the seed's shape."""
    logger = get_logger("agents")
    run("03_context", logger=logger, contrib_id="abc-123")
    first, second = records("agents")
    expected = json.loads(block("04_json_format"))
    assert {**first, "timestamp": ""} == {**expected, "timestamp": ""}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["timestamp"])
    assert second["message"] == "Contribution abc-123 validated"


@pytest.mark.checklist("O5", "O6")
def test_correlation(records: Any) -> None:
    """The seed's helpers over our loggers, then ours: explicit wins; one id for a context, not for a call."""
    theirs = run("05_correlation")
    theirs["set_correlation_id"]("c-7")
    theirs["log_with_correlation"](get_logger("services"), "info", "theirs", a=1)

    def ours() -> None:
        log_with_correlation(get_logger("services"), "info", "first", a=1)
        log_with_correlation(get_logger("services"), "info", "second")
        log_with_correlation(get_logger("services"), "info", "third", correlation_id="mine")

    copy_context().run(ours)
    first, *rest = records("services")
    assert (first["correlation_id"], first["context"]) == ("c-7", {"a": 1})
    ids = [record["correlation_id"] for record in rest]
    assert ids[0] == ids[1]
    assert uuid.UUID(ids[0])
    assert ids[2] == "mine"


@pytest.mark.checklist("O4", "O6")
def test_correlation_in_an_endpoint(records: Any) -> None:
    """Both lines of a request carry its id, and no other request's."""
    app = fastapi.FastAPI()
    run(
        "06_correlation_usage",
        app=app,
        uuid=uuid,
        logger=get_logger("presentation"),
        set_correlation_id=set_correlation_id,
        forseti=Agent(),
    )

    async def main() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answers = await asyncio.gather(
                *(client.get("/api/contribute", params={"contribution": str(n)}) for n in range(5))
            )
        assert all(answer.json()["valid"] for answer in answers)

    asyncio.run(main())
    by_id: dict[str, list[str]] = {}
    for record in records("presentation"):
        by_id.setdefault(record["correlation_id"], []).append(record["message"])
    assert list(by_id.values()) == [["Request received", "Validation complete"]] * 5


@pytest.mark.checklist("O3", "O9")
def test_a_task(records: Any) -> None:
    """Started and completed, or failed with its traceback and raised again."""
    error = LookupError("step 2")

    async def step1() -> list[int]:
        return [1, 2]

    async def step2(rows: list[int]) -> list[int]:
        if len(steps) > 1:
            raise error
        steps.append(1)
        return rows

    steps = [0]
    task = run("07_task", step1=step1, step2=step2)["task_example"]
    assert asyncio.run(task("t", "2026-01-01")) == {"status": "success", "result": [1, 2]}
    with pytest.raises(LookupError) as caught:
        asyncio.run(task("t", "2026-01-01"))
    assert caught.value is error
    found = records("scheduler")
    assert said(found) == [
        ("INFO", "Task started"),
        ("DEBUG", "Processing step 1"),
        ("DEBUG", "Processing step 2"),
        ("INFO", "Task completed"),
        ("INFO", "Task started"),
        ("DEBUG", "Processing step 1"),
        ("DEBUG", "Processing step 2"),
        ("ERROR", "Task failed"),
    ]
    assert found[3]["context"]["result_count"] == 2
    assert found[3]["context"]["duration_ms"] >= 0
    assert "exc_info" not in found[7]["context"]
    assert found[7]["error_stack"].endswith("LookupError: step 2")
    assert said(records("errors")) == [("ERROR", "Task failed")]


def test_a_scheduler(records: Any) -> None:
    """Its life, as the seed tells it by hand."""

    async def task_audierne_docs() -> None:
        """Do nothing."""

    namespace = run(
        "08_scheduler",
        get_logger=get_logger,
        AsyncIOScheduler=AsyncIOScheduler,
        CronTrigger=CronTrigger,
        task_audierne_docs=task_audierne_docs,
    )

    async def main() -> None:
        scheduler = await namespace["start_scheduler"]()
        await namespace["stop_scheduler"](scheduler)

    asyncio.run(main())
    assert [message for _, message in said(records("scheduler"))] == [
        "Scheduler initialization",
        "Registering jobs",
        "Job registered",
        "Scheduler started",
        "Scheduler shutdown requested",
        "Waiting for 1 jobs to complete",
        "Scheduler stopped",
    ]


@pytest.mark.checklist("O7")
def test_rotation_and_cleanup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our defaults are the numbers of the seed's handler and of its crontab."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    handler = run("09_rotation")["handler"]
    handler.close()
    settings = configure_domains("logs", console=False).settings
    assert (settings.max_bytes, settings.backup_count) == (handler.maxBytes, handler.backupCount)
    assert f"-mtime +{settings.retention_days} -delete" in block("10_cleanup")
    assert "gzip" in block("10_cleanup")
    assert settings.compress


def test_a_traced_function(records: Any) -> None:
    """A decorator of another library around it changes nothing; an id that is no text is one in the file."""
    validate = run("11_opik", get_logger=get_logger, uuid=uuid, forseti=Agent())["validate_contribution"]
    assert asyncio.run(validate("text"))["valid"]
    first, second = records("agents")
    assert (first["message"], first["context"]["text_length"]) == ("Validation started", 4)
    assert uuid.UUID(first["context"]["contribution_id"])
    assert first["context"]["contribution_id"] == second["context"]["contribution_id"]


def test_another_handler(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler of another library, added as ever, gets the lines; the file has them as well."""

    class CloudWatchLogHandler(logging.Handler):
        def __init__(self, log_group: str, stream_name: str) -> None:
            super().__init__()
            self.lines: list[str] = []

        def emit(self, record: logging.LogRecord) -> None:
            self.lines.append(f"{record.getMessage()} {record.__dict__['order']}")

    module = ModuleType("watchtower")
    module.__dict__["CloudWatchLogHandler"] = CloudWatchLogHandler
    monkeypatch.setitem(sys.modules, "watchtower", module)
    logger = get_logger("adapters").setLevel("INFO")  # else the root logger's level decides what handlers get
    handler = run("12_cloudwatch", logger=logger)["cloudwatch_handler"]
    try:
        logger.info("forwarded", order=7)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert handler.lines == ["forwarded 7"]
    assert said(records("adapters")) == [("INFO", "forwarded")]


def test_an_agent(records: Any) -> None:
    """Example 1: what it found, or the traceback of what went wrong, which is raised again."""
    forseti = run("13_agent", BaseAgent=Agent, time=time, start=time.time())["Forseti"]
    assert asyncio.run(forseti().validate("text"))["valid"]
    with pytest.raises(TimeoutError):
        asyncio.run(forseti(TimeoutError("slow")).validate("text"))
    found = records("agents")
    assert said(found)[1:] == [
        ("INFO", "Validation complete"),
        ("INFO", "Validation started"),
        ("ERROR", "Validation failed"),
    ]
    assert found[3]["context"] == {"error": "slow"}
    assert "TimeoutError: slow" in found[3]["error_stack"]


def test_a_task_with_documents(records: Any) -> None:
    """Example 2: a line for each document, and the sum of them."""

    async def extract_themes(content: str) -> list[str]:
        return content.split()

    async def create_opik_dataset(doc: Any, themes: list[str]) -> str:
        return f"ds-{len(themes)}"

    task = run(
        "14_task_audierne",
        datetime=datetime,
        get_unprocessed_docs=lambda: [{"file": "a.pdf", "content": "port plage"}],
        extract_themes=extract_themes,
        create_opik_dataset=create_opik_dataset,
    )["task_audierne_docs"]
    asyncio.run(task("2026-01-01"))
    found = records("scheduler")
    assert said(found)[-2:] == [("INFO", "Dataset created"), ("INFO", "Task complete")]
    assert found[-2]["context"] == {"file": "a.pdf", "dataset_id": "ds-2"}
    assert found[-1]["context"]["documents_processed"] == 1


def test_an_endpoint(records: Any) -> None:
    """Example 3: over a real application, answered and failed."""
    app = fastapi.FastAPI()
    forseti = SimpleNamespace(validate=lambda text: Agent(error).execute_feature("v", contribution=text))
    error: Exception | None = None
    run("15_endpoint", app=app, Request=fastapi.Request, uuid=uuid, forseti=forseti)

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post("/api/v1/contributions", json={"text": "port"})

    assert asyncio.run(post()).json()["valid"]
    error = LookupError("no agent")
    assert asyncio.run(post()).status_code == 500
    found = records("presentation")
    assert said(found)[-1] == ("ERROR", "Request failed")
    assert found[-1]["context"]["error"] == "no agent"
    assert found[0]["context"]["endpoint"] == "/api/v1/contributions"


def test_testing(caplog: pytest.LogCaptureFixture) -> None:
    """A mocked logger is a mocked logger, and caplog sees what ours say."""
    run("16_mock_logger")["test_logging"]()
    run("17_capture_logs", logger=get_logger("agents"))["test_with_logs"](caplog)


@pytest.mark.checklist("O11")
def test_reserved_names_in_the_context(records: Any) -> None:
    """A field called like a part of a log record neither raises nor gets lost."""
    names = {
        name: f"v-{name}" for name in vars(logging.makeLogRecord({})) if name not in {"exc_info", "args"}
    }
    get_logger("data").info("all of them", extra=names)
    get_logger("data").info("message", msg="a", name="b", args=[1])
    first, second = records("data")
    assert set(names.values()) <= {*first["context"].values()}
    assert {"a", "b"} <= {value for value in second["context"].values() if isinstance(value, str)}


@pytest.mark.checklist("O12")
def test_no_line_is_printed_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the application's root logger prints already, our console leaves that to it."""
    configure_domains(tmp_path)
    get_logger("services").info("only ours")
    assert capsys.readouterr().err.count("only ours") == 1
    stream = logging.StreamHandler(sys.stderr)
    root = logging.getLogger()
    level = root.level
    root.addHandler(stream)
    root.setLevel(logging.DEBUG)
    try:
        get_logger("services").info("once")
    finally:
        root.removeHandler(stream)
        root.setLevel(level)
    assert capsys.readouterr().err.count("once") == 1
    assert (tmp_path / "services.log").read_text().count("once") == 1


def test_the_moment_is_that_of_the_call(records: Any) -> None:
    """A line's timestamp is in UTC and between before and after."""
    before = datetime.now(timezone.utc).replace(microsecond=0)
    get_logger("services").info("now")
    (record,) = records("services")
    moment = datetime.fromisoformat(record["timestamp"].replace("Z", "+00:00"))
    assert before <= moment <= datetime.now(timezone.utc)
