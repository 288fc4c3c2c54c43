"""Where a cell is played: the receiver, the processes, their pipe, and what the audience saw.

One stage per cell, in one thread: it starts the program, makes it capture, ends it, lets the next process
run, and returns a `Run`: facts only. Whether they are what was promised, `verdict` says.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.cells import Cell
from tests.faults.receiver import Arrivals, ScriptedReceiver
from tests.faults.theatre import company_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tests.faults.cells import Ending

__all__ = ["Process", "Run", "Stage", "play"]

ROOT = Path(__file__).resolve().parents[2]
API_KEY = "rs_faults_0123456789"
GUARD_SECONDS = 60.0
"""For everything that happens when it happens; only a failure ever uses it up."""


@dataclass
class Process:
    """What one process of a cell said."""

    pid: int
    ending: Ending
    marks: list[str] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    """`stats()` at several moments, in order."""
    last_account: dict[str, Any] | None = None
    """`stats()` after the flush at exit, where Python runs at the exit at all."""
    surprises: list[str] = field(default_factory=list)


@dataclass
class Run:
    """The facts of one cell."""

    cell: Cell
    processes: dict[int, Process]
    status: int
    """Exit status of the first process; negative: the signal that ended it."""
    children: dict[int, int]
    """Exit status of children, where the program knows it."""
    seconds_to_end: float
    seconds_allowed: float
    stderr: str
    events: Arrivals
    """When the last process of the cell proper was gone."""
    logs: Arrivals
    """The same of log entries."""
    seen_on_disk: list[str]
    """What stood in the spool's files and has no business there."""
    events_later: Arrivals = field(default_factory=Arrivals)
    """The same after the next process, where there is one."""
    logs_later: Arrivals = field(default_factory=Arrivals)
    following: Process | None = None
    following_status: int | None = None
    following_stderr: str = ""
    left_on_disk: list[str] = field(default_factory=list)


