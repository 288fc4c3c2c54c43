from __future__ import annotations

import json
import sqlite3
import stat
import threading
import uuid
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replaystack_server.receiving.intake import describe
from replaystack_server.store import (
    Cursor,
    CursorError,
    EventQuery,
    IncomingEvent,
    LogQuery,
    LogRecord,
    SqliteStore,
    StoreError,
    Viewer,
    parse_search,
)
from replaystack_server.store.search import clip, match_expression
from replaystack_server.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VIEWER = Viewer("test")
EVERYTHING = EventQuery()
NOON = 1_764_000_000_000
HANG_GUARD_SECONDS = 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store of a test lies."""
    return tmp_path / "events.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    """Open an empty store."""
    opened = SqliteStore(path)
    yield opened
    opened.close()


def incoming(occurred_ms: int = NOON, **changes: Any) -> IncomingEvent:
    """Return an event as the receiver would describe it."""
    event = {"eventType": "api", "status": "success", "endpoint": "/orders", "serviceName": "shop", **changes}
    return replace(describe(json.dumps(event).encode(), str(uuid.uuid4()), NOON), occurred_ms=occurred_ms)


def add(store: SqliteStore, *events: IncomingEvent) -> None:
    """Store events and wait until they are on disk."""
    store.add(events).result(HANG_GUARD_SECONDS)


def endpoints(store: SqliteStore, query: EventQuery = EVERYTHING, limit: int = 100) -> list[str | None]:
    """Return the paths on the first page."""
    return [event.endpoint for event in store.page(VIEWER, query, None, limit).events]


class TestOrder:
    """Pages go by the time of the events, streams by their arrival."""

    def test_a_late_event_takes_its_place_in_time(self, store: SqliteStore) -> None:
        """An event that was spooled for an hour stands among those of its own minute."""
        add(store, incoming(NOON, endpoint="/first"), incoming(NOON + 2, endpoint="/third"))
        add(store, incoming(NOON + 1, endpoint="/second"))
        assert endpoints(store) == ["/third", "/second", "/first"]
        arrived = store.arrivals(VIEWER, EVERYTHING, 0, 10)
        assert [event.endpoint for event in arrived.events] == ["/first", "/third", "/second"]
        assert [event.arrival for event in arrived.events] == [1, 2, 3]

    def test_events_of_one_millisecond_keep_the_order_of_arrival(self, store: SqliteStore) -> None:
        """The clock's grain does not shuffle."""
        add(store, *(incoming(endpoint=f"/{number}") for number in range(5)))
        assert endpoints(store) == ["/4", "/3", "/2", "/1", "/0"]

    def test_a_taken_position_is_stepped_over(self, store: SqliteStore, path: Path) -> None:
        """Should two events ever ask for one position, both are stored."""
        add(store, incoming(endpoint="/one"))
        with sqlite3.connect(path) as connection:  # as if two million arrivals lay between
            connection.execute("UPDATE events SET position = position + 1")
            connection.execute("UPDATE documents SET position = position + 1")
        connection.close()
        add(store, incoming(endpoint="/two"))
        assert sorted(endpoints(store), key=str) == ["/one", "/two"]

    def test_a_clock_that_runs_ahead_pins_nothing_to_the_top(self) -> None:
        """An event counts as having happened at the latest when it arrived."""
        document = {
            "eventType": "api",
            "status": "success",
            "metadata": {"replaystack": {"timestamp": "2999-01-01T00:00:00Z"}},
        }
        assert (
            describe(json.dumps(document).encode(), str(uuid.uuid4()), received_ms=NOON).occurred_ms == NOON
        )


