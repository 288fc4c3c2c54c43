"""The command `replaystack ingest`: send a file of logs, or what comes down a pipe."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from ..client import ReplayStackClient
from ..config import INGEST_PATH
from ..errors import ConfigError
from ..logs.formats import FORMATS
from .process import leave

if TYPE_CHECKING:
    import argparse

    from ..logs.ingestion import IngestReport

__all__ = ["add_ingest", "run_ingest"]

_SUFFIXES: Final = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".obl": "obl",
    ".obla": "obl",
    ".txt": "text",
    ".log": "text",
}
_STEP_SECONDS: Final = 1.0
"""Between two lines of progress on a terminal."""


def add_ingest(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "ingest",
        help="send logs of other programs, masked",
        description="Send a file of logs, in requests of at most 100, masked before they leave.",
        epilog="exit status: 0 all was taken, 1 something was not (how far it came is said), 2 wrong usage",
    )
    parser.set_defaults(parser=parser)
    parser.add_argument("file", metavar="FILE", help="- for the standard input")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="needed where the name of the file does not tell (.json .jsonl .csv .obl .log ...)",
    )
    for name in ("source", "environment", "level", "dataset"):
        parser.add_argument(f"--{name}", help=f"the {name} of logs that do not say theirs")
    parser.add_argument("--endpoint", metavar="URL", help="the receiver, instead of REPLAYSTACK_ENDPOINT")
    parser.add_argument(
        "--api-key",
        metavar="KEY",
        help="instead of REPLAYSTACK_API_KEY; other users of the machine can see it here",
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="for each request (default: 10)")
    parser.add_argument("--retries", type=int, metavar="N", help="for each request (default: 5)")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run_ingest(options: argparse.Namespace) -> int:
    """Run the command; return the exit status of the process."""
    name = options.format or _SUFFIXES.get(Path(options.file).suffix.lower())
    if name is None:
        options.parser.error(f"--format is needed for {options.file}")
    assert isinstance(name, str)  # noqa: S101 - `choices` and the table hold texts; `error` ends the process
    address = {} if not options.endpoint else {"ingest_url": options.endpoint.rstrip("/") + INGEST_PATH}
    try:
        client = ReplayStackClient(
            api_key=options.api_key,
            timeout_seconds=10.0 if options.timeout is None else options.timeout,
            max_retries=5 if options.retries is None else options.retries,
            **address,
        )
    except ConfigError as error:
        options.parser.error(str(error))
    try:
        with _opened(options.file) as file:
            return leave(_send(client, file, name, options))
    except OSError as error:
        print(f"replaystack ingest: cannot read {options.file}: {error.strerror or error}", file=sys.stderr)
        return leave(1)


def _opened(path: str) -> BinaryIO:
    return sys.stdin.buffer if path == "-" else Path(path).open("rb")


def _send(client: ReplayStackClient, file: BinaryIO, name: str, options: argparse.Namespace) -> int:
    defaults = {key: getattr(options, key) for key in ("source", "environment", "level", "dataset")}
    progress = _Progress(is_shown=not options.quiet and sys.stderr.isatty())
    try:
        report = client.ingest_raw(file, name, defaults, on_progress=progress)
    except Exception as error:  # noqa: BLE001 - the person at the terminal reads one line, not a traceback
        progress.end()
        accepted, line = getattr(error, "accepted", 0), getattr(error, "last_line", 0)
        place = f", up to line {line}" if line else ""
        print(f"replaystack ingest: {_reason(error)}", file=sys.stderr)
        print(f"replaystack ingest: {accepted} logs were taken before{place}", file=sys.stderr)
        return 1
    progress.end()
    print(f"{report.accepted} logs in {report.requests} requests, {progress.seconds:.1f} s")
    return 0


def _reason(error: Exception) -> str:
    """Return the error with what it says about places."""
    document = getattr(error, "document", None)
    answer = document() if callable(document) else document
    issues = answer.get("issues") if isinstance(answer, dict) else None
    notes = [
        f"{'.'.join(map(str, issue.get('path', [])))}: {issue.get('message')}"
        for issue in (issues if isinstance(issues, list) else [])[:3]
        if isinstance(issue, dict)
    ]
    return "; ".join([f"{error}" or type(error).__name__, *notes])


class _Progress:
    """Says on a terminal, once a second, how far it has come."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self._started = self._said = time.monotonic()
        self._has_line = False

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def __call__(self, report: IngestReport) -> None:
        now = time.monotonic()
        if self._is_shown and now - self._said >= _STEP_SECONDS:
            self._said = now
            self._has_line = True
            rate = report.accepted / max(self.seconds, 0.001)
            print(f"\r{report.accepted} logs, {rate:.0f}/s ", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line of progress."""
        if self._has_line:
            print(file=sys.stderr)
