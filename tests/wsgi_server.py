"""WSGI servers on a free port of loopback: two in a thread, gunicorn as a process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref import simple_server

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["serve", "serve_gunicorn", "serve_wsgiref"]

ROOT = Path(__file__).resolve().parent.parent
LISTENING = re.compile(r"Listening at: (http://127\.0\.0\.1:\d+)")


class _SilentHandler(WSGIRequestHandler):
    def log(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: exceptions of the application are what the tests are about."""


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve `app` with Werkzeug's server, a thread per request; yields its base URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_SilentHandler)
    server.log = lambda *_, **__: None  # type: ignore[method-assign]  # the same silence
    # Kept connections end with the test: closing the server must not wait for them.
    server.daemon_threads = True  # type: ignore[attr-defined]  # of the threading mixin
    with _running(server) as base_url:
        yield base_url


class _SilentSimpleHandler(simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def get_stderr(self) -> Any:
        return _Nowhere()


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Have none."""

    def flush(self) -> None:
        """Have nothing to flush."""


class _SimpleServer(simple_server.WSGIServer):
    def server_bind(self) -> None:
        """Bind without asking the resolver for a name, which may take seconds."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that give up in the middle are part of the tests."""


@contextmanager
def serve_wsgiref(app: Any) -> Iterator[str]:
    """Serve `app` with the standard library's server, one request at a time, HTTP/1.0."""
    server = simple_server.make_server("127.0.0.1", 0, app, _SimpleServer, _SilentSimpleHandler)
    with _running(server) as base_url:
        yield base_url


@contextmanager
def _running(server: Any) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()
        assert not thread.is_alive(), "the server did not stop"


@contextmanager
def serve_gunicorn(
    target: str, worker: str, environment: Mapping[str, str], *options: str, workers: int = 1
) -> Iterator[str]:
    """Serve `target` (`module:callable(...)`) with gunicorn workers of class `worker`.

    `environment` joins this process's own, `options` the command line. Ends it by
    SIGTERM, as a container does, and fails if it does not come to an end.
    """
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--worker-class", worker]
    command += [
        *options,
        "--workers",
        str(workers),
        "--log-level",
        "info",
        "--no-control-socket",
        "--graceful-timeout",
        "5",
    ]
    command += ["--threads", "4"] if worker == "gthread" else []
    path = [str(ROOT), os.environ.get("PYTHONPATH")]
    process = subprocess.Popen(
        [*command, target],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path)), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line)
            found = LISTENING.search(line)
            if found:
                break
        else:
            raise AssertionError(f"gunicorn did not start: {''.join(said)}")
        reader = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
        reader.start()
        yield found[1]
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait()
    reader.join(30)
    process.stderr.close()
