"""Whether something becomes an event at all: switch, ignore rules, sampling, success filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..paths import PathFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config import Config

__all__ = ["Admission", "SkipReason"]

SkipReason = Literal["disabled", "ignored_path", "sampled", "not_success"]


class Admission:
    """The rules of one client. What they turn away is skipped, not captured (DESIGN.md, ledger)."""

    def __init__(self, config: Config, chance: Callable[[], float]) -> None:
        self._config = config
        self._chance = chance
        self._ignored = PathFilter(config.ignored_paths)
        rates = (config.sample_rate, config.sample_rate_failed)
        self._admits_all = (  # as most clients do: then there is nothing to look at in each request
            config.enabled
            and not config.ignored_paths
            and config.capture_success
            and all(rate is None or rate >= 1.0 for rate in rates)
        )
        # Without a lock: a count that is off by one under contention is still true enough for
        # what was never captured.
        self.skipped: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """Count from zero again."""
        self.skipped = {"disabled": 0, "ignored_path": 0, "sampled": 0, "not_success": 0}

    def admits(self, endpoint: str | None, status: str) -> bool:
        """Tell whether an event with this endpoint and status is captured; count it if not."""
        reason = None if self._admits_all else self._reason_to_skip(endpoint, status)
        if reason is None:
            return True
        self.skipped[reason] += 1
        return False

    def _reason_to_skip(self, endpoint: str | None, status: str) -> SkipReason | None:
        config = self._config
        if not config.enabled:
            return "disabled"
        if self._ignored.ignores(endpoint):
            return "ignored_path"
        if not config.capture_success and status not in {"failed", "warning"}:
            return "not_success"
        rate = config.sample_rate
        if status == "failed" and config.sample_rate_failed is not None:
            rate = config.sample_rate_failed
        # chance() is below 1.0 always, so a rate of 1.0 keeps everything and 0.0 nothing.
        if rate < 1.0 and self._chance() >= rate:
            return "sampled"
        return None
