"""The drop-in against 1.1.3: recorded behaviour, signatures, names; and the few differences."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.sdk.vector_inputs import Accepting, shared

import replaystack
import replaystack_sdk

ROOT = Path(__file__).parents[2]
RECORDED = json.loads((Path(__file__).parent / "vectors_1_1_3.json").read_text(encoding="utf-8"))

_MASKED_COOKIES = "{'set-cookie': '[MASKED]', 'Set-Cookie': '[MASKED]', 'set_cookie': '[MASKED]'}"
_MASKED_TWICE = repr(
    {
        "first": {"token": "[MASKED]", "id": 1},
        "second": {"token": "[MASKED]", "id": 1},
        "rows": [[1, 2], [1, 2]],
    }
)
DIFFERENCES = {
    # The seed lists set-cookie among the defaults; 1.1.3 had it in a spelling that never matched.
    ("mask_data", "set-cookie"): _MASKED_COOKIES,
    ("mask_sensitive_data", "set-cookie"): _MASKED_COOKIES,
    # API.md section 3: the same object twice is not a cycle.
    ("mask_data", "shared references"): _MASKED_TWICE,
    ("mask_sensitive_data", "shared references"): _MASKED_TWICE,
    ("safe_json_clone", "shared references"): repr(json.loads(json.dumps(shared()))),
}
"""(helper, case) -> what the drop-in answers instead. Each has its line in docs/differences.md."""

HELPER_CASES = [(helper, case) for helper, cases in RECORDED["helpers"].items() for case in cases]


@cache
def recorded_now() -> dict[str, Any]:
    """Record the drop-in as the original was recorded: in a process of its own."""
    return _record({name: value for name, value in os.environ.items() if not name.startswith("REPLAYSTACK_")})


def _record(environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sdk.record_vectors"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    recorded: dict[str, Any] = json.loads(done.stdout)
    return recorded


@pytest.mark.parametrize(("helper", "case"), HELPER_CASES)
def test_helper_answers_as_it_did(helper: str, case: str) -> None:
    """Every helper answers each input of the table as 1.1.3 did, but for the named differences."""
    expected = DIFFERENCES.get((helper, case), RECORDED["helpers"][helper][case])
    assert recorded_now()["helpers"][helper][case] == expected


def test_differences_are_differences() -> None:
    """A named difference that is none any more must be taken off the list."""
    for (helper, case), answer in DIFFERENCES.items():
        assert RECORDED["helpers"][helper][case] != answer


def test_no_recorded_case_was_lost() -> None:
    """The table and the recording hold the same cases, so no case goes unchecked."""
    now = recorded_now()["helpers"]
    assert {helper: list(cases) for helper, cases in now.items()} == {
        helper: list(cases) for helper, cases in RECORDED["helpers"].items()
    }


def test_all_is_complete_and_sorted() -> None:
    """`__all__` is sorted and names all that 1.1.3 named."""
    assert list(replaystack_sdk.__all__) == sorted(replaystack_sdk.__all__)
    assert set(replaystack_sdk.__all__) == set(RECORDED["all"])


@pytest.mark.parametrize("name", sorted(replaystack_sdk.__all__))
def test_every_name_of_all_is_there(name: str) -> None:
    """Nothing in `__all__` is a promise without a thing."""
    assert getattr(replaystack_sdk, name) is not None


@pytest.mark.parametrize("module", sorted(RECORDED["modules"]))
def test_import_paths_work(module: str) -> None:
    """Every public name of every module of 1.1.3 can be imported from where it was."""
    found = importlib.import_module(f"replaystack_sdk.{module}")
    missing = [name for name in RECORDED["modules"][module] if not hasattr(found, name)]
    assert missing == []


@pytest.mark.parametrize("name", sorted(RECORDED["signatures"]))
def test_signatures_are_the_same(name: str) -> None:
    """Names, kinds and defaults of parameters are those of 1.1.3; the client's are options of core's.

    Process guards have one parameter more, and say their default signals: None still means them.
    """
    then, now = RECORDED["signatures"][name], recorded_now()["signatures"][name]
    if name in {"ReplayStack", "ReplayStackClient"}:
        accepted = set(replaystack.config.OPTIONS)
        assert {parameter.split()[1] for parameter in then} <= accepted
    elif name == "install_replaystack_process_guards":
        kept = [parameter for parameter in then if parameter != "KEYWORD_ONLY shutdown_signals = None"]
        assert [parameter for parameter in now if parameter in kept] == kept
        added = {parameter.split()[1] for parameter in now if parameter not in kept}
        assert added == {"thread_exception", "shutdown_signals"}
    else:
        assert now == then


def test_client_offers_what_it_offered() -> None:
    """Each method of 1.1.3's client is there, and each option can be read as an attribute."""
    methods = recorded_now()["client"]["methods"]
    assert set(RECORDED["client"]["methods"]) <= set(methods)
    client = replaystack_sdk.ReplayStackClient(api_key="k", service_name="shop", transport=Accepting())
    values = {name: getattr(client, name) for name in RECORDED["client"]["attributes"]}
    client.close()
    assert values["service_name"] == "shop"
    assert values["ingest_url"] == "https://api.replaystack.co/api/v1/ingest/events"
    assert values["timeout_seconds"] == 2.5


