"""Files of domains: what stands in them, how they roll and go, and what a name may be."""

from __future__ import annotations

import errno
import gzip
import json
import logging
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.core.domains.writing import entry

from replaystack import ConfigError
from replaystack.logs.domains import STANDARD_DOMAINS, configure_domains
from replaystack.logs.domains.compression import compress_backups
from replaystack.logs.domains.names import is_domain_name
from replaystack.logs.domains.retention import delete_old_backups
from replaystack.logs.domains.rotation import RotatingFile
from replaystack.logs.sinks import emit_to_sinks, local_sinks

if TYPE_CHECKING:
    from replaystack.logs import LogEntry


def log(*entries: LogEntry) -> None:
    """Hand entries to the sinks as a logger does; a sink that raises fails the test."""

    def fail(error: BaseException, sink: object) -> None:
        raise error

    for each in entries:
        emit_to_sinks(local_sinks(), each, fail)


def test_before_the_first_entry_there_is_nothing(tmp_path: Path) -> None:
    """Configuring opens no file and makes no folder."""
    configure_domains(tmp_path / "logs", console=False)
    assert not (tmp_path / "logs").exists()
    log(entry("first"))
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == [".slot-0.lock", "agents.log"]


def test_a_text_line(tmp_path: Path) -> None:
    """`asctime - name - levelname - message`, then the fields; values with blanks in quotes."""
    configure_domains(tmp_path, console=False)
    log(
        entry(
            "Contribution validated",
            fields={
                "contribution_id": "abc-123",
                "rules": 5,
                "by": "a b",
                "valid": True,
                "none": None,
                "n": {"a": [1]},
            },
            correlation_id="c-1",
        )
    )
    line = (tmp_path / "agents.log").read_text(encoding="utf-8")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - agents - INFO - Contribution validated "
        r'contribution_id=abc-123 rules=5 by="a b" valid=true none=null n=\{"a":\[1\]\} correlation_id=c-1\n',
        line,
    )


@pytest.mark.checklist("O2")
def test_a_json_line(tmp_path: Path) -> None:
    """One object a line: timestamp, domain, level, message, context; newlines are escaped."""
    configure_domains(tmp_path, console=False, format="json")
    log(entry("m\nforged", fields={"a": 1}), entry("x\u2028y\x85z", level="critical"))
    first, second = (tmp_path / "agents.log").read_text(encoding="utf-8").splitlines()
    record = json.loads(first)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("timestamp"))
    assert record == {"domain": "agents", "level": "INFO", "message": "m\nforged", "context": {"a": 1}}
    assert json.loads(second)["message"] == "x\u2028y\x85z"


@pytest.mark.checklist("O2", "O3")
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_entry_can_forge_a_line(tmp_path: Path, form: Any) -> None:
    """Newlines and escapes in any part of an entry stay inside of the entry's own lines."""
    configure_domains(tmp_path, console=False, format=form)
    evil = "x\r\n2026-01-01 00:00:00,000 - agents - INFO - forged\x1b[31m\u2028\x0b"
    log(
        entry(
            evil,
            level="error",
            fields={evil: evil, "n": {evil: evil}},
            tags=(evil,),
            user_id=evil,
            error_name=evil,
            error_stack=f"Traceback\n{evil}\nValueError: {evil}\n",
        ),
        entry("next"),
    )
    text = (tmp_path / "agents.log").read_text(encoding="utf-8")
    assert "\x1b" not in text
    lines = text.splitlines()
    assert len([line for line in lines if line.startswith(("2", "{"))]) == 2
    if form == "text":
        assert all(line.startswith("    ") for line in lines[1:-1])
        assert "ValueError" in text


@pytest.mark.checklist("O8")
def test_errors_have_a_file_of_their_own(tmp_path: Path) -> None:
    """ERROR and above of every domain are in errors.log as well, with their tracebacks; INFO is not."""
    configure_domains(tmp_path, console=False)
    log(
        entry("fine"),
        entry("bad", level="error", logger="data", error_stack="Traceback\n  line\nValueError: v\n"),
        entry("worse", level="critical", logger="services"),
        entry("hm", level="warning"),
    )
    errors = (tmp_path / "errors.log").read_text()
    assert [line.split(" - ")[1:4] for line in errors.splitlines() if line[0] != " "] == [
        ["data", "ERROR", "bad"],
        ["services", "CRITICAL", "worse"],
    ]
    assert "    ValueError: v\n" in errors
    assert errors.splitlines()[:4] == (tmp_path / "data.log").read_text().splitlines()


def test_the_level_is_a_bound(tmp_path: Path) -> None:
    """What is less grave is not written; every spelling is understood."""
    configure_domains(tmp_path, console=False, level="WARN")
    log(entry("no"), entry("yes", level="warning"))
    assert (tmp_path / "agents.log").read_text().endswith(" - yes\n")
    assert len((tmp_path / "agents.log").read_text().splitlines()) == 1


