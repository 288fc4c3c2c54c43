"""Reading logs: lists, search, flows, counts, streams; with and without the PII permission."""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
import zlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.samples import an_event

from replaystack_server.store import LogQuery, LogRecord, SqliteStore, Viewer, parse_search
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replaystack_server.testing import RunningServer

HANG_GUARD_SECONDS = 30.0
NOON = 1_764_000_000_000
OWNER = Viewer("owner", may_read_pii=True)
VIEWER = Viewer("viewer")


@pytest.fixture
def viewer(server: RunningServer) -> Iterator[httpx.Client]:
    """Make a client that may not read personal logs."""
    headers = {"authorization": f"Bearer {server.viewer_token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=HANG_GUARD_SECONDS) as client:
        yield client


def send(sender: httpx.Client, service: str, *logs: dict[str, Any]) -> list[str]:
    """Send logs; return their ids."""
    common = {"level": "info", "message": "m", "source": service, "environment": "test"}
    full = [{**common, "id": str(uuid.uuid4()), **log} for log in logs]
    answer = sender.post("/v1/logs", json={"logs": full})
    assert answer.status_code == 200, answer.text
    return [log["id"] for log in full]


def get(client: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    """Return an answer that must be a success."""
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


class TestLists:
    def test_pages(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """By offset as the vendor has it, and by cursor: both visit each log once, newest first."""
        send(sender, service, *({"message": str(n), "timestamp": NOON + n // 3} for n in range(25)))
        expected = [str(n) for n in reversed(range(25))]
        by_offset: list[str] = []
        for offset in range(0, 30, 10):
            answer = get(reader, "/v1/logs", source=service, limit=10, offset=offset)
            by_offset += [log["message"] for log in answer["logs"]]
            assert answer["pagination"]["hasMore"] == (offset < 20)
        by_cursor: list[str] = []
        cursor = ""
        while cursor is not None:
            answer = get(reader, "/v1/logs", source=service, limit=10, cursor=cursor)
            by_cursor += [log["message"] for log in answer["logs"]]
            cursor = answer["pagination"]["older"]
        assert by_offset == by_cursor == expected

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"level": "warn"}, "b"),
            ({"level": "WARNING"}, "b"),
            ({"minLevel": "warn"}, "bc"),
            ({"logger": "cart"}, "a"),
            ({"userId": "u"}, "b"),
            ({"sessionId": "s"}, "c"),
            ({"requestId": "r"}, "a"),
            ({"dataset": "d"}, "c"),
            ({"flowId": "f-1"}, "b"),
            ({"environment": "test"}, "abc"),
            ({"from": NOON + 1}, "bc"),
            ({"to": NOON + 1}, "a"),
            ({"from": "2025-11-24T16:00:00.002Z"}, "c"),
        ],
    )
    def test_filters(
        self, sender: httpx.Client, reader: httpx.Client, service: str, query: dict[str, Any], found: str
    ) -> None:
        """Each filter alone."""
        send(
            sender,
            service,
            {"message": "a", "logger": "cart", "requestId": "r", "timestamp": NOON},
            {"message": "b", "level": "warn", "userId": "u", "flowId": "f-1", "timestamp": NOON + 1},
            {"message": "c", "level": "error", "sessionId": "s", "dataset": "d", "timestamp": NOON + 2},
        )
        answer = get(reader, "/v1/logs", source=service, **query)
        assert "".join(sorted(log["message"] for log in answer["logs"])) == found

    @pytest.mark.parametrize(
        ("path", "query"),
        [
            ("/v1/logs", {"level": "loud"}),
            ("/v1/logs", {"from": "yesterday"}),
            ("/v1/logs", {"limit": "1001"}),
            ("/v1/logs", {"cursor": "x"}),
            ("/v1/logs", {"source": "x" * 301}),
            ("/v1/logs", {"source": "\0"}),
            ("/v1/logs/search", {"q": "a"}),
            ("/v1/logs/search", {"q": "ab", "fields": "secret"}),
            ("/v1/logs/search", {}),
            ("/v1/stats", {"groupBy": "month"}),
        ],
    )
    def test_bad_questions(self, reader: httpx.Client, path: str, query: dict[str, str]) -> None:
        """The error is an answer in the shape of this road."""
        answer = reader.get(path, params=query)
        assert answer.status_code == 400
        assert set(answer.json()) == {"error"}

    def test_a_log_that_is_not_there(self, reader: httpx.Client) -> None:
        """404 in the words of the vendor."""
        answer = reader.get(f"/v1/logs/{uuid.uuid4()}")
        assert (answer.status_code, answer.json()) == (404, {"error": "Log not found"})


class TestSearch:
    @pytest.mark.parametrize(
        ("q", "found"),
        [
            ("payment", "ab"),
            ("PAYMENT failed", "a"),
            ('"payment failed"', "a"),
            ('"failed payment"', ""),
            ("payment -failed", "b"),
            ('payment -"card expired"', "a"),
            ("failed OR expired", "ab"),
            ("failed OR expired -card", "a"),
            ("-payment", "c"),
            ("pay", "ab"),
            ("timeout OR payment OR shipped", "abc"),
            ("payment timeout OR failed", "a"),
            ("---", ""),
            ("NOT OR AND NEAR(", ""),
            ("OR payment", "ab"),
            ('message : "x"', ""),
            ("expire", "b"),
            ("-expire payment", "ab"),
        ],
    )
    def test_words(
        self, sender: httpx.Client, reader: httpx.Client, service: str, q: str, found: str
    ) -> None:
        """All words, "phrases", OR, -exclusions; case never matters, operators of the engine are words."""
        send(
            sender,
            service,
            {"message": "payment failed for order", "userId": "a"},
            {"message": "Payment: card expired", "userId": "b"},
            {"message": "shipped", "userId": "c"},
        )
        answer = get(reader, "/v1/logs/search", q=q, source=service)
        assert "".join(sorted(log["userId"] for log in answer["logs"])) == found

    def test_what_was_understood_and_where_it_looks(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """The answer echoes the query; other fields are searched only when asked for."""
        send(
            sender,
            service,
            {"data": {"reason": "needle"}},
            {"errorName": "NeedleError"},
            {"errorStack": "a needle"},
        )
        q = 'needle "a b" x OR y -z'
        assert get(reader, "/v1/logs/search", q=q, source=service)["query"] == {
            "raw": q,
            "parsed": {
                "required": ["needle"],
                "phrases": ["a b"],
                "excluded": ["z"],
                "optional": [["x", "y"]],
            },
            "fields": ["message"],
        }
        for fields, count in (
            ("message", 0),
            ("data", 1),
            ("errorName,errorStack", 2),
            ("data,errorName,errorStack", 3),
        ):
            answer = get(reader, "/v1/logs/search", q="needle", fields=fields, source=service)
            assert answer["pagination"]["count"] == count

    @given(st.text(max_size=60))
    def test_no_text_is_an_error(self, text: str) -> None:
        """Whatever is typed is an expression that the engine takes."""
        connection = sqlite3.connect(":memory:")
        connection.execute("CREATE VIRTUAL TABLE t USING fts5 (message, error_name)")
        search = parse_search(text, ("message", "errorName"))
        for expression in (search.wanted, search.unwanted):
            if expression is not None:
                connection.execute("SELECT 1 FROM t WHERE t MATCH ?", (expression,)).fetchall()
        connection.close()


class TestFlows:
    def test_a_flow_and_its_steps(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """Listed with what its logs come to; its logs stand in the order of their steps."""
        flow = f"check-out-{uuid.uuid4().hex[:8]}"
        send(
            sender,
            service,
            {"flowId": flow, "stepIndex": 2, "message": "third", "timestamp": NOON + 500, "level": "error"},
            {"flowId": flow, "stepIndex": 0, "message": "first", "timestamp": NOON + 600},
            {"flowId": flow, "message": "beside", "timestamp": NOON},
        )
        (row,) = get(reader, "/api/v1/flows", source=service)["data"]["flows"]
        assert row == {
            "flowId": flow,
            "name": "check-out",
            "source": service,
            "logCount": 3,
            "errorCount": 1,
            "firstSeen": NOON,
            "lastSeen": NOON + 600,
            "durationMs": 600,
            "status": "error",
        }
        assert get(reader, "/v1/flows", source=service)["flows"] == [row]
        shown = get(reader, f"/api/v1/flows/{flow}")["data"]
        assert [log["message"] for log in shown["logs"]] == ["first", "third", "beside"]
        assert reader.get("/api/v1/flows/none-12345678").status_code == 404


def test_counts_by_hour_day_and_source(sender: httpx.Client, reader: httpx.Client, service: str) -> None:
    """Per level and in all, for the days that are asked for."""
    day = 86_400_000
    send(
        sender,
        service,
        {"timestamp": NOON},
        {"timestamp": NOON, "level": "error"},
        {"timestamp": NOON + 3_600_000},
        {"timestamp": NOON - 40 * day},
    )
    period = {"from": "2025-11-24", "to": "2025-11-24"}
    by_source = get(reader, "/v1/stats", groupBy="source", **period)
    (own,) = [row for row in by_source["stats"] if row["source"] == service]
    assert own == {"source": service, "total": 3, "debug": 0, "info": 2, "warn": 0, "error": 1}
    assert by_source["totals"]["total"] == sum(row["total"] for row in by_source["stats"])
    by_hour = get(reader, "/v1/stats", groupBy="hour", **period)
    assert {NOON, NOON + 3_600_000} <= {row["timestamp"] for row in by_hour["stats"]}
    assert get(reader, "/v1/stats")["groupBy"] == "day"


# -- the logs of an event


def test_the_logs_of_an_event_are_grouped_by_logger(
    sender: httpx.Client, reader: httpx.Client, service: str
) -> None:
    """In the flat shape of the PolyAI seed, in their order; and in the table of logs like any other."""
    attached = [
        {
            "level": "warning",
            "message": "seen",
            "timestamp": "2026-11-20T12:00:00.500Z",
            "metadata": {
                "a": 1,
                "level": "mine",
                "replaystack": {"logger": "conversation_logger", "isPii": False},
            },
        },
        {"level": "info", "message": "by the app", "metadata": {"replaystack": {"logger": "app"}}},
        {
            "level": "error",
            "message": "later",
            "timestamp": "2026-11-20T12:00:01Z",
            "metadata": {"replaystack": {"logger": "conversation_logger"}},
        },
    ]
    big = 2**70
    event = an_event(serviceName=service, logs=attached, requestPayload={"n": big})
    sender.post("/api/v1/ingest/events", json=event)
    identity = event["metadata"]["replaystack"]["eventId"]
    answer = reader.get(f"/api/v1/events/{identity}")
    assert str(big) in answer.text
    logs = answer.json()["data"]["event"]["logs"]
    assert [*logs] == ["conversation_logger", "app"]
    assert logs["conversation_logger"][0] == {
        "level": "warning",
        "content": "seen",
        "is_pii": False,
        "timestamp": "2026-11-20T12:00:00Z",
        "logger": "conversation_logger",
        "a": 1,
        "field_level": "mine",
    }
    assert [log["content"] for log in logs["conversation_logger"]] == ["seen", "later"]
    listed = get(reader, "/v1/logs", eventId=identity)["logs"]
    assert {log["message"] for log in listed} == {"seen", "by the app", "later"}
    assert {log["source"] for log in listed} == {service}


def test_an_event_that_is_sent_again_brings_its_logs_once(
    sender: httpx.Client, reader: httpx.Client, service: str
) -> None:
    """As the event itself."""
    event = an_event(serviceName=service, logs=[{"level": "info", "message": "m"}] * 3)
    for _ in range(2):
        sender.post("/api/v1/ingest/events", json=event)
    assert len(get(reader, "/v1/logs", source=service)["logs"]) == 3


def test_the_logs_of_an_older_file_move_into_the_table(tmp_path: Path) -> None:
    """A file of the release before has them inside of documents, where everyone would see them."""
    path = tmp_path / "events.sqlite3"
    logs = [
        {"level": "info", "message": "public"},
        {"level": "info", "message": "personal", "metadata": {"replaystack": {"isPii": True}}},
    ]
    event = an_event(serviceName="old", requestPayload={"kept": 1})
    with running_server(database=path) as server:
        url = f"{server.url}/api/v1/ingest/events"
        httpx.post(url, json=event, headers={"x-replaystack-api-key": server.key})
    connection = sqlite3.connect(path)
    (body,) = connection.execute("SELECT body FROM documents").fetchone()
    document = {**json.loads(zlib.decompress(body)), "logs": logs}
    connection.execute(
        "UPDATE documents SET body = ?",
        (zlib.compress(json.dumps(document, separators=(",", ":")).encode()),),
    )
    connection.commit()
    connection.executescript("DROP TABLE log_search; DROP TABLE logs; PRAGMA user_version = 2;")
    connection.close()
    identity = event["metadata"]["replaystack"]["eventId"]
    for _ in range(2):  # the second opening finds nothing left to do
        store = SqliteStore(path)
        seen = {viewer.name: store.event(viewer, identity) for viewer in (OWNER, VIEWER)}
        store.close()
        assert seen["owner"] is not None
        assert seen["viewer"] is not None
        assert [log.message for log in seen["owner"].logs] == ["public", "personal"]
        assert [log.message for log in seen["viewer"].logs] == ["public"]
        assert b"personal" not in seen["viewer"].document
        assert json.loads(seen["viewer"].document)["requestPayload"] == {"kept": 1}


# -- the PII permission


def read_everything(client: httpx.Client, service: str, event_id: str, flow: str) -> dict[str, int]:
    """Return how many logs of `service` each road shows this reader."""
    stats = get(client, "/v1/stats", groupBy="source")["stats"]
    flows = get(client, "/api/v1/flows", source=service)["data"]["flows"]
    grouped = get(client, f"/api/v1/events/{event_id}")["data"]["event"].get("logs", {})
    page, cursor = 0, ""
    while cursor is not None:
        answer = get(client, "/v1/logs", source=service, limit=2, cursor=cursor)
        page += len(answer["logs"])
        cursor = answer["pagination"]["older"]
    return {
        "list": len(get(client, "/v1/logs", source=service, limit=1000)["logs"]),
        "count": get(client, "/v1/logs", source=service, limit=1000)["pagination"]["count"],
        "offset": sum(
            bool(get(client, "/v1/logs", source=service, limit=1, offset=n)["logs"]) for n in range(12)
        ),
        "cursors": page,
        "search": len(get(client, "/v1/logs/search", q="called", source=service)["logs"]),
        "exclusion": len(get(client, "/v1/logs/search", q="-nothing", source=service)["logs"]),
        "by logger": len(get(client, "/v1/logs", source=service, logger="conv")["logs"]),
        "stats": next((row["total"] for row in stats if row["source"] == service), 0),
        "flow list": sum(flow["logCount"] for flow in flows),
        "flow": len(get(client, f"/api/v1/flows/{flow}")["data"]["logs"]),
        "event": sum(len(entries) for entries in grouped.values()),
        "of event": len(get(client, "/v1/logs", eventId=event_id)["logs"]),
    }


@pytest.mark.checklist("P4")
@pytest.mark.checklist("P5")
def test_n_minus_k_on_every_road(
    server: RunningServer, sender: httpx.Client, reader: httpx.Client, viewer: httpx.Client, service: str
) -> None:
    """For k personal logs of n, a reader without the permission gets n - k wherever logs are read."""
    n, k = 9, 4
    flow = f"call-{uuid.uuid4().hex[:8]}"
    entries = [
        {
            "level": "info",
            "message": f"called {index}",
            "metadata": {
                "replaystack": {"logger": "conv", "isPii": index % 2 == 1, "flowId": flow, "stepIndex": index}
            },
        }
        for index in range(n)
    ]
    event = an_event(serviceName=service, logs=entries)
    event_id = event["metadata"]["replaystack"]["eventId"]
    with listening(server, server.token) as all_logs, listening(server, server.viewer_token) as public_logs:
        assert sender.post("/api/v1/ingest/events", json=event).status_code == 201
        heard_all, heard_public = all_logs.logs(service, n), public_logs.logs(service, n - k)
    assert set(read_everything(reader, service, event_id, flow).values()) == {n}
    assert set(read_everything(viewer, service, event_id, flow).values()) == {n - k}
    assert [message["message"] for _, message in heard_all] == [f"called {index}" for index in range(n)]
    assert [message["message"] for _, message in heard_public] == [
        f"called {index}" for index in range(0, n, 2)
    ]
    for log in get(reader, "/v1/logs", source=service)["logs"]:
        assert viewer.get(f"/v1/logs/{log['id']}").status_code == (404 if log["isPii"] else 200)
    assert not any(log["isPii"] for log in get(viewer, "/v1/logs", source=service)["logs"])


def test_no_number_tells_how_many_there_are(tmp_path: Path) -> None:
    """Cursors and stream ids of a reader without the permission are those of a store without the others."""
    answers: list[object] = []
    for personal in (0, 5):
        store = SqliteStore(tmp_path / f"{personal}.sqlite3")
        for index in range(4):
            for is_pii in (False, *[True] * personal):
                record = LogRecord(
                    log_id=str(uuid.uuid4()),
                    occurred_ms=NOON,
                    received_ms=NOON,
                    level="info",
                    is_pii=is_pii,
                    message=f"m{index}",
                    source="s",
                    flow_id="f-1",
                )
                store.logs.add([record]).result()
        page = store.logs.page(VIEWER, LogQuery(), None, 2)
        answers.append(
            (
                [(log.position, log.arrival, log.record.message) for log in page.logs],
                str(page.older),
                store.logs.last_arrival(VIEWER),
                [log.arrival for log in store.logs.arrivals(VIEWER, LogQuery(), 0, 99).logs],
                store.logs.counts(VIEWER, LogQuery(), "source"),
                store.logs.flows(VIEWER, LogQuery(), 10),
            )
        )
        assert store.logs.last_arrival(OWNER) == 4 * (1 + personal)
        store.close()
    assert answers[0] == answers[1]


def test_a_flow_of_personal_logs_alone_does_not_exist(
    sender: httpx.Client, viewer: httpx.Client, service: str
) -> None:
    """Neither in the list nor by its id."""
    flow = f"f-{uuid.uuid4().hex[:8]}"
    send(sender, service, {"flowId": flow, "stepIndex": 0, "isPii": True})
    assert get(viewer, "/api/v1/flows", source=service)["data"]["flows"] == []
    assert viewer.get(f"/api/v1/flows/{flow}").status_code == 404


def test_a_browser_has_the_role_of_its_token(
    server: RunningServer, sender: httpx.Client, service: str
) -> None:
    """Signing in with the viewer's link gives the viewer's sight."""
    send(sender, service, {"isPii": True}, {})
    for link, count in ((server.login_url, 2), (server.viewer_login_url, 1)):
        with httpx.Client(follow_redirects=True) as browser:
            browser.get(link)
            assert (
                len(browser.get(f"{server.url}/v1/logs", params={"source": service}).json()["logs"]) == count
            )


# -- streams


class Listener:
    """Reads one stream of logs in a thread of its own, so that two can be open at once."""

    def __init__(self, url: str, token: str, last_event_id: str | None) -> None:
        headers = {"authorization": f"Bearer {token}"}
        if last_event_id is not None:
            headers["last-event-id"] = last_event_id
        self._context = httpx.stream("GET", url, headers=headers, timeout=HANG_GUARD_SECONDS)
        self._lines = self._context.__enter__().iter_lines()
        assert next(self._lines) == "retry: 2000"

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)

    def logs(self, service: str, count: int) -> list[tuple[str, dict[str, Any]]]:
        """Return id and data of the next `count` logs of that source."""
        found: list[tuple[str, dict[str, Any]]] = []
        fields: dict[str, str] = {}
        while len(found) < count:
            name, _, value = next(self._lines).partition(": ")
            fields[name] = value
            if name == "data" and fields["event"] == "log.created":
                data = json.loads(value)
                if data["source"] == service:
                    found.append((fields["id"], data))
        return found


def listening(
    server: RunningServer, token: str, last_event_id: str | None = None, query: str = ""
) -> Listener:
    """Open a stream."""
    return Listener(f"{server.url}/api/v1/stream{query}", token, last_event_id)


@pytest.mark.parametrize("reader_kind", ["token", "viewer_token"])
def test_a_stream_of_logs_goes_on_where_it_stopped(
    server: RunningServer, sender: httpx.Client, service: str, reader_kind: str
) -> None:
    """Nothing is missed and nothing comes twice, whoever reads; more than one read of the store included."""
    token = getattr(server, reader_kind)
    with listening(server, token, query="?kinds=logs") as listener:
        send(sender, service, *({"message": str(n)} for n in range(3)))
        seen = listener.logs(service, 2)
    for batch in range(3):
        send(sender, service, *({"message": f"{batch}-{n}", "isPii": n % 3 == 0} for n in range(90)))
    is_all = reader_kind == "token"
    expected = ["2", *(f"{b}-{n}" for b in range(3) for n in range(90) if is_all or n % 3)]
    with listening(server, token, seen[-1][0], "?kinds=logs") as listener:
        assert [log["message"] for _, log in listener.logs(service, len(expected))] == expected


def test_the_place_of_one_kind_of_reader_is_none_for_the_other(
    server: RunningServer, sender: httpx.Client, service: str
) -> None:
    """An id that another token was given starts the logs now."""
    with listening(server, server.token) as listener:
        send(sender, service, {"message": "before"})
        ((place, _),) = listener.logs(service, 1)
    with listening(server, server.viewer_token, place) as listener:
        send(sender, service, {"message": "after"})
        assert [log["message"] for _, log in listener.logs(service, 1)] == ["after"]


def test_a_stream_can_be_filtered_by_what_logs_have(
    server: RunningServer, sender: httpx.Client, service: str
) -> None:
    """Level, logger, source and flow."""
    with listening(server, server.token, query=f"?kinds=logs&minLevel=warn&source={service}") as listener:
        send(sender, service, {"message": "no"}, {"message": "yes", "level": "error"})
        assert [log["message"] for _, log in listener.logs(service, 1)] == ["yes"]


def test_a_stream_of_logs_alone_has_every_filter_of_their_page(
    server: RunningServer, sender: httpx.Client, service: str
) -> None:
    """Also the words and times that restrict events where a stream is about both."""
    wanted: dict[str, Any] = {
        "message": "paid order-17 at last",
        "environment": "live",
        "userId": "u-1",
        "sessionId": "s-1",
    }
    others: list[dict[str, Any]] = [
        {"message": "paid order-18 at last"},
        {"environment": "test"},
        {"userId": "u-2"},
        {"sessionId": "s-2"},
        {"timestamp": 1_000},
    ]
    query = "&".join(
        [
            f"?kinds=logs&source={service}&q=order-17&environment=live&userId=u-1&sessionId=s-1",
            "from=2001-01-01T00:00:00Z",
        ]
    )
    with listening(server, server.token, query=query) as listener:
        send(sender, service, *({**wanted, **other} for other in others), {**wanted, "message": "order-17!"})
        assert [log["message"] for _, log in listener.logs(service, 1)] == ["order-17!"]


def test_many_senders_at_once(server: RunningServer, reader: httpx.Client, service: str) -> None:
    """Eight threads, one log each time: all are stored, in one order, with no place twice."""
    headers = {"x-api-key": server.key}

    def work(number: int) -> None:
        with httpx.Client(base_url=server.url, headers=headers, timeout=HANG_GUARD_SECONDS) as client:
            for index in range(10):
                send(client, service, {"message": f"{number}-{index}", "isPii": index % 2 == 0})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_GUARD_SECONDS)
    messages = [log["message"] for log in get(reader, "/v1/logs", source=service, limit=1000)["logs"]]
    assert len(messages) == len(set(messages)) == 80