class TestPages:
    """Cursors name places, not page numbers."""

    def test_walking_through_while_events_arrive_misses_and_doubles_nothing(self, store: SqliteStore) -> None:
        """Each event that was there at the start is seen exactly once, however many come meanwhile."""
        there = [incoming(NOON + number, endpoint=f"/{number}") for number in range(25)]
        add(store, *there)
        seen: list[str] = []
        cursor = None
        while True:
            page = store.page(VIEWER, EVERYTHING, cursor, 10)
            seen += [event.event_id for event in page.events]
            add(store, incoming(NOON + 1000 + len(seen)), incoming(NOON + 2000 + len(seen)))
            if page.older is None:
                break
            cursor = page.older
        assert seen == [event.event_id for event in reversed(there)]

    def test_back_again_is_the_same_page(self, store: SqliteStore) -> None:
        """Older, then newer, shows what was shown before."""
        add(store, *(incoming(NOON + number, endpoint=f"/{number}") for number in range(30)))
        first = store.page(VIEWER, EVERYTHING, None, 10)
        second = store.page(VIEWER, EVERYTHING, first.older, 10)
        third = store.page(VIEWER, EVERYTHING, second.older, 10)
        assert store.page(VIEWER, EVERYTHING, third.newer, 10).events == second.events
        assert store.page(VIEWER, EVERYTHING, second.newer, 10).events == first.events

    def test_the_ends_are_known(self, store: SqliteStore) -> None:
        """There is no way on where nothing lies."""
        add(store, *(incoming(NOON + number) for number in range(20)))
        first = store.page(VIEWER, EVERYTHING, None, 10)
        second = store.page(VIEWER, EVERYTHING, first.older, 10)
        assert (first.newer, second.older) == (None, None)
        assert store.page(VIEWER, EVERYTHING, second.newer, 10).newer is None

    @given(st.sampled_from(["older", "newer"]), st.integers(0, 2**63 - 1))
    def test_a_cursor_survives_its_text(self, direction: Any, position: int) -> None:
        """What is given out is understood, and is safe in a URL."""
        cursor = Cursor(direction, position)
        assert Cursor.parse(str(cursor)) == cursor
        assert str(cursor).replace("-", "").replace("_", "").isalnum()

    @given(st.text(max_size=30))
    def test_any_other_text_is_no_cursor(self, text: str) -> None:
        """Invented cursors are told apart, never passed to the database."""
        try:
            cursor = Cursor.parse(text)
        except CursorError:
            return
        assert str(cursor) == text

    @pytest.mark.parametrize("text", ["_w==", "AP__________", "AgAAAAAAAAAA", "AAAAAAAAAAAB\n"])
    def test_a_cursor_beyond_the_range_is_refused(self, text: str) -> None:
        """Right in length and alphabet, wrong in content."""
        with pytest.raises(CursorError):
            Cursor.parse(text)


class TestFilters:
    """Which events a query means."""

    @pytest.fixture
    def filled(self, store: SqliteStore) -> SqliteStore:
        """Fill a store with one event for each filter."""
        add(
            store,
            incoming(NOON, endpoint="/"),
            incoming(NOON + 1, endpoint="/orders", method="POST"),
            incoming(NOON + 2, endpoint="/orders/7", status="failed", errorName="PaymentError"),
            incoming(NOON + 3, endpoint="/orders-archive", serviceName="archive"),
            incoming(NOON + 4, endpoint="/ORDERS", errorMessage="Straße nach Köln, 100%_sure"),
        )
        return store

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (EventQuery(status="failed"), ["/orders/7"]),
            (EventQuery(service="archive"), ["/orders-archive"]),
            (EventQuery(method="POST"), ["/orders"]),
            (EventQuery(path="/orders"), ["/orders/7", "/orders"]),
            (EventQuery(path="/orders/"), ["/orders/7"]),
            (EventQuery(path="/orders*"), ["/orders-archive", "/orders/7", "/orders"]),
            (EventQuery(path="/"), ["/"]),
            (EventQuery(path="/*"), ["/ORDERS", "/orders-archive", "/orders/7", "/orders", "/"]),
            (EventQuery(path="/%"), []),
            (EventQuery(path="/order_"), []),
            (EventQuery(from_ms=NOON + 3), ["/ORDERS", "/orders-archive"]),
            (EventQuery(to_ms=NOON + 1), ["/"]),
            (EventQuery(from_ms=NOON + 1, to_ms=NOON + 2), ["/orders"]),
            (EventQuery(text="payment"), ["/orders/7"]),
            (EventQuery(text="error"), ["/orders/7"]),
            (EventQuery(text="PAYM"), ["/orders/7"]),
            (EventQuery(text="ayment"), []),
            (EventQuery(text="koln strasse"), []),
            (EventQuery(text="koln straße"), ["/ORDERS"]),
            (EventQuery(text='"nach koln"'), ["/ORDERS"]),
            (EventQuery(text='"koln nach"'), []),
            (EventQuery(text="orders archive"), ["/orders-archive"]),
            (EventQuery(text="orders", path="/orders", status="failed"), ["/orders/7"]),
            (EventQuery(text="orders", from_ms=NOON + 2, to_ms=NOON + 4), ["/orders-archive", "/orders/7"]),
            (EventQuery(text="---"), []),
        ],
        ids=str,
    )
    def test_a_filter_means_exactly_these(
        self, filled: SqliteStore, query: EventQuery, expected: list[str]
    ) -> None:
        """Pages and streams agree about it."""
        assert endpoints(filled, query) == expected
        arrived = filled.arrivals(VIEWER, query, 0, 100)
        assert [event.endpoint for event in reversed(arrived.events)] == expected
        assert arrived.last == 5

    @given(
        st.text(
            alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from('"*():^-+{}[]\\ANDORNOT ')),
            max_size=40,
        )
    )
    def test_no_search_text_is_a_syntax_error(self, text: str) -> None:
        """The full-text language never shines through."""
        expression = match_expression(text.replace("\0", ""))
        if expression is not None:
            FTS.execute("SELECT count(*) FROM search WHERE search MATCH ?", (expression,)).fetchone()

    def test_services_are_listed_once_each(self, filled: SqliteStore) -> None:
        """Sorted, and without the events that name none."""
        add(filled, incoming(serviceName=None), incoming(serviceName="a"))
        assert filled.services(VIEWER) == ("a", "archive", "shop")


