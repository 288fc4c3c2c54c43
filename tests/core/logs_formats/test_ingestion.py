"""`ingest_raw` against real servers: masked, retried, and honest about what was taken."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import queue
import re
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import requests
from tests.availability import missing
from tests.core.logs_formats.test_splitting import body_of

from replaystack import ReplayStackClient
from replaystack.logs.formats import FORMAT_CONTENT_TYPES, FORMATS, FormatError, FormatName
from replaystack.logs.ingestion import IngestRejected, RawIngestion
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replaystack_server.testing import RunningServer

KEY = "rs_live_a-key-for-tests"
SECRET = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
HANG_GUARD_SECONDS = 60


class Scripted:
    """An HTTP server that answers `/v1/logs` as it is told, and remembers what came."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str], Any]] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                scripted.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                count = body.count(b"\n") + (not body.endswith(b"\n"))
                default: tuple[int, dict[str, str], Any] = (
                    200,
                    {},
                    {"success": True, "count": count, "timestamp": 1},
                )
                status, headers, document = scripted.answers.pop(0) if scripted.answers else default
                raw = json.dumps(document).encode()
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(raw))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    """Run a server that can be told what to answer."""
    server = Scripted()
    thread = threading.Thread(target=server.server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.server.shutdown()
    server.server.server_close()
    thread.join(HANG_GUARD_SECONDS)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    """Run the real receiver."""
    with running_server() as running:
        yield running


@contextmanager
def client_for(url: str, key: str = KEY, **options: Any) -> Iterator[ReplayStackClient]:
    """Open a client whose retries do not wait."""
    with ReplayStackClient(api_key=key, endpoint=url, **{"timeout_seconds": 10, **options}) as client:
        waits: list[float] = []
        client._ingestion._sleep = waits.append
        client.waits = waits  # type: ignore[attr-defined]  # for the test to look at
        yield client


def stored(server: RunningServer, source: str) -> list[dict[str, Any]]:
    """Return the logs of a source, in the order in which they were written."""
    headers = {"authorization": f"Bearer {server.token}"}
    answer = httpx.get(f"{server.url}/v1/logs", params={"source": source, "limit": 1000}, headers=headers)
    return list(reversed(answer.json()["logs"]))


# -- what is sent


@pytest.mark.checklist("T13")
@pytest.mark.parametrize("name", FORMATS)
def test_the_exact_content_type_and_an_encoded_query(scripted: Scripted, name: FormatName) -> None:
    """Each format goes out under its own type; options are URL-encoded and fill the query."""
    options = {"source": "my app&level=error", "environment": "prod", "level": "warn", "dataset": "a b"}
    with client_for(scripted.url) as client:
        client.ingest_raw(body_of(["m"], name), name, options)
    ((path, headers, _),) = scripted.requests
    assert urlsplit(path).path == "/v1/logs"
    assert dict(parse_qsl(urlsplit(path).query)) == {"format": name, **options}
    assert headers["content-type"] == FORMAT_CONTENT_TYPES[name]
    assert {headers["x-api-key"], headers["x-replaystack-api-key"], headers["x-tracereplay-api-key"]} == {KEY}


@pytest.mark.checklist("T13")
def test_wrong_use_is_a_value_error_before_any_io(scripted: Scripted) -> None:
    """Unknown formats and options; and no client without a key."""
    with client_for(scripted.url) as client:
        for name, options in (
            ("xml", None),
            ("", None),
            ("text", {"sorce": "x"}),
            ("text", {"source": 3}),
            ("text", {"level": "loud"}),
        ):
            with pytest.raises(ValueError, match=r"format must|options of|must be"):
                client.ingest_raw("m", name, options)
    assert scripted.requests == []
    with pytest.raises(ValueError, match="apiKey"):
        ReplayStackClient(endpoint=scripted.url)


def test_the_client_fills_source_and_environment(scripted: Scripted) -> None:
    """A receiver requires both; options may be an object with attributes, too."""

    class Options:
        source = None
        dataset = "d"

    with client_for(scripted.url, service_name="shop", environment="staging") as client:
        client.ingest_raw("m", "text", Options())
    query = dict(parse_qsl(urlsplit(scripted.requests[0][0]).query))
    assert query == {"format": "text", "source": "shop", "environment": "staging", "dataset": "d"}


@pytest.mark.parametrize("name", FORMATS)
def test_masked_before_it_leaves(scripted: Scripted, name: FormatName) -> None:
    """No secret of any format reaches the network, split or not."""
    body = body_of([f"m{n} {SECRET}" for n in range(150)], name)
    if name == "csv":
        body = "level,message,password\n" + f"info,{SECRET},hunter2\n" * 150
    elif name in {"json", "jsonl"}:
        body = body.replace('{"message"', '{"data": {"password": "hunter2"}, "message"')
    with client_for(scripted.url) as client:
        client.ingest_raw(body, name)
    sent = b"".join(body for _, _, body in scripted.requests)
    assert len(scripted.requests) == 2
    assert b"MASKED" in sent
    assert SECRET.encode() not in sent
    assert b"hunter2" not in sent


@pytest.mark.parametrize("name", FORMATS)
def test_all_of_it_arrives(server: RunningServer, name: FormatName) -> None:
    """Through the real receiver: every log once, in order, under the client's source."""
    source = f"source-{name}"
    body = body_of([f"m{n:03}" for n in range(250)], name)
    if name in {"json", "jsonl"}:
        body = body.replace('"message"', '"level": "info", "sessionId": "s1", "message"')
    with client_for(server.url, server.key, service_name=source) as client:
        seen: list[int] = []
        report = client.ingest_raw(body, name, on_progress=lambda report: seen.append(report.accepted))
    assert (report.accepted, report.requests, seen) == (250, 3, [100, 200, 250])
    logs = stored(server, source)
    assert sorted(re.findall(r"m\d{3}", log["message"])[0] for log in logs) == [
        f"m{n:03}" for n in range(250)
    ]
    if name in {"json", "jsonl"}:
        assert {log["sessionId"] for log in logs} == {"s1"}


def test_bytes_and_files(server: RunningServer, tmp_path: Path) -> None:
    """A body may be bytes, or a file that is read as it is sent."""
    file = tmp_path / "x.log"
    file.write_bytes(b"\xef\xbb\xbfm1\r\nn\xe9\r\n")
    with client_for(server.url, server.key, service_name="bytes") as client, file.open("rb") as opened:
        assert client.ingest_raw(opened, "text").accepted == 2
        assert client.ingest_raw(file.read_bytes(), "text").accepted == 2
    assert sorted(log["message"] for log in stored(server, "bytes")) == ["m1", "m1", "né", "né"]


def test_in_an_event_loop(server: RunningServer) -> None:
    """The loop goes on while a file is sent."""

    async def work() -> tuple[int, int]:
        turns = 0
        with client_for(server.url, server.key, service_name="async") as client:
            task = asyncio.ensure_future(client.ingest_raw_async(body_of(["m"] * 300, "text"), "text"))
            while not task.done():
                turns += 1
                await asyncio.sleep(0)
            return (await task).accepted, turns

    accepted, turns = asyncio.run(work())
    assert accepted == 300
    assert turns > 3


def test_a_transport_of_ones_own(server: RunningServer) -> None:
    """It gets structured logs, decoded from what was masked, and no other socket is used."""
    calls: list[tuple[str, Any]] = []

    class Transport:
        def post(self, url: str, json: Any, headers: Any, timeout: float) -> Any:
            calls.append((url, json))
            return requests.models.Response()

    def answered(self: Any, url: str, json: Any, headers: Any, timeout: float) -> Any:
        calls.append((url, json))
        response = requests.models.Response()
        response.status_code = 200
        response._content = b'{"count": 2}'
        return response

    Transport.post = answered  # type: ignore[method-assign]  # the same, with an answer
    with client_for("http://127.0.0.1:9", transport=Transport(), service_name="own") as client:
        assert client.ingest_raw(f"ERROR: a {SECRET}\nb\n", "text").accepted == 2
    ((url, document),) = calls
    assert url == "http://127.0.0.1:9/v1/logs"
    assert [(log["level"], log["message"], log["source"]) for log in document["logs"]] == [
        ("error", "a [MASKED]", "own"),
        ("info", "b", "own"),
    ]


def test_a_client_that_is_switched_off(scripted: Scripted) -> None:
    """It does nothing, and wrong use is still an error."""
    with client_for(scripted.url, enabled=False) as client:
        assert client.ingest_raw("m", "text").accepted == 0
        with pytest.raises(ValueError, match="format must"):
            client.ingest_raw("m", "xml")
    assert scripted.requests == []


# -- trouble


@pytest.mark.checklist("T6")
def test_tried_again_and_taken_once(scripted: Scripted) -> None:
    """503, then 200: the same body and the same batch, after one wait."""
    scripted.answers = [(503, {}, {"error": "later"})]
    with client_for(scripted.url, max_retries=3) as client:
        assert client.ingest_raw("m", "text").accepted == 1
        waits = client.waits  # type: ignore[attr-defined]  # set by `client_for`
    first, second = scripted.requests
    assert first[2] == second[2]
    assert first[1]["x-replaystack-batch"] == second[1]["x-replaystack-batch"]
    assert len(waits) == 1
    assert 0 < waits[0] <= 0.15


@pytest.mark.checklist("T6")
def test_attempts_are_bounded_and_waits_double(scripted: Scripted) -> None:
    """max_retries + 1 attempts, waits within the doubling bound and its cap, then the error."""
    scripted.answers = [(500, {}, {"error": "no"})] * 20
    with client_for(scripted.url, max_retries=9) as client:
        with pytest.raises(IngestRejected, match="status 500: no") as refused:
            client.ingest_raw("m", "text")
        waits = client.waits  # type: ignore[attr-defined]  # set by `client_for`
    assert len(scripted.requests) == 10
    assert refused.value.status_code == 500
    for attempt, wait in enumerate(waits):
        bound = min(30.0, 0.15 * 2**attempt)
        assert bound / 2 <= wait <= bound


@pytest.mark.checklist("T7")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 302])
def test_what_cannot_help_is_not_tried_again(scripted: Scripted, status: int) -> None:
    """The error has the receiver's own words."""
    issues = [{"path": ["logs", 0, "level"], "message": "bad"}]
    scripted.answers = [
        (status, {"location": "http://127.0.0.1:9/"}, {"error": "Validation error", "issues": issues})
    ]
    with client_for(scripted.url, max_retries=5) as client, pytest.raises(IngestRejected) as refused:
        client.ingest_raw("m", "text")
    assert len(scripted.requests) == 1
    assert refused.value.status_code == status
    # A redirect is not followed, and its body not read.
    assert refused.value.document.get("issues") == (None if status == 302 else issues)
    assert refused.value.accepted == 0


