"""A receiver on loopback that keeps what arrived, and misbehaves on request."""

from __future__ import annotations

import gzip
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["BULK_PATH", "FLOWS_PATH", "INGEST_PATH", "LOGS_PATH", "Received", "Receiver", "Reply"]

INGEST_PATH = "/api/v1/ingest/events"
BULK_PATH = "/api/v1/ingest/bulk-events"
CAPABILITIES_PATH = "/api/v1/ingest/capabilities"
LOGS_PATH = "/v1/logs"
FLOWS_PATH = "/v1/flows"

WAIT_SECONDS = 30.0
"""How long a test waits for an arrival before it fails; only a failure ever uses it up."""

Misbehaviour = Literal["hang", "drip", "drip-head", "reset", "rubbish", "close"]


@dataclass(frozen=True)
class Reply:
    """One answer: a status with headers and a body, or a way not to answer."""

    status: int = 201
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    misbehave: Misbehaviour | None = None


@dataclass(frozen=True)
class Received:
    """One request as it stood on the wire; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which connection brought it, counted from 0."""

    @property
    def json(self) -> Any:
        """The body, parsed by the strict rules of JSON (no NaN)."""

        def refuse(constant: str) -> None:
            raise ValueError(f"not JSON: {constant}")

        packed = self.headers.get("content-encoding") == "gzip"
        return json.loads(gzip.decompress(self.body) if packed else self.body, parse_constant=refuse)


