"""The ways to run: how each is started, made to capture, and brought to its end."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.stage import Stage

__all__ = ["Company", "company_for"]

HANG_GUARD_SECONDS = 40.0
CAPTURES = 6
LARGE = b'{"note": "' + b"a large body, " * 500 + b'"}'
SCRIPTS: Final = {
    "plain": "plain",
    "threads": "threads",
    "asyncio": "coroutines",
    "multiprocessing": "forks",
}
"""Ways to run that are a script of `programs/`."""


class Company:
    """A script of `programs/`: it captures by itself, and ends by itself or by a signal."""

    def __init__(self, stage: Stage, options: dict[str, Any]) -> None:
        self.stage = stage
        self.cell = stage.cell
        self.options = options

    def start(self) -> None:
        """Start the first process."""
        program = f"tests.faults.programs.{SCRIPTS[self.cell.running]}"
        self.stage.start(["-m", program], self.options)

    def capture(self) -> None:
        """Wait until everything is captured."""
        speakers = 3 if self.cell.running == "multiprocessing" else 1
        self.stage.expect(lambda: len(self.stage.ready) == speakers, f"{speakers} that have captured")

    def end(self) -> None:
        """Give the word; then, where the cell says so, the signal."""
        stage = self.stage
        stage.write("go")
        ends = set(stage.processes)
        if self.cell.running == "multiprocessing":  # the children end as the cell says, the parent returns
            stage.processes[stage.root.pid].ending = "return"
            ends.remove(stage.root.pid)
        if self.cell.ending in {"SIGTERM", "kill-9"}:
            stage.expect(lambda: ends <= set(stage.ending_pids), "those who are to be ended to be waiting")
            for pid in ends:
                os.kill(pid, signal.SIGTERM if self.cell.ending == "SIGTERM" else signal.SIGKILL)

    def nudge(self) -> None:
        """Help the end along; called again and again while it is waited for."""


class Workers(Company):
    """A process that has two others at work, and starts new ones when they end."""

    at_once = frozenset({"os._exit"})
    """Endings that one worker comes to while it works; the others end in order."""

    @abstractmethod
    def send_capture(self, number: int) -> None:
        """Make one worker capture."""

    @abstractmethod
    def send_end(self) -> None:
        """Make one worker end as the cell says."""

    @abstractmethod
    def tick(self) -> None:
        """Give one worker something to do that is not captured."""

    def capture(self) -> None:
        """Make the workers capture, and wait until they have; the first process may have done so itself."""
        for number in range(CAPTURES):
            self.send_capture(number)
        stage = self.stage
        expected = CAPTURES + (self.cell.running in {"gunicorn-preload", "celery-prefork"})
        stage.expect(
            lambda: sum(len(one.marks) for one in stage.processes.values()) == expected,
            f"{expected} captures",
        )

    def end(self) -> None:
        """Bring about the end of the cell, then, where it was a worker's, that of all."""
        stage, ending = self.stage, self.cell.ending
        if ending == "kill-9":
            os.killpg(stage.root.pid, signal.SIGKILL)
            return
        if ending == "return":
            self.recycle()
        elif ending in self.at_once:
            for process in stage.processes.values():
                process.ending = "SIGTERM"
            self.send_end()
            stage.expect(lambda: any(map(stage.is_gone, stage.ending_pids)), "the one that ends to be gone")
            stage.processes[stage.ending_pids[0]].ending = ending
        self.stop()

    def stop(self) -> None:
        """End the first process, and so all."""
        self.stage.root.send_signal(signal.SIGTERM)

    def recycle(self) -> None:
        """Keep the workers busy until all that captured have come to their limit and returned."""
        stage = self.stage
        old = [pid for pid in stage.pids_with_marks() if pid != stage.root.pid]
        stage.expect(lambda: all(map(stage.is_gone, old)), "the workers to be recycled", meanwhile=self.tick)