FTS = sqlite3.connect(":memory:", check_same_thread=False)
FTS.execute("CREATE VIRTUAL TABLE search USING fts5 (message)")


@given(st.text(), st.integers(1, 40))
def test_clipped_text_fits_and_is_a_beginning(text: str, most: int) -> None:
    """The bound is one of bytes, and no character is torn."""
    clipped = clip(text, most)
    assert len(clipped.encode("utf-8", "replace")) <= most
    assert text.startswith(clipped)


def test_the_searchable_text_of_an_event_is_bounded() -> None:
    """However large an event is, at most 4 KiB of it lie uncompressed in the index's table."""
    huge = "Ω" * 100_000
    event = {
        "eventType": "api",
        "status": "failed",
        "endpoint": huge,
        "errorName": huge,
        "errorMessage": huge,
        "metadata": {"tags": [huge], huge: huge},
    }
    described = describe(json.dumps(event).encode(), str(uuid.uuid4()), NOON)
    texts = [described.endpoint, described.error, described.message, described.tags]
    assert sum(len(str(text).encode()) for text in texts) <= 4096


class TestArrivals:
    """What a stream reads."""

    def test_the_limit_leaves_the_rest_for_the_next_call(self, store: SqliteStore) -> None:
        """Nothing is lost between two reads."""
        add(store, *(incoming(NOON - number, endpoint=f"/{number}") for number in range(5)))
        first = store.arrivals(VIEWER, EVERYTHING, 0, 3)
        second = store.arrivals(VIEWER, EVERYTHING, first.last, 3)
        assert [event.endpoint for event in (*first.events, *second.events)] == [f"/{n}" for n in range(5)]
        assert (first.more, second.more) == (True, False)

    def test_what_does_not_match_is_passed_over(self, store: SqliteStore) -> None:
        """A filter that matches nothing does not look at the same events again and again."""
        add(store, *(incoming() for _ in range(5)))
        nothing = store.arrivals(VIEWER, EventQuery(status="failed"), 0, 3)
        assert (nothing.events, nothing.last) == ((), 5)
        assert store.arrivals(VIEWER, EVERYTHING, nothing.last, 3).last == 5


class TestDocuments:
    """The whole event."""

    def test_it_comes_back_byte_for_byte(self, store: SqliteStore) -> None:
        """White space, number spellings and order survive the compression."""
        document = b'{"eventType":"api", "status":"failed","n":1.10,"big":123456789012345678901234567890}'
        event = describe(document, str(uuid.uuid4()), NOON)
        add(store, event)
        stored = store.event(VIEWER, event.event_id.upper())
        assert stored is not None
        assert stored.document == document
        assert store.event(VIEWER, str(uuid.uuid4())) is None

    def test_the_first_of_two_with_one_id_is_kept(self, store: SqliteStore) -> None:
        """Also when both stand in one batch."""
        one = incoming(endpoint="/one")
        two = describe(b'{"eventType":"api","status":"failed","endpoint":"/two"}', one.event_id, NOON)
        receipts = store.add([one, two]).result(HANG_GUARD_SECONDS)
        assert [receipt.is_new for receipt in receipts] == [True, False]
        assert endpoints(store) == ["/one"]

    def test_process_and_sequence_are_kept(self, store: SqliteStore) -> None:
        """So that gaps in a sender's stream can be shown one day."""
        add(store, incoming(metadata={"replaystack": {"process": "p-1", "sequence": 2**53 - 1}}))
        (event,) = store.page(VIEWER, EVERYTHING, None, 1).events
        assert (event.process, event.sequence) == ("p-1", 2**53 - 1)


