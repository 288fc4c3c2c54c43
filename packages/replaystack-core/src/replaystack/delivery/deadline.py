"""A bound on a whole attempt, also against a receiver that answers one byte at a time.

A socket's timeout starts anew with each byte, so a receiver that drips can hold a client
for hours. Here each read asks how much of the attempt is left. A wait is cut into short
ones, so that the one thread of a client can write new events to the spool meanwhile.
"""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Deadline", "bounded_connection"]


_WORK_SECONDS = 0.2
"""How long one wait lasts where there is other work: half of what DESIGN.md grants the spool (0.5 s)."""


class Deadline:
    """The end of the attempt that the calling thread makes. One value per thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._local = threading.local()

    def start(self, seconds: float, work: Callable[[], None] | None = None) -> None:
        """Give the calling thread's attempt `seconds` from now; `work` is done while it waits."""
        self._local.at = self._monotonic() + seconds
        self._local.work = work

    def next_wait(self) -> float:
        """Return the seconds that one wait may last. Raises as `remaining` does."""
        left = self.remaining()
        return left if self._local.work is None else min(left, _WORK_SECONDS)

    def waited(self) -> None:
        """Do the other work after a wait that brought nothing. Raises TimeoutError if the time is over."""
        if self._local.work is not None:
            self._local.work()
        self.remaining()

    def remaining(self) -> float:
        """Return the seconds left.

        Raises:
            TimeoutError: there are none.

        """
        left: float = self._local.at - self._monotonic()
        if left <= 0:
            raise TimeoutError("the attempt's time is over")
        return left


def _only_waited(error: TimeoutError) -> None:
    """Raise `error` if it is the connection's end (ETIMEDOUT) and not merely the end of one wait."""
    if error.errno is not None:
        raise error


# Linux only. A receiver that writes head and body of its answer apart waits for our ACK of the
# first (Nagle); delayed as usual, it would cost 40 ms per event. Undone by the kernel now and
# then, so it is asked for before each read.
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class _BoundedReader(io.RawIOBase):
    """A socket's file whose every read has what is left of the attempt, not a fresh timeout."""

    def __init__(self, sock: Any, deadline: Deadline) -> None:
        super().__init__()
        self._socket = sock
        # The socket's own file object keeps the socket open until it is closed itself.
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        while True:
            self._socket.settimeout(self._deadline.next_wait())
            if _QUICK_ACK is not None:
                try:
                    self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
                except OSError:  # not TCP, or closed already: the read itself will tell
                    pass
            try:
                # Not through the file: it refuses to read again after a timeout.
                count: int = self._socket.recv_into(buffer)
            except TimeoutError as error:
                _only_waited(error)
                self._deadline.waited()
            else:
                return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _BoundedSocket:
    """A connected socket, plain or TLS, that hands out bounded files; all else is the socket's."""

    def __init__(self, sock: Any, deadline: Deadline) -> None:
        self._socket = sock
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def makefile(self, *_args: Any, **_kwargs: Any) -> io.BufferedReader:
        """Return the reader that http.client asks for (always "rb")."""
        return io.BufferedReader(_BoundedReader(self._socket, self._deadline))

    def sendall(self, data: Any, *args: Any) -> None:
        """Send all of it under what is left of the attempt."""
        view = memoryview(data).cast("B")
        sent = 0
        while sent < len(view):
            self._socket.settimeout(self._deadline.next_wait())
            try:
                sent += self._socket.send(view[sent:], *args)
            except TimeoutError as error:
                _only_waited(error)
                self._deadline.waited()


def _connect_one(sock: socket.socket, address: Any, deadline: Deadline) -> None:
    """Connect, in short waits. Raises OSError."""
    sock.settimeout(deadline.next_wait())
    try:
        sock.connect(address)
    except TimeoutError as error:
        _only_waited(error)  # then the kernel goes on trying
        from urllib3.util import wait_for_write  # noqa: PLC0415 - lazily, as all that is third-party

        deadline.waited()
        while not wait_for_write(sock, deadline.next_wait()):
            deadline.waited()
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code)) from None


def _connect(
    host: str, port: int, source: Any, options: Sequence[tuple[int, int, int]] | None, deadline: Deadline
) -> socket.socket:
    """Return a socket connected to the first address of `host` that answers.

    Raises:
        OSError: none did, or the time is over.

    """
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host.strip("[]"), port, 0, socket.SOCK_STREAM
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            for option in options or ():
                sock.setsockopt(*option)
            if source:
                sock.bind(source)
            _connect_one(sock, address, deadline)
        except OSError as error:
            sock.close()
            failure = error
            if isinstance(error, TimeoutError):
                break
        else:
            return sock
    raise failure or OSError(f"no address for {host!r}")


def bounded_connection(connection_class: Any, deadline: Deadline) -> Any:
    """Return urllib3's `connection_class` with every step under `deadline`.

    Name resolution is the one step that Python cannot bound. A TLS handshake and a proxy's
    CONNECT get what is left when they begin, for each of their reads.
    """

    class BoundedConnection(connection_class):  # type: ignore[misc]  # the base is known at run time only
        sock: Any

        def _new_conn(self) -> socket.socket:
            # urllib3 gives each address of a host the whole timeout; here they share what is left.
            return _connect(self._dns_host, self.port, self.source_address, self.socket_options, deadline)

        def connect(self) -> None:
            self.timeout = deadline.remaining()
            super().connect()
            self.sock = _BoundedSocket(self.sock, deadline)

    return BoundedConnection
