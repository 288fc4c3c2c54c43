"""`replaystack doctor` as people and CI run it: the installed command, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.availability import missing
from tests.receiver import CAPABILITIES_PATH, Received, Receiver, Reply

import replaystack
from replaystack.cli import doctor
from replaystack.cli.configuration import read_setting
from replaystack.config import INGEST_PATH
from replaystack.delivery.spool import Spool
from replaystack.sanitize import Policy, encode_event
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "rs_live_a-key-that-must-not-be-shown"
HANG_GUARD_SECONDS = 60
OURS = ("REPLAYSTACK_", "GUNICORN_", "UVICORN_", "UWSGI_", "WEB_CONCURRENCY", "AWS_LAMBDA_", "PYTHONPATH")


class Looking(Receiver):
    """A receiver whose answer to the question for capabilities can be chosen."""

    looked: Reply | None = None

    def _choose(self, request: Received) -> Reply:
        if request.path == CAPABILITIES_PATH and self.looked is not None:
            return self.looked
        return super()._choose(request)


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command; its key never stands in what it says."""
    script = Path(sysconfig.get_path("scripts")) / ("replaystack.exe" if os.name == "nt" else "replaystack")
    if not script.exists():
        missing("the command replaystack is not installed")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    path = os.pathsep.join(filter(None, [variables.pop("PYTHONPATH", ""), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [str(script), *arguments],
        env={**inherited, **variables, **({"PYTHONPATH": path} if path else {})},
        cwd=variables.get("PWD"),
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_SECONDS,
        check=False,
    )
    assert KEY not in done.stdout + done.stderr
    return done


class Report:
    """What `doctor --json` said, and its exit status."""

    def __init__(self, *arguments: str, **variables: str) -> None:
        done = command("doctor", "--json", *arguments, **variables)
        assert done.stderr == "", done.stderr
        self.status = done.returncode
        self.document: dict[str, Any] = json.loads(done.stdout)
        assert self.document["ok"] is (self.status == 0)

    def of(self, check: str) -> list[dict[str, Any]]:
        """Return the findings of a check."""
        return [finding for finding in self.document["findings"] if finding["check"] == check]

    def only(self, check: str) -> dict[str, Any]:
        """Return the one finding of a check."""
        (finding,) = self.of(check)
        return finding

    @property
    def problems(self) -> list[str]:
        """The checks with a problem."""
        return [finding["check"] for finding in self.document["findings"] if finding["level"] == "problem"]


def offline(*arguments: str, **variables: str) -> Report:
    """Run it without a receiver."""
    return Report("--offline", *arguments, **{"REPLAYSTACK_API_KEY": KEY, **variables})


# -- the command


def test_version() -> None:
    """`replaystack --version` names the one version of all distributions."""
    done = command("--version")
    assert (done.returncode, done.stdout) == (0, f"replaystack {replaystack.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "a command is required"),
        (["dokter"], "invalid choice"),
        (["doctor", "--jsn"], "unrecognized arguments"),
        (["doctor", "--endpoint", "receiver.example"], "endpoint must be an absolute http or https URL"),
        (["doctor", "--endpoint", "http://u:planted-pw@x"], "got a text with a credential in it"),
        (["doctor", "--timeout", "0"], "timeout_seconds must be above 0"),
        (["doctor", "--api-key", f"{KEY}\n"], "api_key must be printable ASCII"),
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str], said: str) -> None:
    """The text says what is wrong, on stderr, without a secret."""
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "planted-pw" not in done.stderr


def test_the_text_is_for_people() -> None:
    """One line for each finding, and a count at the end."""
    with Receiver(capabilities="bulk, gzip") as receiver:
        done = command("doctor", REPLAYSTACK_ENDPOINT=receiver.origin, REPLAYSTACK_API_KEY=KEY)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"replaystack doctor {replaystack.__version__}, Python ")
    assert any(line.split()[:2] == ["ok", "receiver"] and receiver.origin in line for line in lines)
    assert any(line.split() == ["ok", "capabilities", "bulk,", "gzip"] for line in lines)
    assert lines[-1].startswith("no problems, ")


# -- the receiver


