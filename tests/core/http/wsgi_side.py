"""The server's side of one WSGI request, and an application that answers what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    App = Callable[[dict[str, Any], Any], Iterable[bytes]]

__all__ = ["PLAIN", "Server", "answering"]

PLAIN = [("Content-Type", "text/plain")]


class Server:
    """The side of a server: keeps what `start_response` and `write` get."""

    def __init__(self) -> None:
        self.heads: list[tuple[str, list[tuple[str, str]], Any]] = []
        self.written: list[bytes] = []

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Take the head; return `write`."""
        self.heads.append((status, headers, exc_info))
        return self.written.append

    def run(self, app: App, environ: dict[str, Any]) -> bytes:
        """Do what a server does, and return the body."""
        result = app(environ, self.start_response)
        try:
            return b"".join([*self.written, *result])
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()


def answering(result: Any, headers: list[tuple[str, str]] | None = None, status: str = "200 OK") -> App:
    """Return an application that answers `result`."""

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(status, PLAIN if headers is None else headers)
        return result

    return app