class Receiver:
    """Takes single events with 201, and batches if `capabilities` names bulk; knows nothing else (404).

    With `logs` and `flows` among the capabilities, or `takes_logs`, it takes those too. `replies`
    are used up one per event request, `log_replies` one per request to `/v1/logs`, in order;
    `reply` answers all others. Every method may be called from any thread; `events` and `logs`
    block until enough arrived.
    """

    def __init__(self, *, capabilities: str | None = None, takes_logs: bool = False) -> None:
        self.capabilities = capabilities
        self.takes_logs = takes_logs
        self.log_replies: deque[Reply] = deque()
        self.log_reply = Reply(200)
        self._logs: list[dict[str, Any]] = []
        self.reply = Reply()
        self.replies: deque[Reply] = deque()
        self.released = threading.Event()
        """Set it to let hanging and dripping answers go; closing the receiver does."""
        self._requests: list[Received] = []
        self._taken: list[dict[str, Any]] = []
        self._connections = 0
        self._arrival = threading.Condition()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port; what goes into `endpoint=`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def ingest_url(self) -> str:
        """Where single events go."""
        return self.origin + INGEST_PATH

    def requests(self) -> list[Received]:
        """Return all that arrived until now, whatever the path."""
        with self._arrival:
            return list(self._requests)

    def posts(self) -> list[Received]:
        """Return the requests to the ingest paths that arrived until now, refused ones too."""
        return [request for request in self.requests() if request.method == "POST"]

    def wait_for_posts(self, count: int) -> list[Received]:
        """Wait until `count` requests arrived at the ingest paths. Fails after some time."""
        with self._arrival:
            arrived = self._arrival.wait_for(lambda: len(self.posts()) >= count, WAIT_SECONDS)
        assert arrived, f"expected {count} requests, got {len(self.posts())}"
        return self.posts()

    def taken(self) -> list[dict[str, Any]]:
        """Return the events that were answered with a 2xx until now."""
        with self._arrival:
            return list(self._taken)

    def events(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until `count` events were taken and return all there are. Fails after some time."""
        with self._arrival:
            arrived = self._arrival.wait_for(lambda: len(self._taken) >= count, WAIT_SECONDS)
            events = list(self._taken)
        assert arrived, f"expected {count} events, got {len(events)}: {events}"
        return events

    def logs(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until `count` log entries were taken and return all there are. Fails after some time."""
        with self._arrival:
            arrived = self._arrival.wait_for(lambda: len(self._logs) >= count, WAIT_SECONDS)
            entries = list(self._logs)
        assert arrived, f"expected {count} log entries, got {len(entries)}: {entries}"
        return entries

    def taken_logs(self) -> list[dict[str, Any]]:
        """Return the log entries that were answered with a 2xx until now."""
        with self._arrival:
            return list(self._logs)

    def log_posts(self, count: int = 0) -> list[Received]:
        """Wait until `count` requests arrived at `/v1/logs`, whatever the answer, and return all."""

        def found() -> list[Received]:
            return [request for request in self._requests if request.path.partition("?")[0] == LOGS_PATH]

        with self._arrival:
            arrived = self._arrival.wait_for(lambda: len(found()) >= count, WAIT_SECONDS)
            posts = found()
        assert arrived, f"expected {count} requests, got {len(posts)}"
        return posts

    def event(self) -> dict[str, Any]:
        """Wait for the one event of a test; more than one is a failure."""
        (event,) = self.events(1)
        return event

    def connected(self) -> int:
        """Count a new connection and return its number."""
        with self._arrival:
            self._connections += 1
            return self._connections - 1

    def react(self, request: Received) -> Reply:
        """Keep `request` and say how to answer."""
        with self._arrival:
            self._requests.append(request)
            reply = self._choose(request)
            is_taken = request.method == "POST" and reply.misbehave is None and 200 <= reply.status < 300
            if is_taken and request.path.startswith(LOGS_PATH + "?"):
                pass  # a raw body: the test looks at the request itself
            elif is_taken and request.path == LOGS_PATH:
                self._logs.extend(request.json["logs"])
            elif is_taken and request.path in {INGEST_PATH, BULK_PATH}:
                self._taken.extend(request.json["events"] if request.path == BULK_PATH else [request.json])
            self._arrival.notify_all()
            return reply

    def _choose(self, request: Received) -> Reply:
        if request.method == "GET" and request.path == CAPABILITIES_PATH and self.capabilities is not None:
            return Reply(200)
        words = self.capabilities or ""
        if request.method == "POST" and request.path.partition("?")[0] == LOGS_PATH:
            if self.takes_logs or "logs" in words:
                return self.log_replies.popleft() if self.log_replies else self.log_reply
        elif (
            request.method == "POST" and request.path == FLOWS_PATH and (self.takes_logs or "flows" in words)
        ):
            name = request.json["name"]
            return Reply(200, body={"flowId": f"{name}-x7y8z9ab", "name": name})
        known = {INGEST_PATH} | ({BULK_PATH} if "bulk" in (self.capabilities or "") else set())
        if request.method != "POST" or request.path not in known:
            return Reply(404, body={"success": False, "message": "Not found"})
        return self.replies.popleft() if self.replies else self.reply

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a kept-alive connection must not hold the test up
    request_queue_size = 128

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that give up in the middle are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.number = self.server.receiver.connected()

    def _serve(self) -> None:
        receiver = self.server.receiver
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        reply = receiver.react(Received(self.command, self.path, headers, body, self.number))
        if reply.misbehave is not None:
            self._misbehave(reply.misbehave)
            return
        payload = reply.body if reply.body is not None else {"success": reply.status < 300, "message": "ok"}
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send_response(reply.status)
        if receiver.capabilities is not None:
            self.send_header("x-replaystack-capabilities", receiver.capabilities)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_HEAD = _serve

    def _misbehave(self, how: Misbehaviour) -> None:
        self.close_connection = True
        released = self.server.receiver.released
        if how == "hang":
            released.wait(WAIT_SECONDS)
        elif how in {"drip", "drip-head"}:
            head = b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n"
            self.wfile.write(head if how == "drip" else head[:12])
            # One byte every 50 ms: each read of the client succeeds, the answer never ends.
            while not released.wait(0.05):
                self.wfile.write(b"x")
        elif how == "reset":
            import socket
            import struct

            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif how == "rubbish":
            self.wfile.write(b"\x00\xff\xfenot http at all\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test looks at what was recorded."""
