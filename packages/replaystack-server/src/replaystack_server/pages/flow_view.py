"""A flow on one line of time: its steps, how long each took, and the steps that are not there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .texts import clock_text, duration_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..store import LogRecord

__all__ = ["FlowView", "Step", "flow_view"]

_LEAST_PERCENT: Final = 0.6
"""Of the line: a step that took no time is still to be seen."""


@dataclass(frozen=True, slots=True)
class Step:
    """One log of the flow, or steps that are missing before the next one."""

    log: LogRecord | None
    """None for missing steps."""
    missing: str = ""
    """`step 3`, or `steps 3 to 7`."""
    clock: str = ""
    offset: str = ""
    """Since the first: `+120 ms`."""
    delta: str = ""
    """Since the step before: `+80 ms`; clocks of two machines may make it negative."""
    left: float = 0.0
    """Percent of the line at which it begins."""
    width: float = 0.0
    """Percent of the line until the next one."""


@dataclass(frozen=True, slots=True)
class FlowView:
    """What the page shows."""

    steps: list[Step]
    duration: str
    """From the first to the last log."""
    missing: int
    """Numbers that are not there, as far as this reader may know."""
    status: str
    """The level of the last step."""
    levels: dict[str, int]


def flow_view(logs: Sequence[LogRecord], *, knows_gaps: bool) -> FlowView:
    """Lay a flow out.

    Args:
        logs: in the order of the store: by step, then those without one.
        knows_gaps: False for a reader for whom a missing number may be a personal log.

    """
    times = [log.occurred_ms for log in logs]
    first, last = min(times), max(times)
    span = max(1, last - first)
    steps: list[Step] = []
    missing = 0
    expected = 0
    levels: dict[str, int] = {}
    for index, log in enumerate(logs):
        levels[log.level] = levels.get(log.level, 0) + 1
        if log.step_index is not None:
            if knows_gaps and log.step_index > expected:
                missing += log.step_index - expected
                steps.append(Step(None, missing=_range(expected, log.step_index - 1)))
            expected = max(expected, log.step_index + 1)
        before = times[index - 1] if index else log.occurred_ms
        end = times[index + 1] if index + 1 < len(times) else log.occurred_ms
        left = 100 * (log.occurred_ms - first) / span
        width = max(_LEAST_PERCENT, 100 * (end - log.occurred_ms) / span)
        steps.append(
            Step(
                log,
                clock=clock_text(log.occurred_ms),
                offset=_signed(log.occurred_ms - first),
                delta=_signed(log.occurred_ms - before) if index else "",
                left=round(min(left, 100 - _LEAST_PERCENT), 2),
                width=round(min(width, 100 - min(left, 100 - _LEAST_PERCENT)), 2),
            )
        )
    stepped = [log for log in logs if log.step_index is not None]
    status = (stepped or list(logs))[-1].level
    return FlowView(steps, duration_text(last - first), missing, status, levels)


def _range(first: int, last: int) -> str:
    return f"step {first}" if first == last else f"steps {first} to {last}"


def _signed(milliseconds: int) -> str:
    return f"{'-' if milliseconds < 0 else '+'}{duration_text(abs(milliseconds))}"
