"""The receiver of a cell, on loopback: it behaves as the cell says until it is healed.

It keeps every event and every log entry that reached it, and accepts as the real one does: the first of
an id counts, a second one is answered with a 2xx too, and noted.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from tests.faults.cells import Receiving

__all__ = ["Arrivals", "Attempt", "ScriptedReceiver"]

BULK_PATH = "/api/v1/ingest/bulk-events"
INGEST_PATH = "/api/v1/ingest/events"
LOGS_PATH = "/v1/logs"
CAPABILITIES_PATH = "/api/v1/ingest/capabilities"

LARGEST_BODY = 4096
"""What the 413 receiver takes; a request of several ordinary events may be over it too."""
RETRY_AFTER_SECONDS = 1
BURSTS = (500, 500, 201, 201, 500, 201, 500, 500, 201)
RESETS = 3
HANG_GUARD_SECONDS = 60.0


@dataclass(frozen=True)
class Attempt:
    """One request with events or log entries: when it came, what was in it, and what became of it."""

    moment: float
    marks: tuple[str, ...]
    ids: tuple[str, ...]
    outcome: str


@dataclass
class Arrivals:
    """What reached a receiver, of one kind: events, or log entries at `/v1/logs`."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Id to mark, of all that was answered with a 2xx."""
    attempts: list[Attempt] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    """How often an id came again after it had been accepted, by mark."""
    carried: set[str] = field(default_factory=set)
    """Marks of log entries that accepted events brought along. Of events only."""
    posts: int = 0


class ScriptedReceiver:
    """Serves one cell. A context manager; every method may be called from any thread."""

    def __init__(self, receiving: Receiving, capabilities: str | None) -> None:
        self.receiving: Receiving = receiving
        self.capabilities = capabilities
        self.healed = threading.Event()
        self._lock = threading.Lock()  # guards everything below
        self._events = Arrivals()
        self._logs = Arrivals()
        self._server = _Server(self)
        self._thread: threading.Thread | None = None
        if receiving not in {"refusing", "down-then-up"}:
            self.open()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def open(self) -> None:
        """Take connections from now on. Until then the port is ours, and refuses them."""
        if self._thread is None:
            self._server.server_activate()
            self._thread = threading.Thread(
                target=self._server.serve_forever, args=(0.02,), daemon=True, name="receiver"
            )
            self._thread.start()

    def heal(self) -> None:
        """Take everything from now on, whatever the cell says; let go of what hangs."""
        self.healed.set()
        self.open()

    # -- what arrived ---------------------------------------------------------------------------

    def events(self) -> Arrivals:
        """Return the events until now."""
        with self._lock:
            return deepcopy(self._events)

    def logs(self) -> Arrivals:
        """Return the log entries that came by themselves until now."""
        with self._lock:
            return deepcopy(self._logs)

    # -- choosing an answer ---------------------------------------------------------------------

    def choose(self, size: int, path: str) -> int | str:
        """Say what the next request with events, or with logs, gets: a status, or a way not to answer."""
        with self._lock:  # each kind has its own row of failures, so that both meet them
            arrivals = self._logs if path == LOGS_PATH else self._events
            number = arrivals.posts
            arrivals.posts += 1
        if self.healed.is_set():
            return 201
        if self.receiving == "429-retry-after":
            return 429 if number == 0 else 201
        if self.receiving == "500-bursts":
            return BURSTS[number] if number < len(BURSTS) else 201
        if self.receiving == "413":
            return 413 if size > LARGEST_BODY else 201
        if self.receiving == "reset-mid-body":
            return "reset" if number < RESETS else 201
        return self.misbehaviour or 201

    @property
    def misbehaviour(self) -> str | None:
        """How requests of every kind go wrong just now."""
        ways = {"hanging": "hang", "dripping": "drip", "rubbish": "rubbish"}
        return None if self.healed.is_set() else ways.get(self.receiving)

    def book(self, body: bytes, outcome: int | str, path: str) -> None:
        """Keep what arrived. Before the answer: who sees the answer may look at once."""
        document = json.loads(body)
        events: list[dict[str, Any]] = []
        if path == LOGS_PATH:
            marks = tuple(entry["message"].rpartition(" ")[2] for entry in document["logs"])
            ids = tuple(entry["id"] for entry in document["logs"])
        else:
            events = document.get("events", [document])
            marks = tuple(event["endpoint"].rpartition("/")[2] for event in events)
            ids = tuple(event["metadata"]["replaystack"]["eventId"] for event in events)
        with self._lock:
            arrivals = self._logs if path == LOGS_PATH else self._events
            arrivals.attempts.append(Attempt(time.monotonic(), marks, ids, str(outcome)))
            if outcome != 201:
                return
            for identity, mark in zip(ids, marks, strict=True):
                if identity in arrivals.accepted:
                    arrivals.repeats[mark] += 1
                arrivals.accepted.setdefault(identity, mark)
            for event in events:
                arrivals.carried |= {entry["message"].rpartition(" ")[2] for entry in event.get("logs", ())}

    def __enter__(self) -> ScriptedReceiver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.healed.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a kept-alive connection must not hold the cell up
    block_on_close = False
    request_queue_size = 128

    def __init__(self, receiver: ScriptedReceiver) -> None:
        self.receiver = receiver
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.server_bind()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that give up in the middle are what the cells are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        receiver = self.server.receiver
        if receiver.misbehaviour is not None:
            self._misbehave(receiver.misbehaviour)
        else:
            known = receiver.capabilities is not None and self.path == CAPABILITIES_PATH
            self._answer(200 if known else 404)

    def do_POST(self) -> None:
        receiver = self.server.receiver
        length = int(self.headers.get("content-length") or 0)
        known = {INGEST_PATH}
        if receiver.capabilities is not None:
            known |= {BULK_PATH, LOGS_PATH}
        if self.path not in known:
            self.rfile.read(length)
            self._answer(404)
            return
        outcome = receiver.choose(length, self.path)
        if outcome == "reset":
            self.rfile.read(length // 2)
            self._misbehave("reset")
            return
        body = self.rfile.read(length)
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
            if outcome == 201 and receiver.receiving == "413" and not receiver.healed.is_set():
                outcome = 413 if len(body) > LARGEST_BODY else 201
        receiver.book(body, outcome, self.path)
        if isinstance(outcome, int):
            self._answer(outcome)
        else:
            self._misbehave(outcome)

    def _answer(self, status: int) -> None:
        content = json.dumps({"success": status < 300, "message": "as the cell says"}).encode()
        self.send_response(status)
        if self.server.receiver.capabilities is not None:
            self.send_header("x-replaystack-capabilities", self.server.receiver.capabilities)
        if status == 429:
            self.send_header("Retry-After", str(RETRY_AFTER_SECONDS))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _misbehave(self, how: str) -> None:
        self.close_connection = True
        healed = self.server.receiver.healed
        if how == "hang":
            healed.wait(HANG_GUARD_SECONDS)
        elif how == "drip":
            self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n")
            # One byte every 50 ms: each read of the client succeeds, the answer never ends.
            while not healed.wait(0.05):
                self.wfile.write(b"x")
        elif how == "rubbish":
            self.wfile.write(b"\x00\xff\xfenot http at all\r\n\r\n")
        elif how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the cell looks at what was booked."""
