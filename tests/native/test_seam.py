"""The seam between Python and the extension: who masks, why, and what happens when one fails."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.backends import masking_with

from replaystack.exchange import RawBody
from replaystack.sanitize import (
    Limits,
    Policy,
    _backend,
    encode_batch,
    encode_event,
    mask_text,
    mask_url,
    mask_value,
    native_status,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLICY = Policy.build()
SECRET = "hunter2hunter2"

REPORT = """
import json, logging, sys, warnings
records = []
class Records(logging.Handler):
    def emit(self, record):
        records.append([record.name, record.levelname, record.getMessage()])
logging.getLogger("replaystack").addHandler(Records())
logging.getLogger("replaystack").setLevel(logging.INFO)
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    import replaystack
    problem = None
    try:
        replaystack.ReplayStackClient(api_key="k", endpoint="http://127.0.0.1:9").close()
        replaystack.ReplayStackClient(api_key="k", endpoint="http://127.0.0.1:9").close()
        status = replaystack.native_status()
    except ImportError as error:
        problem, status = str(error), None
from replaystack.sanitize import Policy, encode_event, mask_text
policy = Policy.build()
print(json.dumps({
    "backend": status and status.backend, "reason": status and status.reason, "problem": problem,
    "version": status and status.version, "records": records,
    "warned": [[one.category.__name__, str(one.message)] for one in warned],
    "text": mask_text("password=hunter2hunter2", policy),
    "event": encode_event({"traceId": "password=hunter2hunter2"}, policy).data.decode(),
}))
"""


def _child(before: str = "", path: Path | None = None, **variables: str) -> dict[str, Any]:
    """Return what a fresh process with two clients says of its backend."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("REPLAYSTACK_")}
    environment |= variables
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", before + REPORT],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


WITHOUT = 'import sys; sys.modules["replaystack_native"] = None\n'


def test_without_the_wheel_everything_works_and_one_line_says_so() -> None:
    """One INFO record per process, however many clients; no warning."""
    report = _child(WITHOUT)
    assert (report["backend"], report["version"], report["warned"]) == ("python", None, [])
    assert report["records"] == [
        ["replaystack.sanitize._backend", "INFO", f"masking in Python: {report['reason']}"]
    ]
    assert "replaystack-native" in report["reason"]
    assert report["text"] == "password=[MASKED]"


def test_forced_and_missing_is_a_clear_failure() -> None:
    """The client says what is wrong and what to do; what masks all the same fails closed."""
    report = _child(WITHOUT, REPLAYSTACK_BACKEND="native")
    assert report["problem"].startswith("REPLAYSTACK_BACKEND=native, but ")
    assert "pip install 'replaystack-core[native]'" in report["problem"]
    assert report["text"] == "[MASKED]"
    assert json.loads(report["event"])["__unmasked_dropped"] is True


def test_python_can_be_asked_for() -> None:
    """`REPLAYSTACK_BACKEND=python` does not even import the extension."""
    report = _child('import sys; sys.modules["replaystack_native"] = 1\n', REPLAYSTACK_BACKEND="Python ")
    assert (report["backend"], report["reason"]) == ("python", "REPLAYSTACK_BACKEND=python")


def test_a_malformed_variable_is_said_and_not_used() -> None:
    """One WARNING without the text, then the default."""
    report = _child(WITHOUT, REPLAYSTACK_BACKEND="rust")
    assert report["records"][0] == [
        "replaystack.sanitize._backend",
        "WARNING",
        "REPLAYSTACK_BACKEND is malformed and was not used",
    ]
    assert report["backend"] == "python"


FAKE = """
from types import SimpleNamespace
__version__ = "9.9.9"
def contract_version():
    {body}
"""


def _fake(folder: Path, body: str) -> Path:
    package = folder / "replaystack_native"
    package.mkdir()
    (package / "__init__.py").write_text(FAKE.format(body=body))
    return folder


def test_another_contract_is_one_warning(tmp_path: Path) -> None:
    """An extension of another version is left alone."""
    folder = _fake(tmp_path, "return 99")
    report = _child(path=folder)
    assert (report["backend"], report["version"]) == ("python", "9.9.9")
    [[category, text]] = report["warned"]
    assert category == "ImportWarning"
    assert "contract 99" in text
    assert report["text"] == "password=[MASKED]"
    assert "contract 99" in _child(path=folder, REPLAYSTACK_BACKEND="native")["problem"]