def test_a_real_receiver() -> None:
    """It answers, advertises, and has stored nothing; with --send exactly one event that says what it is."""
    with running_server() as server:
        variables = {"REPLAYSTACK_ENDPOINT": server.url, "REPLAYSTACK_API_KEY": server.key}
        plain = Report(**variables)
        assert (plain.status, plain.only("receiver")["level"]) == (0, "ok")
        assert "bulk" in plain.only("capabilities")["facts"]["capabilities"]
        assert stored(server.url, server.token) == []
        sent = Report("--send", **variables)
        assert sent.status == 0, sent.document
        (event,) = stored(server.url, server.token)
        assert event["endpoint"] == "/replaystack/doctor"
        assert event["eventId"] == sent.only("event")["facts"]["event_id"]
        assert server.key not in json.dumps([plain.document, sent.document])


def stored(url: str, token: str) -> list[dict[str, Any]]:
    """Return what a server shows."""
    import httpx

    answer = httpx.get(f"{url}/api/v1/events", headers={"authorization": f"Bearer {token}"})
    rows: list[dict[str, Any]] = answer.json()["data"]["events"]
    return rows


def test_a_refused_key() -> None:
    """Only sending shows it on our server; what it answers is quoted, and the key is not."""
    with running_server() as server:
        report = Report("--send", REPLAYSTACK_ENDPOINT=server.url, REPLAYSTACK_API_KEY=KEY)
    assert (report.status, report.problems) == (1, ["event"])
    assert "refuses the key: it answers 401" in report.only("event")["text"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Reply(401, body={"message": f"no such key: {KEY}"}), "refuses the key"),
        (Reply(403), "refuses the key"),
        (Reply(500), "answers 500"),
        (Reply(302, headers={"Location": "{elsewhere}"}), "redirect"),
        (Reply(misbehave="close"), "cannot be reached"),
        (Reply(misbehave="reset"), "cannot be reached"),
        (Reply(misbehave="rubbish"), "cannot be reached"),
        (Reply(misbehave="hang"), "cannot be reached"),
        (Reply(misbehave="drip-head"), "cannot be reached"),
    ],
    ids=lambda value: (value.misbehave or value.status) if isinstance(value, Reply) else "",
)
def test_a_receiver_with_a_trouble(answer: Reply, said: str) -> None:
    """Each is a problem, within the timeout; the key goes to no other host."""
    receiver = Looking()
    with receiver, Receiver() as elsewhere:
        headers = {
            name: value.format(elsewhere=elsewhere.ingest_url) for name, value in answer.headers.items()
        }
        receiver.looked = Reply(answer.status, headers, answer.body, answer.misbehave)
        report = Report("--timeout", "1", REPLAYSTACK_ENDPOINT=receiver.origin, REPLAYSTACK_API_KEY=KEY)
        assert elsewhere.requests() == []
    assert (report.status, report.problems) == (1, ["receiver"])
    assert said in report.only("receiver")["text"]


def test_a_receiver_without_capabilities_is_fine() -> None:
    """The hosted one promises single events and nothing else: 404 is an answer."""
    with Receiver() as receiver:
        report = Report(REPLAYSTACK_ENDPOINT=receiver.origin, REPLAYSTACK_API_KEY=KEY)
        assert [request.method for request in receiver.requests()] == ["GET"]
        assert receiver.requests()[0].headers["x-replaystack-api-key"] == KEY
    assert report.status == 0
    assert report.only("capabilities")["facts"] == {"capabilities": []}


def test_arguments_win_over_the_environment() -> None:
    """Also over REPLAYSTACK_INGEST_URL: the receiver that was asked about is asked, and no other."""
    with Receiver() as receiver, Receiver() as other:
        report = Report(
            *("--endpoint", receiver.origin, "--api-key", KEY, "--send"),
            REPLAYSTACK_INGEST_URL=other.ingest_url,
            REPLAYSTACK_API_KEY="rs_live_another",
        )
        assert other.requests() == []
        assert {request.headers["x-replaystack-api-key"] for request in receiver.requests()} == {KEY}
        assert [request.path for request in receiver.posts()] == [INGEST_PATH]
    assert report.status == 0


