"""A collector on loopback that reads OTLP/JSON as its makers define it, and misbehaves on request."""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Collector", "parse"]

WAIT_SECONDS = 30


def parse(body: bytes) -> ExportLogsServiceRequest:
    """Return the request; raises where one field of it is not in the definition.

    Trace and span ids are hex in OTLP's JSON and base64 in that of Protocol Buffers.
    """
    document = json.loads(body)
    for resource in document.get("resourceLogs", []):
        for scope in resource.get("scopeLogs", []):
            for record in scope.get("logRecords", []):
                for key in {"traceId", "spanId"} & record.keys():
                    record[key] = base64.b64encode(bytes.fromhex(record[key])).decode()
    request = ExportLogsServiceRequest()
    json_format.ParseDict(document, request, ignore_unknown_fields=False)
    return request


class Collector:
    """Answers 200 `{}`; first what is in `replies`: a status, or (status, headers, document)."""

    def __init__(self) -> None:
        self.replies: deque[tuple[int, dict[str, str], Any]] = deque()
        self.requests: list[tuple[str, dict[str, str], ExportLogsServiceRequest]] = []
        self.hold = threading.Event()
        self.hold.set()
        self.arrived = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with collector.arrived:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    collector.requests.append((self.path, headers, parse(body)))
                    collector.arrived.notify_all()
                assert collector.hold.wait(WAIT_SECONDS)
                status, extra, document = collector.replies.popleft() if collector.replies else (200, {}, {})
                content = json.dumps(document).encode()
                self.send_response(status)
                for name, value in {**extra, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def endpoint(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def wait_for(self, count: int) -> None:
        """Wait until so many requests arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, WAIT_SECONDS)

    def bodies(self) -> list[str]:
        """Return the messages of all records that arrived."""
        return [
            record.body.string_value
            for _, _, request in self.requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.hold.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