@pytest.mark.checklist("T7")
@pytest.mark.parametrize(
    ("headers", "document"), [({"retry-after": "7"}, {}), ({}, {"error": "x", "retryAfter": 7})]
)
def test_a_receiver_may_ask_for_patience(scripted: Scripted, headers: dict[str, str], document: Any) -> None:
    """429 waits at least as long as asked, in the header or in the body."""
    scripted.answers = [(429, headers, document)]
    with client_for(scripted.url) as client:
        client.ingest_raw("m", "text")
        assert client.waits == [7.0]  # type: ignore[attr-defined]  # set by `client_for`


def test_nobody_answers() -> None:
    """The transport's own error reaches the caller after the last retry, without the key in it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with client_for(f"http://127.0.0.1:{port}", max_retries=2) as client:
        with pytest.raises(requests.exceptions.ConnectionError) as failed:
            client.ingest_raw("m", "text")
        assert len(client.waits) == 2  # type: ignore[attr-defined]  # set by `client_for`
    assert KEY not in str(failed.value)
    assert failed.value.accepted == 0  # type: ignore[attr-defined]  # noted by the ingestion


@pytest.mark.parametrize("how", ["refused", "unreadable"])
def test_half_way(scripted: Scripted, how: str) -> None:
    """What was taken before stays taken, and the error says how much and up to which line."""
    lines = [json.dumps({"message": f"m{n}"}) for n in range(250)]
    if how == "refused":
        ok: tuple[int, dict[str, str], Any] = (200, {}, {"count": 100})
        scripted.answers = [ok, ok, (400, {}, {"error": "Validation error"})]
    else:
        lines[220] = "{bad"
    with client_for(scripted.url) as client, pytest.raises((IngestRejected, FormatError)) as failed:
        client.ingest_raw("\n".join(lines), "jsonl")
    assert (failed.value.accepted, failed.value.last_line) == (200, 200)  # type: ignore[attr-defined]  # noted
    if isinstance(failed.value, FormatError):
        assert failed.value.line == 221


@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_the_earlier_failure_is_the_one_that_is_told(scripted: Scripted, tmp_path: Path, kind: str) -> None:
    """Made ahead or not: a request that is refused comes before a line behind it that cannot be read."""
    lines = [json.dumps({"message": f"m{n}"}) for n in range(350)]
    lines[320] = "{bad"
    body = "\n".join(lines).encode()
    ok: tuple[int, dict[str, str], Any] = (200, {}, {"count": 100})
    scripted.answers = [ok, ok, (400, {}, {"error": "Validation error"})]
    with client_for(scripted.url) as client, _opened(body, tmp_path, kind) as file:
        with pytest.raises(IngestRejected) as failed:
            client.ingest_raw(file, "jsonl")
        rest = file.read()
    assert (failed.value.accepted, failed.value.last_line) == (200, 200)
    assert len(scripted.requests) == 3
    # One request and the line that shows its end are read ahead, and nothing after the call is over.
    assert rest == b"" if kind == "file" else rest.count(b"\n") == 350 - 302


def test_a_pipe_is_not_waited_for_before_news(scripted: Scripted) -> None:
    """What became of a request is said while the next line has not been written yet."""
    reading, writing = os.pipe()
    told: queue.Queue[int] = queue.Queue()
    with client_for(scripted.url) as client, os.fdopen(reading, "rb") as file:
        call = threading.Thread(
            target=client.ingest_raw,
            args=(file, "jsonl"),
            kwargs={"on_progress": lambda report: told.put(report.accepted)},
        )
        call.start()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(b'{"message": "m"}\n' * 101)
            pipe.flush()
            assert told.get(timeout=HANG_GUARD_SECONDS) == 100
        call.join(HANG_GUARD_SECONDS)
    assert told.get(timeout=HANG_GUARD_SECONDS) == 101


@contextmanager
def _opened(body: bytes, folder: Path, kind: str) -> Iterator[BinaryIO]:
    if kind == "file":
        (folder / "logs").write_bytes(body)
        with (folder / "logs").open("rb") as file:
            yield file
        return
    reading, writing = os.pipe()
    writer = threading.Thread(target=_write_all, args=(writing, body))
    writer.start()
    with os.fdopen(reading, "rb") as file:
        yield file
    writer.join(HANG_GUARD_SECONDS)


def _write_all(writing: int, body: bytes) -> None:
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(body)


# -- compression


def test_compressed_once_the_receiver_says_that_it_can(scripted: Scripted) -> None:
    """The first request is plain, as nobody was asked; the others are gzip, and hold the same lines."""
    lines = [json.dumps({"message": f"message {n}"}) for n in range(250)]
    advertised: tuple[int, dict[str, str], Any] = (
        200,
        {"x-replaystack-capabilities": "bulk, gzip, logs"},
        {"count": 100},
    )
    scripted.answers = [advertised, advertised, advertised]
    with client_for(scripted.url) as client:
        assert client.ingest_raw("\n".join(lines), "jsonl").requests == 3
    assert [headers.get("content-encoding") for _, headers, _ in scripted.requests] == [None, "gzip", "gzip"]
    bodies = [
        gzip.decompress(body) if "content-encoding" in headers else body
        for _, headers, body in scripted.requests
    ]
    assert b"\n".join(bodies).decode().split("\n") == lines
    assert len(scripted.requests[1][2]) < len(bodies[1]) / 2


def test_a_receiver_that_takes_back_what_it_said(scripted: Scripted) -> None:
    """415 to a compressed request: the same goes out plain, at once, and so does all after it."""
    lines = "\n".join(json.dumps({"message": f"message {n}"}) for n in range(300))
    advertised: tuple[int, dict[str, str], Any] = (
        200,
        {"x-replaystack-capabilities": "gzip"},
        {"count": 100},
    )
    scripted.answers = [advertised, (415, {}, {"error": "no gzip"}), advertised, advertised]
    with client_for(scripted.url) as client:
        assert client.ingest_raw(lines, "jsonl").accepted == 300
        assert client.waits == []  # type: ignore[attr-defined]  # set by `client_for`
    encodings = [headers.get("content-encoding") for _, headers, _ in scripted.requests]
    assert encodings == [None, "gzip", None, None]
    assert len({headers["x-replaystack-batch"] for _, headers, _ in scripted.requests[1:3]}) == 1
    assert len({headers["x-replaystack-batch"] for _, headers, _ in scripted.requests}) == 3


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_body_is_an_error(scripted: Scripted, name: FormatName) -> None:
    """Never a silent success, in any format."""
    with client_for(scripted.url) as client, pytest.raises(FormatError):
        client.ingest_raw("", name)
    assert scripted.requests == []


def test_a_lost_answer_stores_nothing_twice(server: RunningServer) -> None:
    """The receiver stored it and the answer was lost: the retry changes nothing."""
    with client_for(server.url, server.key, service_name="lost", max_retries=2) as client:
        ingestion: RawIngestion = client._ingestion
        make = ingestion._transport
        losses = [TimeoutError("lost")]

        def losing() -> Any:
            transport = make()
            post = transport.post

            def lossy(*arguments: Any) -> Any:
                answer = post(*arguments)
                if losses:
                    raise losses.pop()
                return answer

            transport.post = lossy  # type: ignore[assignment, method-assign]  # the network after the receiver
            return transport

        ingestion._transport = losing  # type: ignore[method-assign]  # same
        assert client.ingest_raw("a\nb\n", "text").accepted == 2
    assert [log["message"] for log in stored(server, "lost")] == ["a", "b"]


# -- lines of logger(1)


@pytest.mark.parametrize("layout", ["--rfc5424", "--rfc3164"])
def test_lines_of_the_real_logger(server: RunningServer, layout: str) -> None:
    """What util-linux writes to a syslog server comes out with its level, tag, host and data."""
    logger = shutil.which("logger") or missing("logger(1) is not installed")
    source = f"shop-{layout.strip('-')}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(HANG_GUARD_SECONDS)
        port = str(daemon.getsockname()[1])
        extra = (
            ["--sd-id", "zoo@123", "--sd-param", 'tiger="hungry"', "--msgid", "X7"]
            if "5424" in layout
            else []
        )
        for priority, message in (
            ("user.err", "it broke: é"),
            ("local0.debug", "détail"),
            ("daemon.warning", "low"),
        ):
            command = [logger, "--server", "127.0.0.1", "--port", port, "--udp", layout, "--id=42"]
            subprocess.run(
                [*command, *extra, "-t", source, "-p", priority, message],
                check=True,
                timeout=HANG_GUARD_SECONDS,
            )
        body = b"\n".join(daemon.recv(8192) for _ in range(3))
    with client_for(server.url, server.key) as client:
        assert client.ingest_raw(body, "syslog").accepted == 3
    logs = stored(server, source)
    assert {(log["level"], log["message"]) for log in logs} == {
        ("error", "it broke: é"), ("debug", "détail"), ("warn", "low"),
    }  # fmt: skip
    for log in logs:
        assert log["data"]["processId"] == "42"
        assert log["data"]["hostname"]
        assert abs(log["timestamp"] - logs[0]["timestamp"]) < 24 * 3600 * 1000
        if "5424" in layout:
            assert log["data"]["structuredData"]["zoo@123"] == {"tiger": "hungry"}
            assert log["data"]["messageId"] == "X7"
