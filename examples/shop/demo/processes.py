"""The demo's child processes: started by name, stopped by process id, none left behind."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

__all__ = ["ChildError", "Children"]

_READY_SECONDS = 30.0  # interpreter and imports on a cold, busy machine
_STOP_SECONDS = 5.0  # more than the SDK's own shutdown takes; then the child is killed


class ChildError(Exception):
    """A child process did not come up, or died."""


class Children:
    """A few processes that live as long as the `with` block. For one thread."""

    def __init__(self, root: Path, logs: Path) -> None:
        """Start children in `root`; what each says goes to a file of its name in `logs`."""
        self._root = root
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
        """Start a child with just this environment; return the JSON that is its first line of output.

        Blocks until the line is there. Raises `ChildError`, with the end of what the child
        said, when it ends before or takes longer than half a minute.
        """
        log = self.log(name)
        with log.open("ab") as stderr:
            process = subprocess.Popen(
                command,
                cwd=self._root,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                # A session of its own: Ctrl-C reaches the demo alone, which then stops the
                # children in an order that lets the last events arrive.
                start_new_session=True,
            )
        self._running.append((name, process))
        first_line: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=_drain, args=(process.stdout, log, first_line), daemon=True).start()
        try:
            line = first_line.get(timeout=_READY_SECONDS)
            document = json.loads(line)
        except (queue.Empty, ValueError):
            raise ChildError(f"{name} did not start:\n{self.tail(name)}") from None
        if not isinstance(document, dict):
            raise ChildError(f"{name} began with {document!r} instead of a JSON object")
        return document

    def log(self, name: str) -> Path:
        """Return the file with what a child said after its first line."""
        return self._logs / f"{name}.log"

    def dead(self) -> list[str]:
        """Return the names of the children that have ended by themselves."""
        return [name for name, process in self._running if process.poll() is not None]

    def tail(self, name: str, lines: int = 15) -> str:
        """Return the end of what a child said."""
        log = self.log(name)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return "\n".join(f"  {name} | {line}" for line in text.splitlines()[-lines:])

    def stop(self) -> list[str]:
        """Stop every child, the last one started first; return the names of those that had to be killed."""
        killed = []
        while self._running:
            name, process = self._running[-1]
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed.append(name)
            self._running.pop()
        return killed

    def __enter__(self) -> Children:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop what is left."""
        self.stop()


def _drain(stdout: IO[bytes], log: Path, first_line: queue.SimpleQueue[bytes]) -> None:
    """Pass on the first line and write the rest to the log, so that the child never waits for a reader."""
    with stdout, log.open("ab", buffering=0) as sink:
        first_line.put(stdout.readline())
        for line in stdout:
            sink.write(line)
