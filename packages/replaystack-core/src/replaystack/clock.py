"""Where time, waiting, ids and chance come from, so that tests need no sleep and no luck."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SYSTEM_CLOCK", "Clock", "iso_timestamp", "new_id", "new_ordered_id"]


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
    seconds = int(epoch_seconds // 1)
    microseconds = round(
        (epoch_seconds - seconds) * 1e6
    )  # as datetime does: 0.123 is a little less in binary
    if microseconds == 1_000_000:
        seconds, microseconds = seconds + 1, 0
    return f"{_to_the_second(seconds)}.{microseconds // 1000:03d}Z"


@lru_cache(maxsize=8)
def _to_the_second(epoch_seconds: int) -> str:
    """Format the part that the events of one second share: three times per event, this shows."""
    return f"{datetime.fromtimestamp(epoch_seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}"


# Not `random` itself, which applications seed. Not `os.urandom` each time: it lets go of the interpreter's
# lock, and a sender at work then keeps a capture waiting for longer than all the rest takes. Ids are no
# secrets, they must only never meet.
_ids: random.Random | None = None


def _first_ids() -> random.Random:
    """Return the process's own source of ids. Made at the first one: an import registers nothing."""
    global _ids  # noqa: PLW0603 - one per process; two threads that come first at once have one each
    ids = random.Random()  # noqa: S311 - no secrets
    if hasattr(os, "register_at_fork"):  # else there is no fork
        os.register_at_fork(after_in_child=ids.seed)
    _ids = ids
    return ids


_RANDOM_BITS = (1 << 128) - 1 - (0xF << 76) - (0b11 << 62)
_VERSION_AND_VARIANT = (0x4 << 76) | (0b10 << 62)  # RFC 9562, section 5.4


def new_id() -> str:
    """Return a new UUID4 in its canonical text form. Any thread; a forked child has ids of its own."""
    # Twice per event, so without an object of `uuid` in between: a third of its time.
    ids = _ids or _first_ids()
    digits = f"{ids.getrandbits(128) & _RANDOM_BITS | _VERSION_AND_VARIANT:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_ordered_id() -> str:
    """Return a new UUID7 in its canonical text form: later ones sort behind, to the millisecond.

    For what a store keeps by its id, which it then writes at the end of an index and not all over it.
    """
    global _millisecond  # noqa: PLW0603 - a memory of one millisecond, in which many log entries are made
    now = time.time_ns() // 1_000_000
    known, begin = _millisecond
    if known != now:
        digits = f"{now:012x}"
        begin = f"{digits[:8]}-{digits[8:]}-7"  # RFC 9562, section 5.7
        _millisecond = (now, begin)
    ids = _ids or _first_ids()
    rest = f"{ids.getrandbits(72):018x}"
    return f"{begin}{rest[:3]}-8{rest[3:6]}-{rest[6:]}"


_millisecond = (0, "")
