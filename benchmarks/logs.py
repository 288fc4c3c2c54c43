"""What `log.info("m", a=1, b=2)` costs its caller, beside the loggers that people use for structured logs.

One process, rounds interleaved; per contender the median of its rounds, and ratios within one round.

Output dropped:

- entry: masked, stamped, handed to a sink that does nothing (replaystack, without a client)
- json: the same, and the sink renders it as one flat line of JSON, as the peers do
- client: a client whose receiver takes no log entries; the entry waits for the next event
- logging + python-json-logger: a JSON line to a stream that drops it
- structlog: level, ISO time and `JSONRenderer`, to a logger that drops it
- loguru: `bind(...)`, `serialize=True`, to a sink that drops it

Written to files, each line one JSON object that the system has when the call returns:

- domain file: `configure_domains(format="json")`, masked, with rotation; and its text format
- the same three peers into a file each, flushed per line as they are by themselves, without rotation

Aim: an entry into a sink, and a domain file, faster than each peer. Peers that are not installed are
named and skipped (`benchmarks/requirements-peers.txt`).
`python -m benchmarks.logs [--calls N] [--rounds N] [--write]`.
"""

from __future__ import annotations

import argparse
import importlib
import io
import itertools
import json
import logging
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._results import RESULTS, commit, machine, write_section

import replaystack
from replaystack.logs import LogEntry, add_sink, flat
from replaystack.logs.domains import Domains, configure_domains
from replaystack.logs.sinks import remove_sink

if TYPE_CHECKING:
    from collections.abc import Callable


class Nothing(io.TextIOBase):
    """A stream that drops what it gets."""

    def write(self, text: str, /) -> int:
        """Drop it."""
        return len(text)


class Null:
    """A sink that does nothing."""

    accepts_pii = False

    def emit(self, entry: LogEntry) -> None:
        """Drop it."""


class Json:
    """A sink that renders, and drops it."""

    accepts_pii = False

    def __init__(self) -> None:
        self.stream = Nothing()

    def emit(self, entry: LogEntry) -> None:
        """Render."""
        self.stream.write(json.dumps(flat(entry)) + "\n")


Setup = tuple["Callable[[], object]", "Callable[[], object]"]
"""What is measured, and what puts it in place for a round; the latter returns nothing that matters."""


def _entry(sink: Any) -> Setup:
    log = replaystack.get_logger("app")
    remove: list[Callable[[], None]] = []

    def toggle() -> None:
        if remove:
            remove.pop()()
        else:
            remove.append(add_sink(sink))

    return lambda: log.info("m", a=1, b=2), toggle


def _client() -> Setup:
    class Taken:
        status_code = 201
        headers: dict[str, str] | None = None

        def post(self, *_: Any, **__: Any) -> Taken:
            return self

        def json(self) -> Any:
            return {}

    clients: list[replaystack.ReplayStackClient] = []

    def toggle() -> None:
        if clients:  # an open client would be that of the other contenders' loggers too
            clients.pop().close(0)
        else:
            clients.append(replaystack.ReplayStackClient(api_key="k", transport=Taken()))

    return lambda: clients[0].log.info("m", a=1, b=2), toggle


def _domain_file(form: str, folder: Path) -> Setup:
    log = replaystack.get_logger("agents")
    opened: list[Domains] = []

    def toggle() -> None:
        if opened:  # a sink is that of the other contenders' loggers too
            domains = opened.pop()
            remove_sink(domains)
            domains.close()
        else:
            # Two formats in one folder would be one file.
            opened.append(configure_domains(folder / form, console=False, format=form))  # type: ignore[arg-type]  # one of two

    return lambda: log.info("m", a=1, b=2), toggle


def _json_logger(handler: logging.Handler, name: str) -> Setup:
    formatter: Any = importlib.import_module("pythonjsonlogger.json").JsonFormatter
    handler.setFormatter(formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    log = logging.getLogger(name)
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    return lambda: log.info("m", extra={"a": 1, "b": 2}), lambda: None


def _structlog(stream: Any) -> Setup:
    structlog: Any = importlib.import_module("structlog")
    log = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
    ).bind()
    return lambda: log.info("m", a=1, b=2), lambda: None


