"""A raw HTTP/1.1 client: what a server answers, byte for byte, as it comes."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

__all__ = ["Connection", "RawAnswer", "exchange"]

HANG_GUARD_SECONDS = 30.0

# What differs between two runs of the same application, or is what we add.
VARYING_HEADERS = frozenset({b"date", b"x-trace-id", b"x-correlation-id"})


@dataclass(frozen=True)
class RawAnswer:
    """An answer as its bytes."""

    data: bytes

    @property
    def head(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        """Everything after the head, chunk framing included."""
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.split(b"\r\n")[1:]
        pairs = (line.partition(b":") for line in lines)
        return {name.decode().lower(): value.strip().decode("latin-1") for name, _, value in pairs}

    def comparable(self) -> tuple[bytes, list[bytes], bytes]:
        """Status line, header lines without those that vary, and body: equal means: nobody notices."""
        status, *lines = self.head.split(b"\r\n")
        kept = [line for line in lines if line.partition(b":")[0].lower() not in VARYING_HEADERS]
        return status, kept, self.body


def request_bytes(
    method: str,
    path: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> bytes:
    """Return a request that asks for the connection to be closed after the answer."""
    pairs = list(headers.items() if hasattr(headers, "items") else headers)
    lines = [f"{method} {path} HTTP/1.1", "Host: shop.example:8000", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in pairs]
    if body is not None and not any(name.lower() == "transfer-encoding" for name, _ in pairs):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Connection:
    """One connection to a server on loopback; a context manager."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._socket = socket.create_connection(
            (parts.hostname, parts.port or 80), timeout=HANG_GUARD_SECONDS
        )
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read_until(self, marker: bytes) -> bytes:
        """Return what came up to and including `marker`; the rest waits for the next read."""
        while marker not in self._buffer:
            piece = self._socket.recv(65536)
            assert piece, f"the server closed before {marker!r}: {self._buffer!r}"
            self._buffer += piece
        before, found, self._buffer = self._buffer.partition(marker)
        return before + found

    def read_all(self) -> RawAnswer:
        """Return everything up to the server's close."""
        while piece := self._socket.recv(65536):
            self._buffer += piece
        return RawAnswer(self._buffer)

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()


def exchange(
    base_url: str,
    method: str,
    path: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> RawAnswer:
    """Make one request on a connection of its own and return the whole answer."""
    with Connection(base_url) as connection:
        connection.send(request_bytes(method, path, headers, body))
        return connection.read_all()