@pytest.mark.checklist("P8")
def test_personal_data_is_left_out_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Entries that are marked as PII reach neither file nor console, unless `accept_pii` says so."""
    configure_domains(tmp_path / "a")
    log(entry("public"), entry("jane@example.org", is_pii=True))
    assert "jane" not in (tmp_path / "a" / "agents.log").read_text() + capsys.readouterr().err
    configure_domains(tmp_path / "b", accept_pii=True)
    log(entry("jane@example.org", is_pii=True))
    assert "jane" in (tmp_path / "b" / "agents.log").read_text()
    assert "jane" in capsys.readouterr().err


def test_the_console_is_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is printed once; a console that is gone, or knows no Unicode, harms nobody."""
    configure_domains(tmp_path)
    log(entry("see me"))
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("see me")) == ("", 1)
    before = sys.stderr
    for stream in (None, Path(os.devnull).open("w", encoding="ascii")):  # noqa: SIM115 - closed below
        sys.stderr = stream
        try:
            log(entry("gr\u00fcn"))
            if stream is not None:
                stream.close()
                log(entry("closed"))
        finally:
            sys.stderr = before


@pytest.mark.checklist("O1", "O14")
def test_configured_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The same is the same; another folder takes over, and a warning names both."""
    first = configure_domains(tmp_path / "a", console=False)
    assert configure_domains(tmp_path / "a", console=False) is first
    assert not caplog.records
    log(entry("one"))
    configure_domains(tmp_path / "b", console=False)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(tmp_path / "a") in record.getMessage()
    assert str(tmp_path / "b") in record.getMessage()
    log(entry("two"))
    assert len(local_sinks()) == 1
    assert (tmp_path / "a" / "agents.log").read_text().endswith(" - one\n")
    assert (tmp_path / "b" / "agents.log").read_text().endswith(" - two\n")


def test_a_later_working_directory_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative `log_dir` is that of the call, parents included."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    configure_domains("deep/logs", console=False)
    monkeypatch.chdir(tmp_path / "elsewhere")
    log(entry("x"))
    assert (tmp_path / "deep" / "logs" / "agents.log").is_file()


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/b",
        "a\\b",
        "",
        ".",
        "..",
        ".hidden",
        "-x",
        "con",
        "NUL.txt",
        "a\n",
        "errors",
        "é",
        "x" * 101,
        5,
    ],
)
def test_names_that_are_no_domains(name: Any, tmp_path: Path) -> None:
    """A name that would lead out of the folder, or to a device, is refused, and is no file of a logger."""
    assert not is_domain_name(name)
    with pytest.raises(ConfigError, match="domains must be names"):
        configure_domains(tmp_path, domains=[name])
    if isinstance(name, str) and name != "errors":
        configure_domains(tmp_path / "logs", console=False)
        log(entry("kept", logger=name))
        assert (tmp_path / "logs" / "other.log").read_text().endswith("kept\n")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["logs"]


def test_the_standard_domains() -> None:
    """The seed's eight, and each can be one."""
    assert len(STANDARD_DOMAINS) == 8
    assert all(map(is_domain_name, STANDARD_DOMAINS))


def test_others_than_the_configured_domains_share_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No line is lost for its logger's name; a warning says where it went."""
    configure_domains(tmp_path, domains=STANDARD_DOMAINS, console=False)
    log(entry("a"), entry("b", logger="billing"))
    assert (tmp_path / "other.log").read_text().endswith(" - billing - INFO - b\n")
    assert "billing" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "loud"},
        {"format": "xml"},
        {"max_bytes": 0},
        {"backup_count": -1},
        {"retention_days": 0},
        {"retention_days": "30"},
        {"domains": "agents"},
    ],
)
def test_arguments_that_cannot_work(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Each is refused with its name and what came."""
    with pytest.raises(ConfigError, match=f"^{next(iter(wrong))} must be"):
        configure_domains(tmp_path, **wrong)


@pytest.mark.checklist("O7")
@pytest.mark.parametrize("compress", [True, False])
def test_files_roll_shrink_and_at_most_so_many_stay(tmp_path: Path, *, compress: bool) -> None:
    """A file never grows beyond `max_bytes`; the youngest five stay, as gzip, in order."""
    sink = configure_domains(tmp_path, console=False, max_bytes=1000, compress=compress, format="json")
    for number in range(100):
        log(entry("x" * 100, fields={"number": number}))
        assert (tmp_path / "agents.log").stat().st_size <= 1000
    assert sink.wait(30)
    ending = ".gz" if compress else ""
    names = sorted(path.name for path in tmp_path.iterdir() if "agents" in path.name)
    assert names == ["agents.log", *(f"agents.log.{number}{ending}" for number in range(1, 6))]
    numbers = []
    for number in range(5, 0, -1):
        data = (tmp_path / f"agents.log.{number}{ending}").read_bytes()
        numbers += [
            json.loads(line)["context"]["number"]
            for line in (gzip.decompress(data) if compress else data).splitlines()
        ]
    numbers += [
        json.loads(line)["context"]["number"] for line in (tmp_path / "agents.log").read_bytes().splitlines()
    ]
    assert numbers == list(range(100 - len(numbers), 100))


def test_the_defaults_are_the_seeds(tmp_path: Path) -> None:
    """10 MiB, five backups, 30 days, every level, text, compressed."""
    settings = configure_domains(tmp_path).settings
    assert (settings.max_bytes, settings.backup_count, settings.retention_days) == (10 * 1024 * 1024, 5, 30)
    assert (settings.severity, settings.format, settings.compress, settings.console) == (
        10,
        "text",
        True,
        True,
    )


def test_without_backups_a_file_starts_anew(tmp_path: Path) -> None:
    """`backup_count=0` keeps nothing that has rolled."""
    configure_domains(tmp_path, console=False, max_bytes=300, backup_count=0)
    for _ in range(20):
        log(entry("x" * 100))
    assert sorted(path.name for path in tmp_path.iterdir()) == [".slot-0.lock", "agents.log"]


def test_files_that_roll_on_while_one_is_compressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that moves up in the middle of it, or out, ends under its right name, or nowhere."""
    file = RotatingFile(tmp_path / "a.log", max_bytes=10, backup_count=2, on_rotated=lambda _: None)
    from replaystack.logs.domains import compression

    real = compression._compress
    for line in (b"000000\n", b"111111\n"):
        file.write(line)

    def during(source: int, part: Path) -> None:
        real(source, part)
        file.write(b"222222\n")  # what was .1 is .2 now

    monkeypatch.setattr(compression, "_compress", during)
    compress_backups(file)
    assert gzip.decompress((tmp_path / "a.log.2.gz").read_bytes()) == b"000000\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"111111\n"

    def twice(source: int, part: Path) -> None:
        during(source, part)
        file.write(b"333333\n")

    monkeypatch.setattr(compression, "_compress", twice)
    compress_backups(file)  # what was .1 is gone now
    file.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]


