"""For a client that sends in the request: how it learns that the answer is out.

Whatever became of the response on its way through other middlewares, Django calls `request.close` when
the server is done with the one that went out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .passage import Passage

__all__ = ["hand_over_at_close"]


def hand_over_at_close(request: Any, passage: Passage) -> None:
    """Let `passage` hand over when `request.close` is called; at the latest when nobody can any more."""
    request.close = _Closing(request, passage)


class _Closing:
    """Stands in for the `close` of one request, until it is called."""

    def __init__(self, request: Any, passage: Passage) -> None:
        self._request = request  # a cycle, which the call breaks: Django lets go of the request before
        self._passage: Passage | None = passage

    def __call__(self) -> None:
        request, passage = self._request, self._passage
        self._passage = None
        request.__dict__.pop("close", None)
        try:
            request.close()
        finally:
            if passage is not None:
                passage.hand_over()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # Old versions of Django can pickle a request. In a copy stands `dict`: a call that does nothing,
        # and that can be read where this package is not.
        return type, ({},)

    def __del__(self) -> None:
        """Hand over what nobody closed, without waiting for anything."""
        if self._passage is not None:
            self._passage.hand_over(may_block=False)
