from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.samples import an_event
from tests.wire_client import Connection

from replaystack_server.access.hosts import host_name
from replaystack_server.access.keys import IngestKeys, new_ingest_key
from replaystack_server.access.sessions import SESSION_SECONDS, Sessions
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from replaystack_server.testing import RunningServer

ROADS = [
    "/",
    "/login",
    "/events/x",
    "/api/v1/events",
    "/api/v1/stream",
    "/healthz",
    "/openapi.json",
    "/static/style.css",
]


class TestHosts:
    """DNS rebinding: a page that points its own name at 127.0.0.1 gets nothing."""

    @pytest.mark.parametrize("path", ROADS)
    def test_a_foreign_name_is_refused_everywhere(
        self, server: RunningServer, reader: httpx.Client, path: str
    ) -> None:
        """Each road looks at the Host header before anything else, whoever asks."""
        for host in (
            "evil.example",
            f"evil.example:{server.url.rpartition(':')[2]}",
            "127.0.0.1.evil.example",
        ):
            assert reader.get(path, headers={"host": host}).status_code == 421

    def test_a_foreign_name_may_not_send(self, sender: httpx.Client) -> None:
        """Not even with a valid key."""
        answer = sender.post("/api/v1/ingest/events", json=an_event(), headers={"host": "evil.example"})
        assert answer.status_code == 421
        assert "--allowed-host" in answer.json()["message"]

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "LOCALHOST", "localhost:1", "[::1]:8790", "127.0.0.1:65535"]
    )
    def test_the_names_of_this_machine_are_good(self, stranger: httpx.Client, host: str) -> None:
        """Whatever the port: a forwarded one is another than ours."""
        assert stranger.get("/healthz", headers={"host": host}).status_code == 200

    def test_further_names_can_be_allowed(self) -> None:
        """One name, no more: neither its subdomains nor what ends like it."""
        with running_server(allowed_hosts=("Replay.Example",)) as server:
            for host, status in [
                ("replay.example:80", 200),
                ("a.replay.example", 421),
                ("xreplay.example", 421),
            ]:
                assert httpx.get(f"{server.url}/healthz", headers={"host": host}).status_code == status

    def test_no_host_is_no_good_host(self, server: RunningServer) -> None:
        """HTTP/1.0 lets a client leave it out; we do not."""
        with Connection(server.url) as connection:
            connection.send(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert b" 421 " in connection.read_until(b"\r\n\r\n")

    @given(st.text(max_size=40))
    def test_any_text_may_stand_in_the_header(self, text: str) -> None:
        """Nonsense is told apart without an exception."""
        name = host_name(text)
        assert name is None or "/" not in name

    @pytest.mark.parametrize(
        "host", ["a@127.0.0.1", "127.0.0.1/x", "127.0.0.1?x", "127.0.0.1:x", "[::1", "127.0.0.1#"]
    )
    def test_tricks_are_no_name(self, host: str) -> None:
        """What is more than name and port is not taken apart any further."""
        assert host_name(host) not in {"127.0.0.1", "::1"} or host == "127.0.0.1#"


class TestOrigins:
    """Cross-site requests: a page elsewhere cannot act through the visitor's browser."""

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", "file://", ""]
    )
    def test_a_page_of_another_origin_is_refused(self, sender: httpx.Client, origin: str) -> None:
        """Another port of this machine is another origin, and `null` is nobody."""
        for method, path in (
            ("POST", "/api/v1/ingest/events"),
            ("POST", "/logout"),
            ("GET", "/api/v1/events"),
        ):
            assert sender.request(method, path, headers={"origin": origin}).status_code == 403

    def test_our_own_pages_are_let_through(self, server: RunningServer, stranger: httpx.Client) -> None:
        """A form of ours carries our origin; behind a proxy with TLS the scheme differs."""
        for origin in (server.url, server.url.replace("http:", "https:")):
            answer = stranger.post("/login", data={"token": "x" * 20}, headers={"origin": origin})
            assert answer.status_code == 401  # the token is wrong, the origin is not

    def test_no_answer_invites_other_origins(self, reader: httpx.Client) -> None:
        """There is no CORS header to find."""
        for path in ROADS:
            if path != "/api/v1/stream":
                assert not [name for name in reader.get(path).headers if name.startswith("access-control")]