def _loguru(target: Any) -> Setup:
    log: Any = importlib.import_module("loguru").logger
    log.remove()
    handlers: list[int] = []

    def toggle() -> None:
        if handlers:  # a handler is that of all of its loggers
            log.remove(handlers.pop())
        else:
            handlers.append(log.add(target, serialize=True))

    return lambda: log.bind(a=1, b=2).info("m"), toggle


def groups(folder: Path) -> dict[str, dict[str, Callable[[], Setup]]]:
    """Return the contenders by what becomes of their lines; peers are held to the first of a group."""
    return {
        "output dropped": {
            "replaystack: entry": lambda: _entry(Null()),
            "replaystack: json": lambda: _entry(Json()),
            "replaystack: client": _client,
            "logging + python-json-logger": lambda: _json_logger(
                logging.StreamHandler(Nothing()), "peer.nothing"
            ),
            "structlog": lambda: _structlog(Nothing()),
            "loguru": lambda: _loguru(lambda _: None),
        },
        "written to a file": {
            "replaystack: domain file, json": lambda: _domain_file("json", folder),
            "replaystack: domain file, text": lambda: _domain_file("text", folder),
            "logging + python-json-logger": lambda: _json_logger(
                logging.FileHandler(folder / "logging.log"), "peer.file"
            ),
            "structlog": lambda: _structlog((folder / "structlog.log").open("a")),
            "loguru": lambda: _loguru(folder / "loguru.log"),
        },
    }


def main() -> int:
    """Measure; 1 if a peer was faster than the first of its group."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="write the tables into benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    tables: list[str] = []
    slower: list[str] = []
    with tempfile.TemporaryDirectory(prefix="replaystack-") as directory:
        for title, contenders in groups(Path(directory)).items():
            rounds = _measure(contenders, arguments.calls, arguments.rounds)
            first = next(iter(rounds))
            lines = [f"| {title} | us | x ours |", "| --- | ---: | ---: |"]
            for name, figures in rounds.items():
                ratios = sorted(a / b for a, b in zip(figures, rounds[first], strict=True))
                ratio = statistics.median(ratios)
                spread = f"{ratio:.2f} ({ratios[len(ratios) // 4]:.2f}-{ratios[-1 - len(ratios) // 4]:.2f})"
                lines.append(f"| {name} | {statistics.median(figures):.2f} | {spread} |")
                if not name.startswith("replaystack") and ratio < 1.0:
                    slower.append(f"{name} ({title})")
            tables.append("\n".join(lines))
            print(tables[-1])
    if slower:
        print(f"missed: faster than ours: {', '.join(slower)}")
    if arguments.write:
        note = (
            f"Of each the median of {arguments.rounds} interleaved rounds of {arguments.calls} calls; ratios "
            "within a round, with their quartiles. Ours is masked "
            f"({replaystack.native_status().backend}), peers are not; a line is with the system when "
            f"the call returns. {machine()}, Python {platform.python_version()}, commit {commit()}; method: "
            "`benchmarks/logs.py`."
        )
        write_section(
            "logs", "\n\n".join(['## Logs: `log.info("m", a=1, b=2)`, in the caller', *tables, note])
        )
        print(f"written: {RESULTS.name}")
    return 1 if slower else 0


def _measure(contenders: dict[str, Callable[[], Setup]], calls: int, count: int) -> dict[str, list[float]]:
    """Return microseconds per call, by contender and round."""
    setups: dict[str, Setup] = {}
    for name, make in contenders.items():
        try:
            setups[name] = make()
        except ImportError as error:
            print(f"{name}: skipped ({error})")
    rounds: dict[str, list[float]] = {name: [] for name in setups}
    for _, (name, (call, toggle)) in itertools.product(range(count), setups.items()):
        toggle()
        for _ in range(200):
            call()
        started = time.perf_counter()
        for _ in range(calls):
            call()
        rounds[name].append((time.perf_counter() - started) / calls * 1e6)
        toggle()
    return rounds


if __name__ == "__main__":
    raise SystemExit(main())
