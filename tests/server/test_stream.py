from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.server.samples import an_event

from replaystack_server.reading.stream import resume_after
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack_server.testing import RunningServer

HANG_GUARD_SECONDS = 30.0


class Listener:
    """Reads one event stream, message by message."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.lines = answer.iter_lines()
        assert next(self.lines) == "retry: 2000"  # from here on nothing that arrives is missed
        assert next(self.lines) == ""

    def message(self) -> dict[str, str]:
        """Return the fields of the next message; a heartbeat has the field ``""``."""
        fields: dict[str, str] = {}
        for line in self.lines:
            if not line:
                return fields
            name, _, value = line.partition(": ")
            fields[name] = value
        raise EOFError

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the data of the next `count` events."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            message = self.message()
            if "data" in message:
                found.append(json.loads(message["data"]))
        return found


@contextmanager
def listening(
    server: RunningServer, last_event_id: str | None = None, **parameters: str
) -> Iterator[Listener]:
    """Open a stream for the length of the block."""
    headers = {"authorization": f"Bearer {server.token}"}
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id
    url = f"{server.url}/api/v1/stream"
    with httpx.stream("GET", url, params=parameters, headers=headers, timeout=HANG_GUARD_SECONDS) as answer:
        assert answer.status_code == 200
        yield Listener(answer)


def send(server: RunningServer, *events: dict[str, Any]) -> None:
    """Send a batch of events."""
    headers = {"x-replaystack-api-key": server.key}
    url = f"{server.url}/api/v1/ingest/bulk-events"
    assert httpx.post(url, json={"events": events}, headers=headers).json()["data"]["accepted"] == len(events)


def test_each_event_is_one_message(server: RunningServer, service: str) -> None:
    """Failed events are `event.failed`, all others `event.created`; the data is the row of the list."""
    with listening(server, service=service) as listener:
        assert listener.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        send(server, an_event(serviceName=service, endpoint="/a"))
        send(server, an_event(serviceName=service, endpoint="/b", status="failed"))
        first, second = listener.message(), listener.message()
    assert (first["event"], second["event"]) == ("event.created", "event.failed")
    assert int(second["id"]) > int(first["id"])
    headers = {"authorization": f"Bearer {server.token}"}
    rows = httpx.get(f"{server.url}/api/v1/events", params={"service": service}, headers=headers).json()[
        "data"
    ]
    assert [json.loads(second["data"]), json.loads(first["data"])] == rows["events"]


def test_filters_hold_for_the_stream(server: RunningServer, service: str) -> None:
    """Only what the list would show comes down the stream."""
    with listening(server, service=service, status="failed", q="gateway") as listener:
        send(
            server,
            an_event(serviceName=service, endpoint="/no", errorMessage="bad gateway"),
            an_event(serviceName=service, endpoint="/no", status="failed", errorMessage="timeout"),
            an_event(serviceName="another", endpoint="/no", status="failed", errorMessage="bad gateway"),
            an_event(serviceName=service, endpoint="/yes", status="failed", errorMessage="bad gateway"),
        )
        assert [event["endpoint"] for event in listener.events(1)] == ["/yes"]


@pytest.mark.parametrize("by", ["header", "parameter"])
def test_a_stream_goes_on_where_it_stopped(server: RunningServer, service: str, by: str) -> None:
    """After a break nothing is missed and nothing comes twice, more than one read of the store included."""
    with listening(server, service=service) as listener:
        send(server, *(an_event(serviceName=service, endpoint=f"/{n}") for n in range(3)))
        seen = [listener.message() for _ in range(2)]
    for batch in range(3):
        send(server, *(an_event(serviceName=service, endpoint=f"/{batch}-{n}") for n in range(90)))
    last = seen[-1]["id"]
    resumed = (
        listening(server, last, service=service)
        if by == "header"
        else listening(server, service=service, after=last)
    )
    with resumed as listener:
        paths = [event["endpoint"] for event in listener.events(271)]
    assert paths == ["/2", *(f"/{batch}-{n}" for batch in range(3) for n in range(90))]


def test_late_events_are_streamed(server: RunningServer, service: str) -> None:
    """An event that happened long ago and arrives now is news."""
    with listening(server, service=service) as listener:
        send(server, an_event(serviceName=service, endpoint="/now"))
        send(
            server,
            an_event(serviceName=service, endpoint="/old", reserved={"timestamp": "2020-01-01T00:00:00Z"}),
        )
        assert [event["endpoint"] for event in listener.events(2)] == ["/now", "/old"]


@pytest.mark.parametrize(
    ("presented", "start"),
    [(None, 7), ("3", 3), ("7", 7), ("8", 7), ("-1", 7), ("x", 7), ("", 7), ("9" * 5000, 7), ("٣", 7)],
)
def test_where_a_stream_starts(presented: str | None, start: int) -> None:
    """An id that this store never gave out counts as none: the stream starts now."""
    assert resume_after(presented, 7) == start


def test_a_quiet_stream_shows_that_it_lives() -> None:
    """Heartbeats keep proxies from cutting the line."""
    with running_server(heartbeat_seconds=0.01) as server, listening(server) as listener:
        assert listener.message() == {"": "heartbeat"}


def test_a_wrong_filter_is_refused_before_the_stream(reader: httpx.Client) -> None:
    """An error is an answer, not a silent stream."""
    assert reader.get("/api/v1/stream", params={"status": "bad"}).status_code == 400


def test_streams_are_counted_and_given_back() -> None:
    """Past the bound the answer is 503; a stream that ended makes room."""
    with running_server(max_streams=1, heartbeat_seconds=0.01) as server:
        headers = {"authorization": f"Bearer {server.token}"}
        with listening(server) as listener:
            answer = httpx.get(f"{server.url}/api/v1/stream", headers=headers)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert listener.message() == {"": "heartbeat"}
        while server.service.feed.is_full:  # the server notices the end at its next heartbeat
            httpx.get(f"{server.url}/healthz")
        with listening(server):
            pass


def test_open_streams_do_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """At shutdown streams end by themselves and in form; nothing has to be cancelled."""
    with running_server() as server:
        listeners = [listening(server) for _ in range(3)]
        opened = [listener.__enter__() for listener in listeners]
        server_thread = server
    for listener in opened:
        with pytest.raises(EOFError):  # the end of a whole answer: a torn one raises a protocol error
            listener.message()
    for context in listeners:
        context.__exit__(None, None, None)
    assert server_thread.service.feed.is_closed
    assert not [record for record in caplog.records if "graceful" in record.getMessage()]