def test_old_backups_are_deleted(tmp_path: Path) -> None:
    """Of every process's files, at the first entry and with the first of each day; and nothing else."""
    old, young = time.time() - 31 * 86400, time.time() - 29 * 86400
    doomed = ["agents.log.1", "agents.log.2.gz", "agents@7.log.5.gz", "errors.log.3.gz"]
    kept = ["agents.log.4.gz", "notes.log.1", "agents.log.x", "agents.log", "xagents.log.1"]
    for name in doomed + kept:
        (tmp_path / name).write_text("x\n")
        os.utime(tmp_path / name, (old, young if name == kept[0] else old))
    sink = configure_domains(tmp_path, console=False, compress=False)
    log(entry("x"))
    assert sink.wait(30)
    left = {path.name for path in tmp_path.iterdir()} - {".slot-0.lock"}
    assert left == set(kept)
    (tmp_path / "agents.log.1").write_text("x\n")
    os.utime(tmp_path / "agents.log.1", (old, old))
    log(entry("same day"))
    assert sink.wait(30)
    assert (tmp_path / "agents.log.1").exists()
    log(entry("tomorrow")._replace(timestamp=time.time() + 86400))
    assert sink.wait(30)
    assert not (tmp_path / "agents.log.1").exists()


def test_retention_by_itself(tmp_path: Path) -> None:
    """A folder that is not there, and a link, are no trouble."""
    assert delete_old_backups(tmp_path / "none", ["a"], 1e12) == []
    (tmp_path / "target").write_text("precious")
    (tmp_path / "a.log.1").symlink_to(tmp_path / "target")
    assert delete_old_backups(tmp_path, ["a"], 1e12) == [tmp_path / "a.log.1"]
    assert (tmp_path / "target").read_text() == "precious"


def test_a_full_disk_tears_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller hears of it; the next line does not continue what was cut short."""
    file = RotatingFile(tmp_path / "a.log", max_bytes=1000, backup_count=2, on_rotated=lambda _: None)
    file.write(b"one\n")
    real = os.write
    calls: list[int] = []

    def full(descriptor: int, data: Any) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return real(descriptor, bytes(data)[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        file.write(b"two\n")
    monkeypatch.setattr(os, "write", real)
    file.write(b"three\n")
    file.close()
    assert (tmp_path / "a.log").read_bytes() == b"one\ntw\nthree\n"


def test_threads_share_a_file(tmp_path: Path) -> None:
    """Lines of many threads are whole, and all there."""
    configure_domains(
        tmp_path, console=False, max_bytes=2000, backup_count=500, format="json", compress=False
    )

    def write(thread: int) -> None:
        for number in range(100):
            log(entry("x" * (number % 50), fields={"who": [thread, number]}))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted(
        tuple(json.loads(line)["context"]["who"])
        for path in tmp_path.glob("agents.log*")
        for line in path.read_bytes().splitlines()
    )
    assert found == [(thread, number) for thread in range(8) for number in range(100)]


def test_after_close_nothing_is_written(tmp_path: Path) -> None:
    """A closed sink takes nothing more, and can be closed again."""
    sink = configure_domains(tmp_path, console=False)
    log(entry("one"))
    sink.close()
    sink.close()
    log(entry("two"))
    assert len((tmp_path / "agents.log").read_text().splitlines()) == 1