class TestLogs:
    """What is particular about writing logs."""

    def log(self, **changes: Any) -> LogRecord:
        """Return one of noon."""
        fields = {"occurred_ms": NOON, "received_ms": NOON, "level": "info", "is_pii": False, "message": "m"}
        return LogRecord(**{"log_id": str(uuid.uuid4()), **fields, **changes})

    def messages(self, store: SqliteStore) -> list[str]:
        """Return them, oldest first."""
        page = store.logs.page(Viewer("all", may_read_pii=True), LogQuery(), None, 1000)
        return [log.record.message for log in reversed(page.logs)]

    def test_a_place_that_is_taken(self, store: SqliteStore, path: Path) -> None:
        """Two million arrivals after another log of its millisecond, one stands beside it."""
        store.logs.add([self.log(message="first")]).result(HANG_GUARD_SECONDS)
        with sqlite3.connect(path) as connection:  # as if so many had come, and gone, in between
            connection.execute("UPDATE logs SET arrival = arrival + (1 << 21) - 1")
            connection.execute("UPDATE logs SET public_arrival = public_arrival + (1 << 21) - 1")
        receipts = store.logs.add([self.log(message="second"), self.log(message="third")])
        assert [receipt.is_new for receipt in receipts.result(HANG_GUARD_SECONDS)] == [True, True]
        assert sorted(self.messages(store)) == ["first", "second", "third"]
        public = store.logs.page(Viewer("some", may_read_pii=False), LogQuery(), None, 1000)
        assert len({log.position for log in public.logs}) == 3

    def test_half_a_character(self, store: SqliteStore) -> None:
        """SQLite takes no lone surrogates; the log is kept, its neighbours with it."""
        logs = [self.log(message=text, data={"k": text}) for text in ("a", "b \ud800 c", "d")]
        store.logs.add(logs).result(HANG_GUARD_SECONDS)
        assert self.messages(store) == ["a", "b ? c", "d"]

    def test_one_id_twice_among_many(self, store: SqliteStore) -> None:
        """The first is kept, whether it came in the same request or long before."""
        logs = [self.log(message=f"m{n}") for n in range(1200)]
        again = replace(logs[3], message="again")
        receipts = store.logs.add([*logs, again]).result(HANG_GUARD_SECONDS)
        assert [n for n, receipt in enumerate(receipts) if not receipt.is_new] == [1200]
        receipts = store.logs.add([again, *logs]).result(HANG_GUARD_SECONDS)
        assert not any(receipt.is_new for receipt in receipts)
        counts = store.logs.counts(
            Viewer("all", may_read_pii=True), LogQuery(search=parse_search("again")), "day"
        )
        assert counts == ()
        assert len(self.messages(store)) == 1000


class TestFile:
    """The one file."""

    def test_everything_survives_a_restart(self, store: SqliteStore, path: Path) -> None:
        """Closing and opening again shows the same."""
        add(store, incoming(endpoint="/kept"))
        store.close()
        again = SqliteStore(path)
        try:
            assert endpoints(again) == ["/kept"]
            add(again, incoming(NOON + 1, endpoint="/next"))
            assert again.last_arrival(VIEWER) == 2
        finally:
            again.close()

    def test_only_its_owner_may_read_it(self, store: SqliteStore, path: Path) -> None:
        """Captured requests are nobody else's business on a shared machine."""
        add(store, incoming())
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert set(modes.values()) == {0o600}, modes

    @pytest.mark.parametrize("content", [b"no database at all" * 100, b""], ids=["garbage", "foreign"])
    def test_a_file_of_someone_else_is_left_alone(self, path: Path, content: bytes) -> None:
        """What is no database of ours is refused in words and not changed."""
        if content:
            path.write_bytes(content)
        else:
            connection = sqlite3.connect(path)
            connection.execute("CREATE TABLE theirs (x)")
            connection.close()
        before = path.read_bytes()
        with pytest.raises(StoreError, match=r"events\.sqlite3"):
            SqliteStore(path)
        if content:
            assert path.read_bytes() == before

    def test_a_folder_that_does_not_exist_is_named(self, tmp_path: Path) -> None:
        """The error says which file could not be opened."""
        with pytest.raises(StoreError, match=r"missing.*events"):
            SqliteStore(tmp_path / "missing" / "events.sqlite3")

    def test_readers_cannot_write(self, store: SqliteStore) -> None:
        """A hole in a reading road could not change anything."""
        with pytest.raises(StoreError, match="readonly"), store._database.reader() as connection:
            connection.execute("DELETE FROM events")

    def test_deleted_events_leave_the_index(self, store: SqliteStore, path: Path) -> None:
        """The triggers keep the full-text index in step, also for a later retention."""
        add(store, incoming(errorMessage="unicorn"))
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA foreign_keys = ON")
        with connection:
            connection.execute("DELETE FROM events")
        assert connection.execute("SELECT rowid FROM search WHERE search MATCH 'unicorn'").fetchall() == []
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (0,)
        connection.execute("INSERT INTO search (search) VALUES ('integrity-check')")
        connection.close()

    def test_a_closed_store_says_so(self, store: SqliteStore) -> None:
        """Adding after the end raises, and closing twice is fine."""
        store.close()
        store.close()
        with pytest.raises(StoreError, match="closed"):
            store.add([incoming()])