class Uvicorn(Workers):
    """uvicorn with two workers, over a listening socket of ours."""

    def __init__(self, stage: Stage, options: dict[str, Any]) -> None:
        super().__init__(stage, options)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    @property
    def command(self) -> list[str]:
        """The command line, but for the limit of requests."""
        command = ["uvicorn", "--fd", str(self.listener.fileno()), "--workers", "2", "--lifespan", "on"]
        return [*command, "--log-level", "critical", "tests.faults.programs.asgi:application"]

    limit_option = "--limit-max-requests"

    def start(self) -> None:
        """Start the server; in the cells that end by returning, its workers take ten requests each."""
        limit = [self.limit_option, "10"] if self.cell.ending == "return" else []
        self.stage.start(["-m", *self.command, *limit], self.options, pass_fds=(self.listener.fileno(),))

    def send_capture(self, number: int) -> None:
        """Make a request whose event is captured; it is answered as if nobody looked on."""
        status, body = self.request(f"/capture/{number}", LARGE if number % 3 == 0 else b"")
        assert (status, body) == (200, b"capture done"), f"{self.cell.id}: {status} {body!r}"

    def send_end(self) -> None:
        """Make a request that is never answered."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.request("/end")

    def tick(self) -> None:
        """Make a request that is not captured; a worker that just ends may leave it without an answer."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.request("/tick")

    def request(self, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return status and body of the answer."""
        host, port = self.listener.getsockname()
        connection = http.client.HTTPConnection(host, port, timeout=HANG_GUARD_SECONDS)
        try:
            connection.request(
                "POST", path, body, {"Connection": "close", "Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Gunicorn(Uvicorn):
    """gunicorn with two workers: sync ones under preload, or gevent's."""

    limit_option = "--max-requests"

    @property
    def command(self) -> list[str]:
        kind = ["--preload"] if self.cell.running == "gunicorn-preload" else ["--worker-class", "gevent"]
        command = ["gunicorn", "--bind", f"fd://{self.listener.fileno()}", "--workers", "2", *kind]
        command += ["--log-level", "critical", "--config", "python:tests.faults.programs.gunicorn_settings"]
        return [*command, "tests.faults.programs.wsgi:application"]

    def stop(self) -> None:
        """End the master: `sys.exit` is its quick shutdown, which does that in each worker."""
        stage = self.stage
        if self.cell.ending == "sys.exit":
            stage.root.send_signal(signal.SIGINT)
            return
        # It waits half a minute for a worker that gets the signal before it can hear it.
        stage.expect(lambda: len(stage.alive_and_ready()) == 2, "two workers")
        super().stop()


class Celery(Workers):
    """A celery worker with two forked children; tasks take the place of requests."""

    at_once = frozenset({"os._exit", "sys.exit"})
    nudges = 4

    def start(self) -> None:
        """Start the main process, and wait until it takes tasks."""
        command = ["celery", "-A", "tests.faults.programs.tasks", "worker", "--pool", "prefork"]
        command += ["--concurrency", "2", "--loglevel", "CRITICAL"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self.stage.start(["-m", *command], self.options)
        self.stage.expect(lambda: self.stage.root.pid in self.stage.ready, "the worker to be ready")

    def send_capture(self, number: int) -> None:
        """Send a task that captures."""
        self.stage.write(f"task capture {number}")

    def send_end(self) -> None:
        """Send a task that is never done."""
        self.stage.write("task end now")

    def tick(self) -> None:
        """Send a task that does nothing."""
        self.stage.write("task tick now")

    def stop(self) -> None:
        """End the main process, once it has its two children: it stumbles over one that is only just made."""
        self.stage.expect(lambda: len(self.stage.alive_and_ready()) == 3, "two children")
        super().stop()

    def nudge(self) -> None:
        """Give the main process something to receive: it looks at signals between two, or after 2 s."""
        if self.nudges and self.cell.ending != "return":  # there it would make children end, and new ones
            self.nudges -= 1
            self.tick()


@contextlib.contextmanager
def company_for(stage: Stage, options: dict[str, Any]) -> Iterator[Company]:
    """Return who plays the stage's cell."""
    running = stage.cell.running
    if running in SCRIPTS:
        yield Company(stage, options)
    elif running == "celery-prefork":
        yield Celery(stage, options)
    else:
        server = (Uvicorn if running == "uvicorn-2-workers" else Gunicorn)(stage, options)
        with server.listener:
            yield server