def test_offline_asks_nobody() -> None:
    """For a build that has no network."""
    with Receiver() as receiver:
        report = offline("--send", REPLAYSTACK_ENDPOINT=receiver.origin)
        assert receiver.requests() == []
    assert (report.status, report.of("receiver")) == (0, [])


# -- variables


def test_no_key() -> None:
    """A client would raise; the receiver is asked without one, and sent nothing."""
    with Receiver() as receiver:
        report = Report("--send", REPLAYSTACK_ENDPOINT=receiver.origin)
        (request,) = receiver.requests()
    assert (report.status, report.problems) == (1, ["key"])
    assert not [name for name in request.headers if "api-key" in name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REPLAYSTACK_SAMPLE_RATE", "planted-half"),
        ("REPLAYSTACK_RETRIES", "1.5"),
        ("REPLAYSTACK_ENABLED", "perhaps"),
        ("REPLAYSTACK_BACKEND", "planted-rust"),
    ],
)
def test_a_malformed_variable(name: str, value: str) -> None:
    """It is named; its value, which might be a secret in the wrong place, is not shown."""
    report = offline(**{name: value})
    assert report.problems == ["variables"]
    (finding,) = (finding for finding in report.of("variables") if finding["level"] == "problem")
    assert finding["facts"] == {"variable": name}
    assert "planted" not in json.dumps(report.document)


@pytest.mark.parametrize("name", ["REPLAYSTACK_ENDPOINT", "REPLAYSTACK_INGEST_URL"])
def test_a_malformed_address_leads_nowhere(name: str) -> None:
    """The default address is another company's machine: it is not asked instead."""
    report = Report(**{name: "https://user:planted@receiver.example", "REPLAYSTACK_API_KEY": KEY})
    assert report.problems == ["variables", "receiver"]
    assert "not asked" in report.only("receiver")["text"]
    assert "planted" not in json.dumps(report.document)


def test_a_name_that_is_nearly_ours_is_a_note() -> None:
    """A typo is pointed out and fails no build: it may be another program's."""
    report = offline(REPLAYSTACK_ENDPIONT="x")
    assert report.status == 0
    notes = [finding["text"] for finding in report.of("variables") if finding["level"] == "note"]
    assert notes == ["REPLAYSTACK_ENDPIONT is no variable of ours; did you mean REPLAYSTACK_ENDPOINT?"]


def test_capturing_that_is_switched_off_is_a_note() -> None:
    """It may well be meant."""
    report = offline(REPLAYSTACK_ENABLED="false")
    assert (report.status, report.only("enabled")["level"]) == (0, "note")


# -- the spool


def fill(directory: Path, events: int, *, settled: int = 0) -> Spool:
    """Put events into a spool as a client would; it stays open, as of a living process."""
    policy = Policy.build()
    spool = Spool(directory, max_bytes=2**20, report=lambda error, what: None, policy=policy)
    assert spool.append([encode_event({"traceId": str(n)}, policy) for n in range(events)]) == events
    if settled:
        spool.settle(len(spool.peek(settled, 2**20)))
    return spool


def state(directory: Path) -> Mapping[str, bytes]:
    """Return what is in a directory."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_what_waits_in_the_spool_is_counted_and_left_alone(tmp_path: Path) -> None:
    """Events of a living process: counted without what is settled, not touched, not adopted."""
    directory = tmp_path / "spool"
    spool = fill(directory, 5, settled=2)
    before = state(directory)
    report = offline(REPLAYSTACK_SPOOL_PATH=str(directory))
    facts = report.only("spool")["facts"]
    assert (report.status, facts["events"], facts["files"], facts["mode"]) == (0, 3, 1, "0700")
    assert state(directory) == before
    assert len(spool.peek(10, 2**20)) == 3
    spool.close()


def test_no_spool_is_said() -> None:
    """Without one, what is not delivered ends with the process."""
    assert "wait in memory" in offline().only("spool")["text"]


def test_a_spool_that_is_not_there_yet(tmp_path: Path) -> None:
    """It is made with the first event, if it can be; looking makes nothing."""
    report = offline(REPLAYSTACK_SPOOL_PATH=str(tmp_path / "a" / "b"))
    assert report.status == 0
    assert "not there yet" in report.only("spool")["text"]
    assert list(tmp_path.iterdir()) == []


def test_damage_is_a_note(tmp_path: Path) -> None:
    """What was torn off is stepped over, and told."""
    fill(tmp_path / "spool", 3).close()
    (file,) = (tmp_path / "spool").iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    report = offline(REPLAYSTACK_SPOOL_PATH=str(tmp_path / "spool"))
    found = report.of("spool")
    assert (report.status, found[0]["facts"]["events"], found[1]["level"]) == (0, 2, "note")


@pytest.mark.skipif(os.name == "nt", reason="there is no spool on Windows")
@pytest.mark.parametrize("trouble", ["others may write", "a link", "a file", "below a file"])
def test_a_spool_that_would_be_refused(tmp_path: Path, trouble: str) -> None:
    """The rules are the spool's own; each is a problem with its reason."""
    path = tmp_path / "spool"
    if trouble == "others may write":
        path.mkdir()
        path.chmod(0o770)
    elif trouble == "a link":
        (tmp_path / "real").mkdir()
        path.symlink_to(tmp_path / "real")
    else:
        path.write_text("x")
    report = offline(REPLAYSTACK_SPOOL_PATH=str(path / "x" if trouble == "below a file" else path))
    assert report.problems == ["spool"]