class TestWriter:
    """Group commit, and who gets which error."""

    @pytest.fixture
    def commits(self) -> list[int]:
        """Count commits."""
        return []

    @pytest.fixture
    def writer(self, tmp_path: Path, commits: list[int]) -> Iterator[Writer]:
        """Make a writer on a table of numbers."""
        connection = sqlite3.connect(tmp_path / "w.sqlite3", isolation_level=None, check_same_thread=False)
        connection.execute("CREATE TABLE numbers (n INTEGER UNIQUE)")
        opened = Writer(connection, on_commit=lambda: commits.append(1))
        yield opened
        opened.close()

    def test_what_waits_goes_in_one_commit(self, writer: Writer, commits: list[int]) -> None:
        """While one group is at work the next one gathers."""
        with busy(writer):
            waiting = [writer.submit(partial(insert, number=n), 1) for n in range(50)]
        assert [future.result(HANG_GUARD_SECONDS) for future in waiting] == [1] * 50
        writer.close()
        assert len(commits) == 2

    def test_a_failing_piece_fails_alone(self, writer: Writer) -> None:
        """Its own rows are undone, its neighbours' are kept."""

        def half(connection: sqlite3.Connection) -> None:
            insert(connection, 2)
            raise LookupError

        with busy(writer):
            before = writer.submit(lambda c: insert(c, 1), 1)
            failing = writer.submit(half, 1)
            after = writer.submit(numbers, 1)
        assert before.result(HANG_GUARD_SECONDS) == 1
        with pytest.raises(LookupError):
            failing.result(HANG_GUARD_SECONDS)
        assert after.result(HANG_GUARD_SECONDS) == [1]

    def test_nobody_hears_success_when_the_commit_fails(self, writer: Writer) -> None:
        """An answer follows the commit: without one every sender keeps its events."""

        def spoil(connection: sqlite3.Connection) -> None:
            connection.execute("ROLLBACK")  # as SQLite itself does when the disk is full

        with busy(writer):
            good = writer.submit(lambda c: insert(c, 5), 1)
            spoiling = writer.submit(spoil, 1)
        for future in (good, spoiling):
            with pytest.raises(StoreError):
                future.result(HANG_GUARD_SECONDS)
        assert writer.submit(numbers, 1).result(HANG_GUARD_SECONDS) == []

    def test_too_much_waiting_is_refused(self, writer: Writer) -> None:
        """Memory stays bounded however slow the disk is; what was taken is still written."""
        with busy(writer):
            taken = writer.submit(lambda c: insert(c, 1), 60 * 1024 * 1024)
            with pytest.raises(StoreError, match="too much"):
                writer.submit(lambda c: insert(c, 2), 60 * 1024 * 1024)
        assert taken.result(HANG_GUARD_SECONDS) == 1

    def test_an_impatient_sender_does_not_stop_it(self, writer: Writer) -> None:
        """A future that its owner tried to cancel is settled all the same."""
        with busy(writer):
            given_up = writer.submit(lambda c: insert(c, 1), 1)
            assert not given_up.cancel()
        assert given_up.result(HANG_GUARD_SECONDS) == 1


@contextmanager
def busy(writer: Writer) -> Iterator[None]:
    """Keep the writer at work for the length of the block."""
    entered, release = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        entered.set()
        release.wait(HANG_GUARD_SECONDS)

    writer.submit(hold, 0)
    assert entered.wait(HANG_GUARD_SECONDS)
    try:
        yield
    finally:
        release.set()


def insert(connection: sqlite3.Connection, number: int) -> int:
    """Insert a number."""
    return connection.execute("INSERT INTO numbers VALUES (?)", (number,)).rowcount


def numbers(connection: sqlite3.Connection) -> list[int]:
    """Return what was inserted."""
    return [number for (number,) in connection.execute("SELECT n FROM numbers")]
