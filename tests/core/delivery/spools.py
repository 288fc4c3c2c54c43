"""Spools for tests: events with numbers, what was reported, and a way to die without a word."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from replaystack.delivery.spool import RETRY_SECONDS, Record, Spool
from replaystack.sanitize import Limits, Masked, Policy, encode_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

POLICY = Policy.build()
LIMITS = Limits(max_payload_bytes=1 << 20)
PLENTY = 1 << 30


def event(number: int, *, padding: int = 0) -> Masked:
    """Return an event that can be told by its number."""
    document = {"traceId": f"t-{number}", "responsePayload": {"pad": "x" * padding}}
    return encode_event(document, POLICY, LIMITS)


def numbers(records: Iterable[Record | Masked]) -> list[int]:
    """Return which events these are."""
    masked = (item.masked if isinstance(item, Record) else item for item in records)
    return [int(json.loads(item.data)["traceId"].partition("-")[2]) for item in masked]


class Bench:
    """A spool whose reports and time a test can see."""

    def __init__(self, directory: Path, *, max_bytes: int = PLENTY, policy: Policy = POLICY) -> None:
        self.now = 1000.0
        self.reports: list[tuple[BaseException, str]] = []
        self.spool = Spool(
            directory,
            max_bytes=max_bytes,
            report=lambda error, what: self.reports.append((error, what)),
            policy=policy,
            limits=LIMITS,
            monotonic=lambda: self.now,
        )

    def put(self, *wanted: int, padding: int = 0, sync: bool = False, keep: bool = False) -> int:
        return self.spool.append([event(number, padding=padding) for number in wanted], sync=sync, keep=keep)

    def peek(self, max_events: int = 1000, max_bytes: int = PLENTY) -> list[int]:
        return numbers(self.spool.peek(max_events, max_bytes))

    def drain(self) -> list[int]:
        """Peek and settle until nothing is left; return the numbers."""
        drained: list[int] = []
        while found := self.peek(7):
            drained += found
            self.spool.settle(len(found))
        return drained

    def die(self) -> None:
        """End as `kill -9` does: the kernel closes the files, nothing else happens."""
        for segment in (*self.spool._segments, *self.spool._segments._leftovers):
            os.close(segment.descriptor)
            segment.descriptor = -1


def files(directory: Path) -> list[Path]:
    """Return the spool's files, oldest first."""
    return sorted(directory.glob("*.spool1"))


def failing(number: int) -> Callable[..., int]:
    """Return a system call that fails."""

    def fail(*_args: object, **_kwargs: object) -> int:
        raise OSError(number, os.strerror(number))

    return fail


def refused(bench: Bench) -> BaseException:
    """Check that the spool says no, once, and returns to nothing before its time; return what it said."""
    assert bench.put(1) == 0
    assert not bench.spool.usable
    for _ in range(3):
        assert bench.put(1) == 0
        bench.now += RETRY_SECONDS
        assert bench.put(1) == 0
    assert bench.spool.events == 0
    ((error, what),) = bench.reports
    assert what
    return error
