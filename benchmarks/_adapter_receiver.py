"""The receiver of the adapter benchmark: takes bulk, counts events, and costs next to nothing.

    python -m benchmarks._adapter_receiver

The first line on standard output is its port. `GET /count` tells how many events arrived; whatever else
is posted (OpenTelemetry's exporter does) is taken with 200.
"""

from __future__ import annotations

import asyncio
import sys

import orjson

__all__ = ["main"]

BULK, SINGLE = b"/api/v1/ingest/bulk-events", b"/api/v1/ingest/events"
ANSWER = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
CAPABILITIES = b"X-ReplayStack-Capabilities: bulk\r\n"


class Receiving(asyncio.Protocol):
    """One connection."""

    events = 0  # of all connections

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers go out on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            lowered = head.lower()
            length = 0
            if (at := lowered.find(b"\r\ncontent-length:")) >= 0:
                length = int(lowered[at + 17 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            del self._buffer[: end + 4 + length]
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        status, answer = b"200 OK", b"{}"
        if path == BULK:
            count = len(orjson.loads(body)["events"])
            Receiving.events += count
            answer = b'{"success":true,"data":{"accepted":%d,"rejected":[]}}' % count
        elif path == SINGLE:
            Receiving.events += 1
            status, answer = b"201 Created", b'{"success":true}'
        elif path == b"/count":
            answer = b'{"events":%d}' % Receiving.events
        assert self._transport is not None
        self._transport.write(ANSWER % (status, len(answer), CAPABILITIES, answer))


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Receiving, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