def test_a_broken_wheel_is_as_good_as_none(tmp_path: Path) -> None:
    """Whatever its import raises."""
    report = _child(path=_fake(tmp_path, "raise OSError('wrong ELF class')"))
    assert (report["backend"], report["text"]) == ("python", "password=[MASKED]")
    assert "wrong ELF class" in report["reason"]


@pytest.fixture
def native() -> Iterator[_backend._Native]:
    """Let the extension mask; skip (an error under CI) where it was not built."""
    with masking_with("native"):
        active = _backend._active
        assert isinstance(active, _backend._Native)
        yield active


def test_the_fast_one_is_really_loaded(native: _backend._Native, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Python's masker out of order, everything still works."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise AssertionError("Python masked")

    for name in ("events", "text", "url", "value"):
        monkeypatch.setattr(_backend._Python, name, fail)
    body = RawBody(b'{"password":"x"}', "application/json", total_bytes=16)
    event = {"traceId": "t", "requestPayload": body, "metadata": {"token": SECRET}}
    assert json.loads(encode_event(event, POLICY).data)["requestPayload"] == {"password": "[MASKED]"}
    assert len(encode_batch([event, event], POLICY)) == 2
    assert mask_text(f"password={SECRET}", POLICY) == "password=[MASKED]"
    assert mask_url(f"/a?token={SECRET}", POLICY) == "/a?token=[MASKED]"
    assert mask_value({"token": SECRET, "a": 1.5}, POLICY) == {"token": "[MASKED]", "a": 1.5}
    assert native_status() == _backend.NativeStatus("native", native.status.version, None)


def test_auto_takes_the_native_one(native: object) -> None:
    """Where the wheel is there, a fresh process uses it without being asked, and says nothing."""
    report = _child()
    assert (report["backend"], report["records"], report["warned"]) == ("native", [], [])


def test_what_the_extension_does_not_take_python_does(native: object) -> None:
    """A body that is no `bytes` fails closed, part by part, beside events that are as they should be."""
    bad = RawBody("text", "application/json", total_bytes=4)  # type: ignore[arg-type]  # the point
    events: list[dict[str, object]] = [
        {"traceId": "a"},
        {"traceId": "b", "requestPayload": bad},
        {"traceId": "c"},
    ]
    encoded = [json.loads(one.data) for one in encode_batch(events, POLICY)]
    assert [one["traceId"] for one in encoded] == ["a", "b", "c"]
    assert encoded[1]["requestPayload"] == {"__unmasked_dropped": True}
    assert "dropped" not in encoded[0]["metadata"]["replaystack"]["masking"]
    assert native_status().backend == "native"


def test_after_a_panic_python_goes_on_and_says_so_once(
    native: _backend._Native, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A panic is a BaseException whose text may quote what was masked: nobody sees it."""
    module: Any = native._module

    class Panicking:
        def encode_event(self, *arguments: object) -> bytes:
            module.panic(str(arguments))
            return b""

        def encode_batch(self, *arguments: object) -> list[bytes]:
            module.panic(str(arguments))
            return []

    native._encoder = Panicking()
    event = {"traceId": "t", "errorMessage": f"password={SECRET}"}
    with caplog.at_level(logging.INFO):
        first = encode_event(event, POLICY)
        batch = encode_batch([event, event], POLICY)
        assert native._python.events([event], POLICY, Limits()) == [first.data]
    assert [one.data for one in batch] == [first.data, first.data]
    assert json.loads(first.data)["errorMessage"] == "password=[MASKED]"
    assert native_status().backend == "python"
    assert native_status().reason == "the extension failed in this process"
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert "src/python/panics.rs" in record.getMessage()
    out, err = capfd.readouterr()
    assert SECRET not in out + err + caplog.text


def test_what_interrupts_the_application_passes(
    native: _backend._Native, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of masking is the application's."""

    class Interrupted:
        def encode_event(self, *_arguments: object) -> bytes:
            raise KeyboardInterrupt

    monkeypatch.setattr(native, "_encoder", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        encode_event({"traceId": "t"}, POLICY)
    assert native_status().backend == "native"