# -- processes


@pytest.mark.parametrize(
    ("file", "variable", "expected"),
    [
        ("preload_app = True\nworkers = 4\n", "", {"preload_app": True, "workers": 4}),
        ("workers = cpu_count()\n", "--preload -k gevent", {"preload_app": True, "worker_class": "gevent"}),
        ("workers = 4\n", "--workers=2", {"workers": "2"}),
        ("workers =", "", None),
        ("", "", None),
    ],
)  # fmt: skip
def test_gunicorn_is_read_and_not_run(
    tmp_path: Path, file: str, variable: str, expected: dict[str, Any] | None
) -> None:
    """Its file is parsed, and its arguments win."""
    pytest.importorskip("gevent")
    (tmp_path / "gunicorn.conf.py").write_text(file + "\nraise SystemExit('it was run')\n")
    report = offline(GUNICORN_CMD_ARGS=variable, PWD=str(tmp_path))
    assert report.status == 0
    assert [finding["facts"] for finding in report.of("workers")] == ([] if expected is None else [expected])


def test_hints_of_other_servers() -> None:
    """A uWSGI without threads and a frozen process send nothing: worth a note."""
    report = offline(UWSGI_FILE="x", AWS_LAMBDA_FUNCTION_NAME="f", WEB_CONCURRENCY="2")
    assert report.status == 0
    assert sorted(finding["level"] for finding in report.of("workers")) == ["note", "note", "ok"]


def application(tmp_path: Path, source: str, *arguments: str) -> Report:
    """Run doctor beside an application."""
    (tmp_path / "shop.py").write_text(textwrap.dedent(source), encoding="utf-8")
    return offline("--app", "shop:app", *arguments, PWD=str(tmp_path))


def test_the_application_is_imported_from_here(tmp_path: Path) -> None:
    """As servers do: its clients are named, without their keys; threads that a fork would lose are a note."""
    source = f"""
        import threading
        from replaystack import ReplayStackClient
        client = ReplayStackClient(api_key="{KEY}", service_name="orders", endpoint="http://127.0.0.1:9")
        threading.Thread(target=threading.Event().wait, name="poller", daemon=True).start()
        app = None
    """
    report = application(tmp_path, source)
    assert report.status == 0
    clients, threads = report.of("application")
    assert clients["facts"]["clients"] == [
        {"service": "orders", "url": "http://127.0.0.1:9", "enabled": True}
    ]
    assert (threads["level"], threads["facts"]["threads"]) == ("note", ["poller"])
    assert report.only("gevent")["facts"] == {"patched": False}


def test_what_the_application_does_is_not_in_the_way(tmp_path: Path) -> None:
    """It prints, and starts a thread that never ends: the report is whole, and the command ends."""
    source = """
        import threading
        print("hello")
        threading.Thread(target=threading.Event().wait).start()
        raise ValueError("too late")
    """
    (tmp_path / "shop.py").write_text(textwrap.dedent(source), encoding="utf-8")
    done = command("doctor", "--offline", "--json", "--app=shop", REPLAYSTACK_API_KEY=KEY, PWD=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "hello\n")
    assert not json.loads(done.stdout)["ok"]


