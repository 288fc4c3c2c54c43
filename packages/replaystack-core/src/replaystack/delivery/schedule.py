"""When the batch at the head may be tried next: quick attempts, then rounds, then patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .retry import MAX_HELD_SECONDS, PAUSE_SECONDS, QUICK_BASE_SECONDS, held_delay, quick_delay

if TYPE_CHECKING:
    from collections.abc import Callable

    from .courier import Outcome

__all__ = ["Schedule"]


class Schedule:
    """The timing of one pump, on the monotonic clock. For the holder of the pump's ownership."""

    def __init__(
        self,
        *,
        max_retries: int,
        tick_seconds: float,
        chance: Callable[[], float],
        by_tick_only: bool = False,
        retry_base_seconds: float = QUICK_BASE_SECONDS,
        retry_max_seconds: float = MAX_HELD_SECONDS,
    ) -> None:
        self._max_retries = max_retries
        self._tick_seconds = tick_seconds
        self._by_tick_only = by_tick_only  # sync mode: held events leave on flush, close or tick
        self._chance = chance
        self._retry_base_seconds = retry_base_seconds
        self._retry_max_seconds = retry_max_seconds
        self._attempts = 0
        self._failed_rounds = 0
        self._due = 0.0
        self._not_before = 0.0

    @property
    def due(self) -> float:
        """The moment before which no attempt is made."""
        return max(self._due, self._not_before)

    @property
    def attempts(self) -> int:
        """Attempts made with the batch at the head, in this round."""
        return self._attempts

    @property
    def is_retry(self) -> bool:
        """Whether the next attempt repeats one that failed."""
        return self._attempts > 0 or self._failed_rounds > 0

    def hurry(self) -> None:
        """Forget the back-off, as a flush asks; a `Retry-After` of the receiver still holds."""
        self._due = 0.0

    def succeeded(self) -> None:
        """Start afresh: the receiver took something."""
        self._attempts = self._failed_rounds = 0
        self._due = self._not_before = 0.0

    def restart(self) -> None:
        """Start afresh with another batch, now, or when a `Retry-After` says so."""
        self._attempts = self._failed_rounds = 0
        self._due = 0.0

    def exhausted(self, outcome: Outcome, now: float) -> None:
        """Plan the next round after attempts that were made elsewhere (sync mode)."""
        self._attempts = self._max_retries
        self._failed_rounds = max(1, self._failed_rounds)
        self._plan_round(outcome, now)

    def failed(self, outcome: Outcome, now: float) -> bool:
        """Plan the next attempt; True when the quick ones are used up and the batch is to be held.

        The quick attempts come once; from then on each round is one attempt, after
        1, 2, 4 ... 60 s, or at each tick where `flush_interval_seconds` asks for one. What only
        somebody can mend (401, 403, a redirect) pauses for 60 s at once.
        """
        self._attempts += 1
        self._not_before = now + (outcome.retry_after_seconds or 0.0)
        if outcome.verdict == "retry" and not self._failed_rounds and self._attempts <= self._max_retries:
            self._due = now + quick_delay(
                self._attempts, self._chance, self._retry_base_seconds, self._retry_max_seconds
            )
            return False
        self._failed_rounds += 1
        self._plan_round(outcome, now)
        return True

    def _plan_round(self, outcome: Outcome, now: float) -> None:
        delay = PAUSE_SECONDS if outcome.verdict == "held" else held_delay(self._failed_rounds)
        if self._tick_seconds > 0 and outcome.verdict != "held":
            delay = self._tick_seconds if self._by_tick_only else min(delay, self._tick_seconds)
        self._due = now + delay
        self._not_before = now + (outcome.retry_after_seconds or 0.0)
