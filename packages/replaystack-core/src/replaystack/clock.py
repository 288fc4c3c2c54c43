"""Where time, waiting, ids and chance come from, so that tests need no sleep and no luck."""

from __future__ import annotations

import random
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SYSTEM_CLOCK", "Clock", "iso_timestamp", "new_id"]


def _sleep(seconds: float) -> None:
    # Looked up at each call: gevent may have replaced it after this module was imported.
    time.sleep(seconds)


def _give_way() -> None:
    # Not zero: a thread that lets go of the GIL for no time at all mostly gets it back at once.
    time.sleep(0.00005)


@dataclass(frozen=True, slots=True)
class Clock:
    """The outside world's time and chance. All times are seconds."""

    wall: Callable[[], float] = time.time
    """Seconds since the epoch; may jump."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds since some moment; never jumps."""
    sleep: Callable[[float], None] = _sleep
    give_way: Callable[[], None] = _give_way
    """Let other threads, or greenlets, run for a moment."""
    chance: Callable[[], float] = random.random
    """A number in [0, 1)."""


SYSTEM_CLOCK = Clock()


def iso_timestamp(epoch_seconds: float) -> str:
    """Return ISO 8601 in UTC with milliseconds and `Z`, the one form that leaves the process."""
    moment = datetime.fromtimestamp(epoch_seconds, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def new_id() -> str:
    """Return a new UUID4 in its canonical text form."""
    return str(uuid.uuid4())