class Stage:
    """The processes of one cell and their pipe. A context manager: nothing survives it."""

    def __init__(self, cell: Cell, folder: Path, receiver: ScriptedReceiver) -> None:
        self.cell = cell
        self.folder = folder
        self.receiver = receiver
        self.processes: dict[int, Process] = {}
        self.errors = 0
        self.ready: list[int] = []
        """Who said that it is ready."""
        self.children: dict[int, int] = {}
        self.ending_pids: list[int] = []
        """Who said that it ends now, by itself."""
        self.default_ending: Ending = cell.ending
        folder.mkdir(parents=True, exist_ok=True)
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        self._reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._unfinished = b""
        self._handles: dict[int, int] = {}  # pid -> pidfd: readable once the process is gone
        self._root: subprocess.Popen[bytes] | None = None
        self._stderr = folder / "stderr"

    # -- processes ------------------------------------------------------------------------------

    def start(self, command: list[str], options: dict[str, Any], *, pass_fds: tuple[int, ...] = ()) -> None:
        """Start the first process, in a group of its own."""
        plan = {
            "cell": asdict(self.cell),
            "pipe": str(self.folder / "pipe"),
            "folder": str(self.folder),
            "options": options,
        }
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "HOME": str(self.folder),
            "FAULTS_PLAN": json.dumps(plan),
        }
        with (self.folder / "stdout").open("wb") as stdout, self._stderr.open("wb") as stderr:
            self._root = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                pass_fds=pass_fds,
                start_new_session=True,
            )

    @property
    def root(self) -> subprocess.Popen[bytes]:
        assert self._root is not None, "nothing was started"
        return self._root

    @property
    def stderr(self) -> str:
        return self._stderr.read_text(encoding="utf-8", errors="replace")

    def write(self, line: str) -> None:
        """Send a line to the first process's stdin."""
        stdin = self.root.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.write(line.encode() + b"\n")
            stdin.flush()

    def is_gone(self, pid: int) -> bool:
        """Tell whether a process that spoke has ended (its remains may still wait for a parent)."""
        handle = self._handles[pid]
        return handle < 0 or bool(select.select([handle], [], [], 0)[0])

    def alive_and_ready(self) -> list[int]:
        return [pid for pid in self.ready if not self.is_gone(pid)]

    def pids_with_marks(self) -> list[int]:
        return [pid for pid, process in self.processes.items() if process.marks]

    # -- what they say --------------------------------------------------------------------------

    def listen(self, seconds: float) -> None:
        """Take in what is said within `seconds`, or what there is when something comes."""
        if not select.select([self._reading], [], [], seconds)[0]:
            return
        try:
            data = os.read(self._reading, 1 << 16)
        except BlockingIOError:
            return
        if not data:  # nobody has the pipe open: at the beginning, or at the end
            time.sleep(min(seconds, 0.01))
            return
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        for line in lines:
            self._note(json.loads(line))

    def _note(self, line: dict[str, Any]) -> None:
        pid, what = line["pid"], line["say"]
        process = self.processes.get(pid)
        if process is None:
            process = self.processes[pid] = Process(pid, self.default_ending)
            try:
                self._handles[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                self._handles[pid] = -1
        if what == "mark":
            process.marks.append(line["mark"])
            process.accounts.append(line["stats"])
        elif what == "stats":
            process.accounts.append(line["stats"])
            if line["when"] == "exit":
                process.last_account = line["stats"]
        elif what == "surprise":
            process.surprises.append(line["text"])
        elif what == "error":
            self.errors += 1
        elif what == "ready":
            self.ready.append(pid)
        elif what == "ending":
            self.ending_pids.append(pid)
        elif what == "exitcode":
            self.children[line["child"]] = line["code"]

    def expect(
        self, condition: Callable[[], bool], what: str, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Listen until `condition`; call `meanwhile` again and again. Fails by name, with stderr."""
        give_up = time.monotonic() + GUARD_SECONDS
        while not condition():
            if meanwhile is not None:
                meanwhile()
            self.listen(0.05)
            if time.monotonic() > give_up or (self.root.poll() is not None and not condition()):
                self.listen(0.05)
                if condition():
                    return
                raise AssertionError(
                    f"{self.cell.id}: expected {what}; exit status {self.root.poll()};"
                    f" heard {list(self.processes.values())}; stderr: {self.stderr[-2000:]}"
                )

    def finish(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until every process is gone, at most `seconds`; then take in the rest of what they said."""
        started = time.monotonic()
        while self.root.poll() is None or not all(map(self.is_gone, self.processes)):
            meanwhile()
            self.listen(0.05)
            if time.monotonic() - started > seconds:
                raise AssertionError(
                    f"{self.cell.id}: not at its end after {seconds} s; stderr: {self.stderr[-2000:]}"
                )
        before = -1
        while before != (before := sum(len(one.accounts) for one in self.processes.values())):
            self.listen(0)  # the writers are gone: what they wrote is all there

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._root is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._root.pid, signal.SIGKILL)
            self._root.wait()
            if self._root.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._root.stdin.close()
        for handle in self._handles.values():
            if handle >= 0:
                os.close(handle)
        os.close(self._reading)


def options_for(cell: Cell, receiver: ScriptedReceiver, spool: Path) -> dict[str, Any]:
    """Return the options of the cell's clients: short where the receiver is gone, patient where it is not."""
    options: dict[str, Any] = {
        "api_key": API_KEY,
        "endpoint": receiver.origin,
        "max_retries": 1,
        "batch_interval_seconds": 0.05,
        # The shorter ones are waited for in full; the longer ones are bounds that nothing comes near.
        "timeout_seconds": 0.4 if cell.is_gone else 10.0,
        "shutdown_timeout_seconds": 1.0 if cell.is_gone else 8.0,
    }
    if cell.has_spool:
        options.update(spool_path=str(spool), durability=cell.durability)
    return options


def play(cell: Cell, folder: Path) -> Run:
    """Play `cell`; blocks for some seconds. Raises AssertionError where it cannot even be played."""
    spool = folder / "spool"
    with ScriptedReceiver(cell.receiving, cell.capabilities) as receiver:
        options = options_for(cell, receiver, spool)
        allowed = 5 * options["shutdown_timeout_seconds"] + 15  # the rest: servers and interpreters
        with Stage(cell, folder / "cell", receiver) as stage, company_for(stage, options) as company:
            company.start()
            company.capture()
            if cell.receiving == "down-then-up":
                stage.expect(lambda: stage.errors > 0, "an attempt that failed")
                receiver.open()
            started = time.monotonic()
            company.end()
            stage.finish(allowed, company.nudge)
            run = Run(
                cell,
                stage.processes,
                stage.root.returncode,
                stage.children,
                time.monotonic() - started,
                allowed,
                stage.stderr,
                receiver.events(),
                receiver.logs(),
                _secrets_in(spool, receiver.origin),
            )
        if cell.has_spool:
            _play_on(run, folder / "following", receiver, options)
            run.left_on_disk = [path.name for path in _files(spool) if path.stat().st_size > 0]
    return run


def _play_on(run: Run, folder: Path, receiver: ScriptedReceiver, options: dict[str, Any]) -> None:
    """Let the next process find what the others left, with a receiver that takes everything."""
    receiver.heal()
    after = Cell("plain", "return", "up", "spool")
    patient = {**options, "timeout_seconds": 10.0, "shutdown_timeout_seconds": 8.0}
    with Stage(after, folder, receiver) as stage:
        stage.start(["-m", "tests.faults.programs.following"], patient)
        stage.expect(lambda: len(stage.ready) == 1, "the next process to deliver what was left")
        stage.finish(GUARD_SECONDS)
        (run.following,) = stage.processes.values()
        run.following_status = stage.root.returncode
        run.following_stderr = stage.stderr
    run.events_later = receiver.events()
    run.logs_later = receiver.logs()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def _secrets_in(folder: Path, origin: str) -> list[str]:
    """Return where the key or the destination stands in the spool."""
    planted = (API_KEY.encode(), origin.partition("://")[2].encode())
    return [
        f"{path.name}: {word!r}" for path in _files(folder) for word in planted if word in path.read_bytes()
    ]