def test_client_options_are_for_reading() -> None:
    """Assigning an option to a running client fails aloud instead of changing nothing."""
    client = replaystack_sdk.ReplayStackClient(api_key="k", transport=Accepting())
    with pytest.raises(AttributeError, match="enabled"):
        client.enabled = False
    with pytest.raises(AttributeError, match="no attribute 'enable'"):
        _ = client.enable
    client.close()


def test_client_is_core_s_client() -> None:
    """Adapters that take core's client take the drop-in's, under both of its names."""
    assert issubclass(replaystack_sdk.ReplayStackClient, replaystack.ReplayStackClient)
    assert replaystack_sdk.ReplayStack is replaystack_sdk.ReplayStackClient
    assert replaystack_sdk.__version__ == replaystack.__version__


def test_sleep_seconds_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sleep_seconds` waits as long as it is told, and never a negative time."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    replaystack_sdk.sleep_seconds(1.5)
    replaystack_sdk.sleep_seconds(-1)
    assert waited == [1.5, 0.0]


def test_breadcrumb_of_a_scope_keeps_nothing_alive() -> None:
    """What is done to a breadcrumb after it was added does not reach the event."""
    metadata: dict[str, Any] = {"rows": [1]}
    breadcrumb = replaystack_sdk.Breadcrumb("m", "t", metadata=metadata)
    with replaystack_sdk.run_with_replaystack_context():
        replaystack_sdk.add_context_breadcrumb(breadcrumb, 5)
        metadata["rows"].append(2)
        breadcrumb.message = "changed"
        assert replaystack_sdk.get_context_breadcrumbs() == [
            {"message": "m", "timestamp": "t", "level": "info", "metadata": {"rows": [1]}}
        ]


async def _in_an_async_job() -> list[dict[str, Any]] | None:
    replaystack_sdk.add_breadcrumb("async")
    return replaystack_sdk.get_context_breadcrumbs()


def test_scope_decorates_coroutines() -> None:
    """As a decorator the scope lasts until a coroutine ends (1.1.3 left it before the first step)."""
    import asyncio

    async def both() -> list[list[str] | None]:
        decorated = replaystack_sdk.run_with_replaystack_context()(_in_an_async_job)
        seen = [await decorated(), await decorated()]
        async with replaystack_sdk.run_with_replaystack_context():
            seen.append(await _in_an_async_job())
        return [None if one is None else [item["message"] for item in one] for one in seen]

    assert asyncio.run(both()) == [["async"], ["async"], ["async"]]


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
def test_missing_extra_is_named(framework: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the adapter's distribution the import error says what to install."""
    monkeypatch.setitem(sys.modules, f"replaystack_{framework}", None)
    monkeypatch.delitem(sys.modules, f"replaystack_sdk.integrations.{framework}", raising=False)
    with pytest.raises(ImportError, match=rf"replaystack-sdk\[{framework}\]"):
        importlib.import_module(f"replaystack_sdk.integrations.{framework}")


@pytest.mark.slow
def test_recording_is_that_of_the_original(tmp_path: Path) -> None:
    """The recorded answers are what 1.1.3 itself answers, installed from the package index."""
    target = tmp_path / "original"
    quickly = ["--quiet", "--disable-pip-version-check", "--retries", "0", "--timeout", "5"]
    pip = [sys.executable, "-m", "pip", "install", *quickly]
    installed = subprocess.run(
        [*pip, "--no-deps", "--target", str(target), "replaystack-sdk==1.1.3"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if installed.returncode != 0:
        pytest.skip(
            f"pip cannot install replaystack-sdk 1.1.3 here: {installed.stderr.strip().splitlines()[-1:]}"
        )
    again = _record({**os.environ, "PYTHONPATH": str(target)})
    assert again["all"] == RECORDED["all"]
    assert again["signatures"] == RECORDED["signatures"]
    assert again["client"] == RECORDED["client"]
    assert again["helpers"] == RECORDED["helpers"]
    # An integration can be recorded only where its framework is installed.
    assert {name: RECORDED["modules"][name] for name in again["modules"]} == again["modules"]
