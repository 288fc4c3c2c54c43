"""Look at every document on its way out of this process, and remember which secrets it held."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..delivery import HttpTransport, UserTransport
from .search import Finding, Haystack, prove

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .canaries import Canaries, Secret

__all__ = ["LeakWatch", "SecretLeakedError", "assert_no_secret", "watch_transports"]


class SecretLeakedError(AssertionError):
    """A planted secret was found where none may be. Names places, never the secret."""


def assert_no_secret(secrets: Iterable[Secret], data: bytes | str, where: str = "the data") -> None:
    """Fail if one of `secrets` is in `data`, plain or in a disguise (see `search`).

    Raises:
        SecretLeakedError: naming where the secret had been planted.

    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    _raise_for(prove(secrets, "", [Haystack(where, raw)]).findings)


def _raise_for(findings: Iterable[Finding]) -> None:
    lines = sorted({f"{finding.where_planted} -> {finding.where_found}" for finding in findings})
    if lines:
        raise SecretLeakedError("planted secrets left the process: " + "; ".join(lines))


class LeakWatch:
    """What the transports of this process sent, and what it gave away. Safe from any thread."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._sent: list[bytes] = []

    def saw(self, document: bytes) -> None:
        """Keep a document for `check`: it is searched later, so that the sender is not slowed down."""
        self._sent.append(document)

    @property
    def documents(self) -> int:
        """How many documents left, batches counted as one. A test that saw none proves nothing."""
        return len(self._sent)

    def check(self) -> None:
        """Fail if any document so far holds a secret planted so far.

        Raises:
            SecretLeakedError: naming where each had been planted.

        """
        haystacks = [Haystack(f"document {number} sent", data) for number, data in enumerate(self._sent, 1)]
        _raise_for(prove(self._canaries.planted, "", haystacks).findings)


@contextmanager
def watch_transports(canaries: Canaries) -> Iterator[LeakWatch]:
    """Watch all that every client of this process sends during the block, then check it.

    Raises:
        SecretLeakedError: at the end of the block, if a secret left.

    """
    watch = LeakWatch(canaries)
    originals = [(owner, owner.post) for owner in (HttpTransport, UserTransport)]

    def watched(original: Any) -> Any:
        def post(self: Any, url: str, body: Any, headers: Mapping[str, str], timeout_seconds: float) -> Any:
            watch.saw(getattr(body, "data", b""))
            return original(self, url, body, headers, timeout_seconds)

        return post

    for owner, original in originals:
        owner.post = watched(original)  # type: ignore[method-assign]
    try:
        yield watch
    finally:
        for owner, original in originals:
            owner.post = original  # type: ignore[method-assign]
    watch.check()