class TestHeaders:
    """What browsers are told."""

    def test_every_answer_carries_the_policy(self, server: RunningServer, stranger: httpx.Client) -> None:
        """Pages, errors, redirects, files and refusals: no inline script, no foreign source, no frame."""
        answers = [stranger.get(path) for path in ROADS]
        answers.append(httpx.get(server.login_url))  # not by the stranger, who would not be one any more
        answers.append(stranger.get("/", headers={"host": "evil.example"}))
        answers.append(stranger.get("/nothing"))
        for answer in answers:
            policy = dict(
                part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
            )
            assert policy["default-src"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
            assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"

    def test_what_was_captured_is_not_cached(self, reader: httpx.Client) -> None:
        """A shared computer keeps no copy."""
        for path in ("/", "/api/v1/events"):
            assert reader.get(path).headers["cache-control"] == "no-store"

    def test_a_mistake_of_ours_is_answered_in_form(self) -> None:
        """A crash tells nothing but that it happened, and carries the same headers."""
        with running_server() as server:

            def crash(*_: object) -> None:
                raise LookupError("secret detail")

            server.service.store.last_arrival = crash  # type: ignore[method-assign,assignment]  # a fault, injected
            headers = {"authorization": f"Bearer {server.token}"}
            for path, kind in (("/", "text/html"), ("/api/v1/stream", "application/json")):
                answer = httpx.get(server.url + path, headers=headers)
                assert answer.status_code == 500
                assert answer.headers["content-type"].startswith(kind)
                assert "secret detail" not in answer.text
                assert "default-src 'none'" in answer.headers["content-security-policy"]


class TestSigningIn:
    """By link, by form, by token."""

    def test_the_link_signs_a_browser_in(self, server: RunningServer) -> None:
        """It sets a cookie that scripts cannot read and other sites cannot use, and leaves the address."""
        with httpx.Client(base_url=server.url) as browser:
            assert browser.get("/").status_code == 401
            answer = browser.get(server.login_url)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            cookie = answer.headers["set-cookie"]
            assert {"httponly", "samesite=strict", "path=/"} <= {
                part.strip().lower() for part in cookie.split(";")
            }
            assert server.token not in cookie
            assert browser.get("/").status_code == 200
            assert browser.get("/api/v1/events").status_code == 200

    def test_signing_out_ends_the_session(self, server: RunningServer) -> None:
        """The old cookie is worthless afterwards, also to someone who kept it."""
        with httpx.Client(base_url=server.url) as browser:
            browser.get(server.login_url)
            kept = dict(browser.cookies)
            assert browser.post("/logout").headers["location"] == "/login"
            browser.cookies.update(kept)
            assert browser.get("/").status_code == 401

    def test_the_form_leads_where_one_wanted_to_go(
        self, server: RunningServer, stranger: httpx.Client
    ) -> None:
        """But never to another site."""
        asked = stranger.get("/events/0af7?bodies=all")
        assert asked.status_code == 401
        assert 'value="/events/0af7?bodies=all"' in asked.text
        places = {
            "/events/0af7?bodies=all": "/events/0af7?bodies=all",
            "/?q=a&status=failed": "/?q=a&status=failed",
            "//evil.example": "/",
            "https://evil.example": "/",
            "/\\evil.example": "/",
            "/events/../x": "/",
            "/\r\nx: y": "/",
        }
        for place, location in places.items():
            answer = httpx.post(f"{server.url}/login", data={"token": server.token, "place": place})
            assert (answer.status_code, answer.headers["location"]) == (303, location)

    def test_a_wrong_token_is_told_and_not_shown(self, stranger: httpx.Client) -> None:
        """An old link explains itself."""
        for answer in (
            stranger.get("/login?token=oldtoken"),
            stranger.post("/login", data={"token": "oldtoken"}),
        ):
            assert answer.status_code == 401
            assert "newest" in answer.text
            assert "oldtoken" not in answer.text

    def test_hostile_forms_are_refused(self, stranger: httpx.Client) -> None:
        """Too long, too many fields, no text at all."""
        assert stranger.post("/login", content=b"x" * 5000).status_code == 413
        assert stranger.post("/login", content="&".join(f"a{n}=1" for n in range(50))).status_code == 400
        assert stranger.post("/login", content=b"\xff\xfe").status_code == 401

    def test_two_servers_do_not_sign_each_other_out(self, server: RunningServer) -> None:
        """Cookies know no ports, so the name does."""
        with running_server() as other, httpx.Client() as browser:
            for each in (server, other):
                browser.get(each.login_url)
            assert [browser.get(each.url).status_code for each in (server, other)] == [200, 200]

    def test_sessions_end(self) -> None:
        """After their time, and the oldest when there are too many."""
        now = [0.0]
        sessions = Sessions("a-token-of-the-test", now=lambda: now[0])
        first = sessions.sign_in("a-token-of-the-test")
        assert first is not None
        assert sessions.sign_in("another") is None
        assert sessions._role(first) == "owner"
        now[0] = SESSION_SECONDS
        assert sessions._role(first) is None
        newer = [sessions.sign_in("a-token-of-the-test") for _ in range(300)]
        assert len(sessions._open) == 256
        assert sessions._role(str(newer[-1])) == "owner"
        assert sessions._role(str(newer[0])) is None


class Shelf:
    """Keeps digests in memory."""

    def __init__(self) -> None:
        self.digests: list[bytes] = []

    def ingest_key_digests(self) -> list[bytes]:
        return list(self.digests)

    def add_ingest_key(self, digest: bytes, created_ms: int) -> None:
        self.digests.append(digest)

    def forget_ingest_keys(self) -> None:
        self.digests.clear()


class TestIngestKeys:
    """Kept as digests."""

    def test_keys_stay_valid_until_they_are_revoked(self) -> None:
        """An application that was set up yesterday may still send today."""
        shelf = Shelf()
        yesterday, today = new_ingest_key(), new_ingest_key()
        IngestKeys(shelf).add(yesterday)
        keys = IngestKeys(shelf)
        keys.add(today)
        assert [keys.admit([key]) for key in (yesterday, today, new_ingest_key())] == [True, True, False]
        assert keys.admit(["wrong", today])
        assert not keys.admit([])
        keys.forget_all()
        assert not keys.admit([yesterday, today])
        assert not IngestKeys(shelf).admit([yesterday])

    def test_only_digests_leave_the_memory(self) -> None:
        """What is stored has nothing of the key in it."""
        shelf = Shelf()
        key = new_ingest_key()
        IngestKeys(shelf).add(key)
        (digest,) = shelf.digests
        assert len(digest) == 32
        assert key[-8:].encode() not in digest
        assert bytes.fromhex(key.removeprefix("rs_live_")) not in digest

    def test_a_key_is_of_a_shape_that_masking_knows(self, sender: httpx.Client, reader: httpx.Client) -> None:
        """A key of this server that strays into an event is masked like any other."""
        key = new_ingest_key()
        event = an_event(errorMessage=f"refused {key} today")
        event_id = sender.post("/api/v1/ingest/events", json=event).json()["data"]["eventId"]
        kept = reader.get(f"/api/v1/events/{event_id}").json()["data"]["event"]
        assert key not in json.dumps(kept)
        assert kept["errorMessage"] == "refused [MASKED] today"
