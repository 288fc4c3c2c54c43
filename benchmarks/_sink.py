"""A receiver for benchmarks, in a process of its own: it must not take time from whom it measures.

It answers every POST with a 2xx, advertises what it is told to, and can write the ids of what it took to a
file, before it answers, so that they outlive it. As a script: `python -m benchmarks._sink PORT CAPABILITIES
IDS`, the last two may be empty.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Sink"]

_EVENT_ID = re.compile(rb'"eventId":\s*"([0-9a-f-]{36})"')
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_GZIP = re.compile(rb"\r\ncontent-encoding:\s*gzip", re.IGNORECASE)
_ANSWER = b'{"success":true,"message":"ok"}'


class Sink:
    """Starts and ends the process; the port stays the same over a restart. A context manager."""

    def __init__(self, *, capabilities: str = "", ids: Path | None = None) -> None:
        self._capabilities = capabilities
        self._ids = ids
        # Bound here for good: between two lives of the process nobody else gets the port, and it refuses.
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether the process was started and not killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start the process; blocks until it listens."""
        arguments = [str(self.port), self._capabilities, str(self._ids or "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._sink", *arguments], stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", "the sink did not start"

    def kill(self) -> None:
        """End the process as a crash would, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def taken(self) -> list[bytes]:
        """Return the ids of everything that was taken, in order, repeats included."""
        assert self._ids is not None
        data = self._ids.read_bytes()
        return [data[at : at + 36] for at in range(0, len(data), 36)]

    def __enter__(self) -> Sink:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._socket.close()


class _Connection(asyncio.Protocol):
    def __init__(self, capabilities: str, ids: int | None) -> None:
        self._capabilities = capabilities
        self._ids = ids
        self._data = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while self._take_request():
            pass

    def _take_request(self) -> bool:
        """Answer one request if all of it is there."""
        end = self._data.find(b"\r\n\r\n")
        if end < 0 or self._transport is None:
            return False
        head = bytes(self._data[:end])
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if len(self._data) < end + 4 + length:
            return False
        body = bytes(self._data[end + 4 : end + 4 + length])
        del self._data[: end + 4 + length]
        if self._ids is not None and head.startswith(b"POST"):
            plain = zlib.decompress(body, 47) if _GZIP.search(head) else body
            os.write(self._ids, b"".join(_EVENT_ID.findall(plain)))
        status = "200 OK" if self._capabilities or head.startswith(b"POST") else "404 Not Found"
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(_ANSWER)}"]
        if self._capabilities:
            lines.append(f"x-replaystack-capabilities: {self._capabilities}")
        self._transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + _ANSWER)
        return True


async def _serve(port: int, capabilities: str, ids_path: str) -> None:
    ids = os.open(ids_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if ids_path else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Connection(capabilities, ids), "127.0.0.1", port, reuse_port=True
    )
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
