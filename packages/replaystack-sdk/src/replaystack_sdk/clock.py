"""Waiting, ids and chance under their names of 1.x."""

from __future__ import annotations

import random
import time

from replaystack.clock import new_id

__all__ = ["create_trace_id", "should_sample", "sleep_seconds"]


def create_trace_id() -> str:
    """Return a new UUID4 in its canonical text form."""
    return new_id()


def should_sample(sample_rate: float = 1.0) -> bool:
    """Draw whether to keep one of many: always from 1 upwards, never from 0 downwards."""
    if sample_rate >= 1 or sample_rate <= 0:
        return sample_rate >= 1
    return random.random() <= sample_rate  # noqa: S311 - sampling, not cryptography


def sleep_seconds(seconds: float) -> None:
    """Block the calling thread for `seconds`; at once back if that is not positive."""
    time.sleep(max(0.0, seconds))
