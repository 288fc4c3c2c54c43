"""When to try again: WIRE.md section 1 (Retry) as pure functions."""

from __future__ import annotations

import email.utils
import math
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PAUSE_SECONDS", "Verdict", "held_delay", "judge", "quick_delay", "retry_after_seconds"]

Verdict = Literal["delivered", "retry", "held", "rejected"]
"""delivered: 2xx. retry: may work in a moment. held: works only once somebody mends something.
rejected: this event will never be taken."""

_TRANSIENT = frozenset({408, 425, 429})
_REFUSED = frozenset({401, 403})
QUICK_BASE_SECONDS = 0.15
MAX_RETRY_AFTER_SECONDS = 300.0
"""A receiver may ask for patience, not for silence for ever."""
MAX_HELD_SECONDS = 60.0
PAUSE_SECONDS = 60.0
"""After 401, 403 or a redirect: somebody has to mend something first."""


def judge(status: int) -> Verdict:
    """Say what an answer's status means for the events that were sent."""
    if 200 <= status < 300:
        return "delivered"
    if status in _TRANSIENT or status >= 500 or status < 200:
        return "retry"
    if status in _REFUSED or status < 400:
        return "held"  # a redirect is never followed: the key must not travel to another host
    return "rejected"


def retry_after_seconds(value: str | None, epoch_now: float) -> float | None:
    """Read `Retry-After`, seconds or an HTTP date; None where absent or rubbish. Capped at 300 s."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(value)
            seconds = moment.timestamp() - epoch_now
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def quick_delay(
    attempt: int,
    chance: Callable[[], float],
    base_seconds: float = QUICK_BASE_SECONDS,
    max_seconds: float = MAX_HELD_SECONDS,
) -> float:
    """Seconds before quick attempt `attempt` (1 is the first retry): exponential, full jitter."""
    return chance() * min(max_seconds, base_seconds * float(2 ** min(attempt - 1, 10)))


def held_delay(failed_rounds: int) -> float:
    """Seconds before a held batch is tried again: 1, 2, 4 ... 60."""
    return min(MAX_HELD_SECONDS, float(2 ** min(failed_rounds - 1, 6)))
