"""Finding the bad event of a batch that a receiver refused: halves, until it stands alone."""

from __future__ import annotations

__all__ = ["Halving"]


class Halving:
    """How large the next batch may be after refusals. For the holder of the pump's ownership."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []  # (up to this ordinal, at most so many), the innermost last

    def refused(self, ordinals: list[int]) -> None:
        """Note that a batch of several was refused whole."""
        self._spans.append((ordinals[-1] + 1, len(ordinals) // 2))

    def bounds(self, head: int, limit: int) -> tuple[int, int | None]:
        """Return how many may go now, with the event `head` first, and the ordinal that ends the batch."""
        while self._spans and self._spans[-1][0] <= head:
            self._spans.pop()
        if not self._spans:
            return limit, None
        before, most = self._spans[-1]
        return min(limit, most), before
