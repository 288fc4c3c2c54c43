"""The payment provider: a real HTTP server in a process of its own, on loopback.

The card's first six digits decide what it does, as the test cards of real providers do:
400000 is declined, 400001 is answered too late, anything else goes through.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

__all__ = ["DECLINED_PREFIX", "LATE_PREFIX", "main"]

DECLINED_PREFIX = "400000"
LATE_PREFIX = "400001"


class _Provider(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, slow_seconds: float, late_seconds: float) -> None:
        super().__init__(("127.0.0.1", port), _Call)
        self.slow_seconds = slow_seconds
        self.late_seconds = late_seconds
        self.settled_cents = 0
        self.lock = threading.Lock()  # guards settled_cents: each call has its own thread


class _Call(BaseHTTPRequestHandler):
    server: _Provider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave in two writes; with it the second waits 40 ms
    _NEVER: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        if self.path != "/settlements":
            self._answer(404, {"reason": "no such page"})
            return
        self._linger(self.server.slow_seconds)
        with self.server.lock:
            self._answer(200, {"settled_cents": self.server.settled_cents})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))) or b"{}")
        if not self.headers.get("authorization", "").startswith("Bearer "):
            self._answer(401, {"reason": "who are you?"})
        elif self.path == "/charges":
            self._charge(body["amount_cents"], body["card"]["card_number"])
        else:
            self._answer(404, {"reason": "no such page"})

    def _charge(self, amount_cents: int, card_number: str) -> None:
        if card_number.startswith(DECLINED_PREFIX):
            self._answer(402, {"reason": "insufficient funds"})
            return
        if card_number.startswith(LATE_PREFIX):
            self._linger(self.server.late_seconds)
        with self.server.lock:
            self.server.settled_cents += amount_cents
        charge = f"ch_{secrets.token_hex(6)}"
        self._answer(201, {"id": charge, "client_secret": f"{charge}_secret_{secrets.token_urlsafe(18)}"})

    def _linger(self, seconds: float) -> None:
        self._NEVER.wait(seconds)

    def _answer(self, code: int, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        try:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            # The shop stopped waiting: that is what the late card is for.
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the shop's own log is the one to read."""


def main() -> int:
    """Serve until interrupted; the first line on standard output is `{"url": ...}`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8701, help="0 takes any free port")
    parser.add_argument("--slow-seconds", type=float, default=1.2, help="how long the settlements take")
    parser.add_argument("--late-seconds", type=float, default=5.0, help="how long a late card takes")
    options = parser.parse_args()
    with _Provider(options.port, options.slow_seconds, options.late_seconds) as server:
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}) + "\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
