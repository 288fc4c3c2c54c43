"""What `log.info("m", a=1, b=2)` costs its caller, beside the loggers that people use for structured logs.

One process, rounds interleaved; per contender the median of its rounds, and ratios within one round.
Every contender drops its output: what is compared is the way there.

- entry: masked, stamped, handed to a sink that does nothing (replaystack, without a client)
- json: the same, and the sink renders it as one flat line of JSON, as the peers do
- client: a client whose receiver takes no log entries; the entry waits for the next event
- domain file: where this version has `configure_domains`
- logging + python-json-logger: a JSON line to a stream that drops it
- structlog: level, ISO time and `JSONRenderer`, to a logger that drops it
- loguru: `bind(...)`, `serialize=True`, to a sink that drops it

Aim: an entry into a sink faster than each peer; json stands there for comparison. Peers that are not
installed are named and skipped (`benchmarks/requirements-peers.txt`).
`python -m benchmarks.logs [--calls N] [--rounds N]`.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import logging
import statistics
import tempfile
import time
from typing import TYPE_CHECKING, Any

import replaystack
from replaystack.logs import LogEntry, add_sink, flat

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


def _domain_file() -> Setup:
    configure: Any = importlib.import_module("replaystack.logs.domains").configure_domains
    configure(tempfile.mkdtemp(), domains=["agents"], console=False)
    log = replaystack.get_logger("agents")
    return lambda: log.info("m", a=1, b=2), lambda: None


def _json_logger() -> Setup:
    formatter: Any = importlib.import_module("pythonjsonlogger.json").JsonFormatter
    handler = logging.StreamHandler(Nothing())
    handler.setFormatter(formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    log = logging.getLogger("peer.json")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
    return lambda: log.info("m", extra={"a": 1, "b": 2}), lambda: None


def _structlog() -> Setup:
    structlog: Any = importlib.import_module("structlog")
    log = structlog.wrap_logger(
        structlog.PrintLogger(Nothing()),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
    ).bind()
    return lambda: log.info("m", a=1, b=2), lambda: None


def _loguru() -> Setup:
    log: Any = importlib.import_module("loguru").logger
    log.remove()
    log.add(lambda _: None, serialize=True)
    return lambda: log.bind(a=1, b=2).info("m"), lambda: None


CONTENDERS: dict[str, Callable[[], Setup]] = {
    "entry": lambda: _entry(Null()),
    "json": lambda: _entry(Json()),
    "client": _client,
    "domain file": _domain_file,
    "logging + python-json-logger": _json_logger,
    "structlog": _structlog,
    "loguru": _loguru,
}
OURS = ("entry", "json", "client", "domain file")


def main() -> int:
    """Measure; 1 if a peer was faster than an entry into a sink that does nothing."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()

    setups: dict[str, Setup] = {}
    for name, make in CONTENDERS.items():
        try:
            setups[name] = make()
        except ImportError as error:
            print(f"{name}: skipped ({error})")
    rounds: dict[str, list[float]] = {name: [] for name in setups}
    for _ in range(arguments.rounds):
        for name, (call, toggle) in setups.items():
            toggle()
            for _ in range(200):
                call()
            started = time.perf_counter()
            for _ in range(arguments.calls):
                call()
            rounds[name].append((time.perf_counter() - started) / arguments.calls * 1e6)
            toggle()
    print(f"masking: {replaystack.native_status().backend}")
    print(f"{'':30} {'us':>8} {'x entry':>9} {'x json':>9}")
    slower: list[str] = []
    for name, figures in rounds.items():
        ratios = {
            ours: statistics.median(a / b for a, b in zip(figures, rounds[ours], strict=True))
            for ours in ("entry", "json")
        }
        print(f"{name:30} {statistics.median(figures):8.2f} {ratios['entry']:9.2f} {ratios['json']:9.2f}")
        if name not in OURS and ratios["entry"] < 1.0:
            slower.append(name)
    if slower:
        print(f"missed: faster than ours: {', '.join(slower)}")
    return 1 if slower else 0


if __name__ == "__main__":
    raise SystemExit(main())
