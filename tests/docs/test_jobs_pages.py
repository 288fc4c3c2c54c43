"""The pages about jobs and domains run as they stand, and name what there is."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.receiver import Receiver

from replaystack import STANDARD_DOMAINS, configure_domains

ROOT = Path(__file__).resolve().parents[2]
JOBS = (ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")
DOMAINS = (ROOT / "docs" / "domains.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", JOBS, flags=re.DOTALL)


def run(script: str, receiver: Receiver, folder: Path) -> None:
    """Run a script to its end; its client speaks to `receiver`."""
    subprocess.run(
        [sys.executable, "-c", script],
        env={"REPLAYSTACK_ENDPOINT": receiver.origin, "REPLAYSTACK_API_KEY": "rs_test"},
        check=True,
        timeout=60,
        cwd=folder,
    )


def test_the_first_blocks_capture_what_they_say(tmp_path: Path) -> None:
    """The context manager, and the decorator on a coroutine."""
    with Receiver() as receiver:
        run(f"{BLOCKS[0]}\n{BLOCKS[1]}\nimport asyncio\nasyncio.run(import_rates('mon'))", receiver, tmp_path)
        report, rates = receiver.events(2)
    assert (report["endpoint"], report["responsePayload"]) == ("nightly-report", {"pages": 14})
    assert report["breadcrumbs"][0]["metadata"] == {"count": 1200}
    assert report["metadata"]["tenant"] == "acme"
    assert (rates["requestPayload"], rates["responsePayload"]) == ({"day": "mon"}, 31)


@pytest.mark.parametrize("number", [2, 3, 4], ids=["apscheduler", "celery", "rq"])
def test_the_other_blocks_run(number: int, tmp_path: Path) -> None:
    """Each instruments a real scheduler, application or worker; none of them needs a service for that."""
    block = BLOCKS[number]
    if number == 4:  # a worker asks its server for its version; what follows `instrument` is not shown
        from tests.integrations.services import redis_url

        block = block.replace("Redis()", f"Redis.from_url({redis_url()!r})")
    with Receiver() as receiver:
        run(block, receiver, tmp_path)


def test_all_messages_of_the_scheduler_are_named() -> None:
    """The page's table has every message that the integration and a run can say."""
    source = "".join(
        (ROOT / "packages/replaystack-core/src/replaystack" / name).read_text(encoding="utf-8")
        for name in ("integrations/apscheduler.py", "jobs/run.py")
    )
    said = set(re.findall(r'_say\(\s*"\w+",\s*"([^"]+)"', source))
    assert len(said) > 8
    assert {message for message in said if f"`{message}`" not in JOBS} == set()


def test_every_argument_of_configure_domains_is_named() -> None:
    """The table has each argument with its default."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", DOMAINS, flags=re.MULTILINE))
    parameters = inspect.signature(configure_domains).parameters
    assert rows.keys() == parameters.keys()
    for name, parameter in parameters.items():
        shown = rows[name].strip().strip("`")
        expected = "10 MiB" if name == "max_bytes" else repr(parameter.default).replace("'", '"')
        assert shown == expected, name
    assert all(domain in DOMAINS for domain in STANDARD_DOMAINS)


def test_the_lines_that_are_shown_are_what_is_written(tmp_path: Path) -> None:
    """Text with its traceback and JSON, as on the page but for the moment."""
    script = """
import sys, time
from replaystack import configure_domains
from replaystack.logs import LogEntry
from replaystack.logs.sinks import emit_to_sinks, local_sinks
stack = 'Traceback (most recent call last):\\n  File "forseti.py", line 12, in validate\\n'
stack += "ValueError: empty contribution"
configure_domains(sys.argv[1], console=False, format=sys.argv[2])
fields = {"contribution_id": "abc-123", "rules_checked": 5}
for entry in (
    LogEntry("1", time.time(), "info", "Contribution validated", "agents", fields=fields),
    LogEntry(
        "2", time.time(), "error", "Validation failed", "agents", correlation_id="9f2c", error_stack=stack
    ),
):
    emit_to_sinks(local_sinks(), entry, lambda error, sink: sys.exit(str(error)))
"""
    for form in ("text", "json"):
        subprocess.run([sys.executable, "-c", script, str(tmp_path / form), form], check=True, timeout=60)
    text = (tmp_path / "text" / "agents.log").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```text\n(2026.*?)```", DOMAINS, flags=re.DOTALL)
    moment = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}", re.MULTILINE)
    assert moment.sub("", text) == moment.sub("", shown)
    (example,) = re.findall(r"```json\n(.*?)\n```", DOMAINS, flags=re.DOTALL)
    line = (tmp_path / "json" / "agents.log").read_text(encoding="utf-8").splitlines()[0]
    assert {**json.loads(line), "timestamp": ""} == {**json.loads(example), "timestamp": ""}
