"""What became of what a sender numbered: arrived, dropped and counted by the sender, or unknown."""

from __future__ import annotations

import gzip
import json
import sqlite3
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from tests.server.samples import HOSTILE, an_event

from replaystack import ReplayStackClient
from replaystack_server.store import SqliteStore, StreamReport, Viewer
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from replaystack_server.testing import RunningServer

INGEST = "/api/v1/ingest/events"
BULK = "/api/v1/ingest/bulk-events"


@pytest.fixture
def process() -> str:
    """Return a stream id that no other test uses."""
    return str(uuid.uuid4())


def send(sender: httpx.Client, process: str, *numbers: int, drops: str | None = None) -> None:
    """Send events of one stream in one batch."""
    events = [an_event(reserved={"process": process, "sequence": number}) for number in numbers]
    headers = {"x-replaystack-process": process}
    if drops is not None:
        headers["x-replaystack-drops"] = drops
    assert sender.post(BULK, json={"events": events}, headers=headers).status_code == 200


def stream(reader: httpx.Client, process: str) -> dict[str, Any]:
    """Return what the statistics say of a stream."""
    streams = reader.get("/api/v1/stats").json()["data"]["streams"]
    (found,) = [entry for entry in streams if entry["process"] == process]
    return dict(found)


def test_known_drops_and_unknown_gaps_are_told_apart(
    sender: httpx.Client, reader: httpx.Client, process: str
) -> None:
    """Of ten numbers six arrived and three were counted as dropped: one is unknown."""
    send(sender, process, 0, 1, 2)
    send(sender, process, 5, 8, 9, drops="max_queue_size=2, rejected=1")
    found = stream(reader, process)
    assert (found["received"], found["lastSequence"], found["missing"]) == (6, 9, 4)
    assert found["knownDrops"] == {"max_queue_size": 2, "rejected": 1}
    assert found["unknownGaps"] == 1
    send(sender, process, 6)
    assert stream(reader, process)["unknownGaps"] == 0


def test_a_repeat_counts_once(sender: httpx.Client, reader: httpx.Client, process: str) -> None:
    """The same event sent twice, after an answer that was lost, is one event."""
    event = an_event(reserved={"process": process, "sequence": 0})
    assert sender.post(INGEST, json=event).status_code == 201
    assert sender.post(INGEST, json=event).status_code == 200
    assert stream(reader, process)["received"] == 1


def test_counts_only_grow(sender: httpx.Client, reader: httpx.Client, process: str) -> None:
    """Requests may overtake each other: the highest count by reason stays."""
    send(sender, process, 0, drops="rejected=5, closed=1")
    send(sender, process, 1, drops="rejected=2")
    assert stream(reader, process)["knownDrops"] == {"rejected": 5, "closed": 1}


@pytest.mark.parametrize(
    "drops",
    ["", "nonsense", "rejected", "rejected=-1", "a=1e9", "=1", HOSTILE, "x" * 5000, "rejected=1" + "0" * 20],
)
def test_rubbish_in_the_header_costs_no_event(
    sender: httpx.Client, reader: httpx.Client, process: str, drops: str
) -> None:
    """Events matter more than what is said about them."""
    send(sender, process, 0, drops=drops)
    assert stream(reader, process)["knownDrops"] == {}


def test_the_page_shows_them(reader: httpx.Client, sender: httpx.Client, process: str) -> None:
    """One line per stream; a hostile stream id in an event is text."""
    send(sender, process, 0, 3, drops="before_send=1")
    sender.post(INGEST, json=an_event(reserved={"process": HOSTILE[:100], "sequence": 0}))
    html = reader.get("/streams").text
    row = html[html.index(process) :]
    assert "before_send 1" in row[: row.index("</tr>")]
    assert "<script>alert" not in html
    assert 'href="/streams"' in reader.get("/").text


def test_a_stranger_sees_none_of_it(stranger: httpx.Client) -> None:
    """Both roads ask for a sign-in."""
    assert stranger.get("/api/v1/stats").status_code == 401
    assert stranger.get("/streams").status_code == 401


def test_a_real_client_and_its_drops() -> None:
    """End to end, over a real connection: what before_send dropped is known, nothing is a gap."""
    with running_server() as server:
        kept = []

        def keep_even(event: dict[str, Any]) -> dict[str, Any] | None:
            kept.append(event)
            return event if len(kept) % 2 else None

        with ReplayStackClient(api_key=server.key, endpoint=server.url, before_send=keep_even) as client:
            for _ in range(20):
                client.capture_event(endpoint="/x", request_payload={"pad": "x" * 3000})
            assert client.flush(20)
            client.capture_event(endpoint="/last")
        (found,) = server.service.store.streams(Viewer("test"), 10)
        assert (found.stored, dict(found.drops)) == (11, {"before_send": 10})
        assert found.unknown_gaps == 0


def test_a_file_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    """The streams of events that are there already are counted once, when the file is opened."""
    path = tmp_path / "events.sqlite3"
    with running_server(database=path) as server:
        import httpx

        with httpx.Client(base_url=server.url, headers={"x-replaystack-api-key": server.key}) as sender:
            send(sender, "stream-1", 0, 1, 4)
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TABLE streams; DROP TABLE log_search; DROP TABLE logs; PRAGMA user_version = 1;"
    )
    connection.close()
    store = SqliteStore(path)
    (found,) = store.streams(Viewer("test"), 10)
    assert (found.process, found.stored, found.last_sequence, found.unknown_gaps) == ("stream-1", 3, 4, 2)
    store.add([], StreamReport("stream-1", {"rejected": 2}, 5)).result()
    assert store.streams(Viewer("test"), 10)[0].unknown_gaps == 0
    store.close()


def packed(document: object) -> bytes:
    """Return a document as a sender compresses it."""
    return gzip.compress(json.dumps(document).encode())


def test_a_compressed_body_is_taken(sender: httpx.Client, reader: httpx.Client) -> None:
    """Gzip is advertised, so it works: single and in a batch."""
    event = an_event()
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    assert sender.post(INGEST, content=packed(event), headers=headers).status_code == 201
    answer = sender.post(BULK, content=packed({"events": [an_event(), an_event()]}), headers=headers)
    assert answer.json()["data"]["accepted"] == 2
    identity = event["metadata"]["replaystack"]["eventId"]
    assert reader.get(f"/api/v1/events/{identity}").status_code == 200


def test_a_bomb_is_refused_while_it_is_small(server: RunningServer, sender: httpx.Client) -> None:
    """A few hundred kB that would be 200 MB unpacked: 413, and the server lives."""
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=9)
    assert len(bomb) < 300_000
    answer = sender.post(INGEST, content=bomb, headers={"content-encoding": "gzip"})
    assert answer.status_code == 413
    assert sender.post(INGEST, json=an_event()).status_code == 201


@pytest.mark.parametrize(
    "body",
    [b"", b"not gzip", packed({})[:-4], packed({}) + b"more", packed(an_event()) * 2],
    ids=["empty", "plain", "cut", "more", "two members"],
)
def test_a_broken_compression_is_named(sender: httpx.Client, body: bytes) -> None:
    """400, with a text that says what is wrong."""
    answer = sender.post(INGEST, content=body, headers={"content-encoding": "gzip"})
    assert answer.status_code == 400
    assert "gzip" in answer.json()["message"]
