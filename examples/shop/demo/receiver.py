"""The receiver as the demo sees it: through the same JSON API that its pages use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx

from replaystack.testing import Haystack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["Receiver"]

_PAGE = 100  # the most that the receiver gives in one answer
_POLL_SECONDS = 0.05


class Receiver:
    """Reads events back. Blocks; for one thread."""

    def __init__(self, url: str, read_token: str) -> None:
        """Read from the receiver at `url`."""
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {read_token}"},
            timeout=10.0,
            trust_env=False,  # no proxy of the developer's machine between two local processes
        )

    def summaries(self) -> list[dict[str, Any]]:
        """Return one row for each event that the receiver has, oldest first."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            parameters: dict[str, str | int] = {"limit": _PAGE} | ({"cursor": cursor} if cursor else {})
            page = self._get("/api/v1/events", parameters).json()["data"]
            rows += page["events"]
            cursor = page["older"]
            if cursor is None:
                return rows[::-1]

    def wait_for(self, count: int, seconds: float) -> list[dict[str, Any]]:
        """Return the rows once there are `count` of them, or as they are after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            rows = self.summaries()
            if len(rows) >= count or time.monotonic() > deadline:
                return rows
            time.sleep(_POLL_SECONDS)

    def event(self, event_id: str) -> dict[str, Any]:
        """Return the whole of one event as it is stored."""
        document: dict[str, Any] = self._get(f"/api/v1/events/{event_id}").json()["data"]["event"]
        return document

    def wait_for_logs(self, count: int, seconds: float) -> list[dict[str, Any]]:
        """Return the log entries, oldest first, once there are `count` of them, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            logs: list[dict[str, Any]] = self._get("/v1/logs", {"limit": 1000}).json()["logs"]
            if len(logs) >= count or time.monotonic() > deadline:
                return logs[::-1]
            time.sleep(_POLL_SECONDS)

    def haystacks(self, rows: list[dict[str, Any]]) -> Iterator[Haystack]:
        """Yield everything that the receiver gives out: its lists, and each event in full and as a page."""
        yield Haystack("API list", self._get("/api/v1/events", {"limit": _PAGE}).content)
        yield Haystack("API logs", self._get("/v1/logs", {"limit": 1000}).content)
        for path in ("/logs", "/flows"):
            yield Haystack(path, self._get(path).content)
        for row in rows:
            for path in (f"/api/v1/events/{row['eventId']}", f"/events/{row['eventId']}?bodies=all"):
                yield Haystack(path, self._get(path).content)

    def _get(self, path: str, parameters: dict[str, str | int] | None = None) -> httpx.Response:
        answer = self._http.get(path, params=parameters)
        answer.raise_for_status()
        return answer

    def __enter__(self) -> Receiver:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._http.close()