@pytest.mark.parametrize("source", ["import no_such_module", "raise SystemExit(0)", "app = ("])
def test_an_application_that_cannot_be_imported(tmp_path: Path, source: str) -> None:
    """A problem, and the other checks are made all the same."""
    report = application(tmp_path, source)
    assert report.problems == ["application"]
    assert report.of("fork")


@pytest.mark.parametrize(("patch", "problems"), [("patch_all()", []), ("patch_thread()", ["gevent"])])
def test_gevent_as_the_application_patches_it(tmp_path: Path, patch: str, problems: list[str]) -> None:
    """Threads as greenlets need sockets to match, or each request stops all of them."""
    pytest.importorskip("gevent")
    report = application(tmp_path, f"from gevent import monkey\nmonkey.{patch}")
    assert report.problems == problems
    assert report.only("gevent")["facts"] == {"patched": True}


# -- what is installed


def plant(site: Path, name: str, version: str, *files: str) -> None:
    """Make a distribution that consists of its description only."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files))


def test_our_own_versions_belong_together() -> None:
    """All are listed; here they are of one version."""
    report = offline()
    assert report.only("versions")["facts"]["installed"]["replaystack-core"] == replaystack.__version__
    assert report.only("backend")["facts"]["backend"] in {"native", "python"}


def test_a_mixture_of_versions(tmp_path: Path) -> None:
    """An adapter of another version is a problem."""
    plant(tmp_path, "replaystack-flask", "1.9.0")
    report = offline(PYTHONPATH=str(tmp_path))
    assert report.problems == ["versions"]


@pytest.mark.parametrize(
    ("name", "version", "problems"),
    [
        ("rival-sdk", "0.1", ["drop-in"]),
        ("replaystack-sdk", "1.1.3", ["versions", "drop-in"]),
    ],
)
def test_a_second_provider_of_the_drop_in(
    tmp_path: Path, name: str, version: str, problems: list[str]
) -> None:
    """Two distributions with the package `replaystack_sdk`: which one is imported is luck."""
    plant(tmp_path, name, version, "replaystack_sdk/__init__.py", "replaystack_sdk/client.py")
    report = offline(PYTHONPATH=str(tmp_path))
    assert report.problems == problems
    assert [name, version] in report.only("drop-in")["facts"]["providers"]


def test_other_sdks_are_notes(tmp_path: Path) -> None:
    """They wrap applications too; that is allowed, and fails no build."""
    for name in ("Sentry_SDK", "ddtrace", "elastic-apm", "opentelemetry-instrumentation-fastapi", "sentry"):
        plant(tmp_path, name, "1.0")
    report = offline(PYTHONPATH=str(tmp_path))
    found = report.of("other SDKs")
    assert report.status == 0
    assert {finding["level"] for finding in found} == {"note"}
    expected = {"sentry-sdk", "ddtrace", "elastic-apm", "opentelemetry-instrumentation-fastapi"}
    assert {finding["facts"]["distribution"] for finding in found} >= expected
    assert "sentry" not in {finding["facts"]["distribution"] for finding in found}


# -- itself


def test_a_check_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of one check must not hide the others."""

    def broken() -> Any:
        raise RuntimeError("defect")

    monkeypatch.setattr(doctor, "check_backend", broken)
    setting = read_setting({"api_key": KEY})
    findings = doctor.examine(setting, doctor.Questions(offline=True))
    assert (findings[0].check, findings[0].level) == ("backend", "problem")
    assert "RuntimeError: defect" in findings[0].text
    assert len(findings) > 5


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal there")
def test_it_is_ended_by_ctrl_c() -> None:
    """Like any command, also while the receiver hangs."""
    script = Path(sysconfig.get_path("scripts")) / "replaystack"
    if not script.exists():
        missing("the command replaystack is not installed")
    receiver = Looking()
    receiver.looked = Reply(misbehave="hang")
    with receiver:
        process = subprocess.Popen(
            [str(script), "doctor", "--endpoint", receiver.origin, "--timeout", "600"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        while not receiver.requests() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=HANG_GUARD_SECONDS)
    assert process.returncode == -signal.SIGINT
