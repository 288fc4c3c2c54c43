from __future__ import annotations

import json
import shlex
import subprocess
import uuid
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from tests.server.samples import HOSTILE, an_event, elements, hostile_event

from replaystack_server.pages.curl import curl_command
from replaystack_server.pages.json_view import render_json
from replaystack_server.pages.texts import duration_text, rich_text, size_text, visible
from replaystack_server.pages.timeline import timeline
from replaystack_server.testing import running_server

if TYPE_CHECKING:
    from replaystack_server.testing import RunningServer

BULK = "/api/v1/ingest/bulk-events"
SEEN = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp"), exclude_characters="\u115f")
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | SEEN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SEEN, inner, max_size=4),
    max_leaves=12,
)


def send(sender: httpx.Client, *events: dict[str, Any]) -> list[str]:
    """Send events; return their ids."""
    assert sender.post(BULK, json={"events": events}).json()["data"]["accepted"] == len(events)
    return [event["metadata"]["replaystack"]["eventId"] for event in events]


def page(reader: httpx.Client, address: str, /, status: int = 200, **parameters: str) -> str:
    """Return the HTML of a page."""
    answer = reader.get(address, params=parameters or None)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


def data_of(html: str, separator: str = "") -> str:
    """Return the text of a piece of HTML, without its elements."""
    pieces: list[str] = []

    class Collector(HTMLParser):
        def handle_data(self, data: str) -> None:
            pieces.append(data)

    parser = Collector()
    parser.feed(html)
    parser.close()
    return separator.join(pieces)


def text_of(html: str) -> str:
    """Return what a reader sees, a blank between elements."""
    return " ".join(data_of(html, " ").split())


class TestHostileEvents:
    """Everything that an event holds is untrusted."""

    def test_markup_in_every_field_stays_text(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """Pages hold exactly the elements that we put there, whatever the texts of an event say."""
        harmless = {**an_event(serviceName=service), "traceId": "t"}
        hostile = hostile_event(service)
        send(sender, harmless)
        before = elements(page(reader, "/", service=service))
        (event_id,) = send(sender, hostile)
        for html, scripts in (
            (page(reader, "/", service=service), 1),
            (page(reader, f"/events/{event_id}"), 1),
            (page(reader, "/", q=HOSTILE, path=HOSTILE, service=HOSTILE, method=HOSTILE), 1),
            (page(reader, "/", status=400, **{"from": HOSTILE}), 1),
            (page(reader, f"/events/{HOSTILE.replace('/', '')}", status=404), 0),
        ):
            found = elements(html)
            assert found.get("script", 0) == scripts
            assert (found["img"], found.get("svg", 0), found.get("on*", 0), found.get("foreign", 0)) == (
                1,
                0,
                0,
                0,
            )
            assert HOSTILE not in html
        assert "{{7*7}}" in page(reader, f"/events/{event_id}")
        assert before["script"] == 1

    def test_a_url_of_an_event_never_becomes_a_link(self, sender: httpx.Client, reader: httpx.Client) -> None:
        """`javascript:` and foreign addresses are shown, not offered."""
        for url in ("javascript:alert(1)", "https://evil.example/"):
            (event_id,) = send(sender, an_event(requestUrl=url, endpoint=url, traceId=url))
            html = page(reader, f"/events/{event_id}")
            assert elements(html).get("foreign", 0) == 0
            assert url in text_of(html)

    @given(st.text())
    def test_text_is_escaped_and_kept(self, text: str) -> None:
        """Whatever it is, the reader sees it, and the parser sees no markup but our own mark."""
        html = str(rich_text(text))
        assert set(elements(html)) <= {"mark"}
        assert data_of(html) == visible(text)

    def test_invisible_characters_are_spelled_out(self) -> None:
        """A path cannot pose as another one."""
        assert visible("a\u202eb\u200bc\x00d\ufeff\x1b[31m") == "a\\u202eb\\u200bc\\x00d\\ufeff\\x1b[31m"
        assert visible("tab\tline\nnarrow no-break\u202f") == "tab\tline\nnarrow no-break\u202f"

    @given(st.lists(JSON))
    def test_json_is_shown_whole(self, value: Any) -> None:
        """The text of the rendering is the document again; its elements are our own."""
        html = str(render_json(value).html)
        assert json.loads(data_of(html)) == value
        assert set(elements(html)) <= {"span", "mark"}


class TestList:
    """The list, as someone without JavaScript sees it."""

    def test_a_row_shows_what_matters(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """Time, status in words, method, path, code, duration, error and service."""
        event = an_event(
            serviceName=service,
            status="failed",
            method="POST",
            endpoint="/pay",
            statusCode=502,
            executionTimeMs=1284,
            errorName="PaymentError",
            errorMessage="gateway down",
            reserved={"timestamp": "2026-11-20T14:05:31.120Z"},
        )
        send(sender, event)
        shown = text_of(page(reader, "/", service=service))
        assert "20 Nov 14:05:31.120 ✕ failed POST /pay 502 1.28 s PaymentError gateway down" in shown

    def test_filters_stand_in_the_url_and_in_the_form(
        self, sender: httpx.Client, reader: httpx.Client, service: str
    ) -> None:
        """A link to a filtered list shows that list, with the form filled in."""
        send(
            sender,
            an_event(serviceName=service, endpoint="/yes", method="PUT"),
            an_event(serviceName=service, endpoint="/no"),
        )
        html = page(
            reader, "/", 200, service=service, method="PUT", q="yes", **{"from": "2020-01-01T00:00:00+01:00"}
        )
        assert "/yes" in html
        assert "/no<" not in html
        assert f'<option value="{service}" selected>' in html
        assert "<option selected>PUT</option>" in html
        assert 'value="2019-12-31T23:00:00"' in html

    def test_pages_of_a_hundred_rows(self, sender: httpx.Client, reader: httpx.Client, service: str) -> None:
        """At most 100 rows; links lead on and back, and keep the filters."""
        for batch in range(3):
            send(sender, *(an_event(serviceName=service, endpoint=f"/{batch}-{n}") for n in range(50)))
        first = page(reader, "/", service=service)
        assert first.count("<tr ") == 100
        assert 'rel="prev"' not in first
        older = reader.get(link(first, "next"))
        assert older.text.count("<tr ") == 50
        assert 'rel="next"' not in older.text
        back = reader.get(link(older.text, "prev")).text
        assert back.count("<tr ") == 100
        assert "data-frozen" not in back

    def test_nothing_yet_tells_how_to_begin(self) -> None:
        """The first page of a new server holds a command that works once the key is filled in."""
        with running_server() as server:
            headers = {"authorization": f"Bearer {server.token}"}
            html = httpx.get(server.url, headers=headers).text
            assert "Nothing has arrived yet" in html
            pre = html.partition('<pre class="code" tabindex="0">')[2].partition("</pre>")[0]
            command = Markup(pre).unescape().replace("<ingest key>", server.key)
            arguments = shlex.split(command.replace("\\\n", " "))
            done = subprocess.run(
                [*arguments, "-sS", "--noproxy", "*"], capture_output=True, text=True, check=True, timeout=30
            )
            assert json.loads(done.stdout)["success"] is True
            assert "/hello" in httpx.get(server.url, headers=headers).text
            filtered = httpx.get(server.url, params={"q": "nothing"}, headers=headers).text
            assert "No event matches" in filtered

    def test_a_wrong_filter_is_explained_on_the_page(self, reader: httpx.Client) -> None:
        """With the form as it was, so that it can be mended."""
        html = page(reader, "/", status=400, q="kept words", **{"from": "yesterday"})
        assert "from: expected a time" in html
        assert 'value="kept words"' in html
        assert "data-stream" not in html

    def test_a_store_that_fails_is_explained(self) -> None:
        """A page that says so, with status 503, instead of a blank one."""
        with running_server() as server:
            server.service.store.close()
            server.database.unlink()
            answer = httpx.get(server.url, headers={"authorization": f"Bearer {server.token}"})
        assert answer.status_code == 503
        assert "Service Unavailable" in answer.text


def link(html: str, rel: str) -> str:
    """Return where the link with that relation leads."""
    return str(Markup(html.partition(f'rel="{rel}" href="')[2].partition('"')[0]).unescape())


class TestEvent:
    """One event, as someone without JavaScript sees it."""

    def test_everything_is_there(self, sender: httpx.Client, reader: httpx.Client) -> None:
        """Headline, error with frames and causes, both sides, time line, metadata, evidence."""
        event = an_event(
            status="failed",
            method="POST",
            endpoint="/orders",
            statusCode=500,
            executionTimeMs=120,
            requestUrl="https://api.example.com/orders",
            authMode="bearer",
            authScheme="Bearer",
            traceId="trace-7",
            requestHeaders={"accept": "text/html", "x-many": ["a", "b"]},
            requestPayload={"a": {"b": [1, None]}},
            responseHeaders={"content-type": "text/plain"},
            responsePayload="it\nbroke",
            errorName="TypeError",
            errorMessage="'NoneType' object",
            stackTrace="Traceback...",
            stackFrames=[
                {"functionName": "outer", "fileName": "/lib/python3.12/site-packages/x.py", "lineNumber": 3},
                {"functionName": "inner", "fileName": "/app/main.py", "lineNumber": 18},
            ],
            breadcrumbs=[
                {
                    "message": "second",
                    "timestamp": "2026-11-20T12:00:00.500Z",
                    "category": "db",
                    "metadata": {"rows": 3},
                }
            ],
            logs=[
                {
                    "message": "first",
                    "level": "warning",
                    "timestamp": "2026-11-20T12:00:00Z",
                    "metadata": {"replaystack": {"logger": "shop"}},
                },
                {"message": "untimed", "level": "info"},
            ],
            metadata={"cart": 2},
            futureKey="kept",
            reserved={
                "process": "p-1",
                "sequence": 9,
                "masking": {"policy": "3fa2c91d", "rules": 1, "masked": 7},
                "causes": [
                    {
                        "relation": "cause",
                        "errorName": "KeyError",
                        "errorMessage": "'x'",
                        "raisedAt": "/app/a.py:1 in f",
                    }
                ],
            },
        )
        (event_id,) = send(sender, event)
        html = page(reader, f"/events/{event_id}")
        shown = text_of(html)
        for expected in (
            "✕ failed POST /orders",
            "500",
            "120 ms",
            "trace-7",
            "Auth bearer",
            "7 values",
            "TypeError",
            "'NoneType' object",
            "inner /app/main.py:18 raised here",
            "outer /lib/python3.12/site-packages/x.py:3 library",
            "cause KeyError 'x' /app/a.py:1 in f",
            "Traceback...",
            "https://api.example.com/orders",
            "accept text/html",
            "x-many a x-many b",
            "content-type text/plain",
            "12:00:00.000 +0 ms log warning shop first",
            "12:00:00.500 +500 ms breadcrumb info db second rows=3",
            '"cart" : 2',
            '"futureKey" : "kept"',
            "policy 3fa2c91d",
            "values masked 7",
            "p-1, number 9",
            event_id,
        ):
            assert expected in shown, expected
        assert shown.index("first") < shown.index("second rows") < shown.index("untimed")
        assert html.index(">inner<") < html.index(">outer<")
        assert "it\nbroke" in html

    def test_marks_of_masking_stand_out(self, sender: httpx.Client, reader: httpx.Client) -> None:
        """What is missing is said in words, not shown as data."""
        payload = {
            "password": "[MASKED]",
            "file": {"__omitted": True, "contentType": "image/png", "sizeBytes": 34_100},
            "bad": {"__unmasked_dropped": True},
            "raw": {"__bytes": 12},
        }
        long = {
            "__truncated": True,
            "originalSizeBytes": 812_331,
            "maxSizeBytes": 524_288,
            "preview": '{"a": 1',
        }
        (event_id,) = send(sender, an_event(requestPayload=payload, responsePayload=long))
        html = page(reader, f"/events/{event_id}")
        assert '<mark class="masked" title="masked before it was sent or stored">[MASKED]</mark>' in html
        shown = text_of(html)
        for expected in (
            "omitted image/png, 34.1 kB",
            "dropped masking this part failed",
            "binary 12 B",
            'truncated 812.3 kB, limit 524.3 kB, it begins: {"a": 1',
        ):
            assert expected in shown

    def test_streams_that_were_not_captured_say_so(self) -> None:
        """The adapters' marker is a notice, too."""
        html = render_json({"captured": False, "reason": "Streaming response body not captured"}).html
        assert "<b>not captured</b> Streaming response body not captured" in html

    def test_long_bodies_are_cut_with_a_way_to_see_all(
        self, sender: httpx.Client, reader: httpx.Client
    ) -> None:
        """A megabyte does not make a page of ten."""
        (event_id,) = send(sender, an_event(requestPayload=list(range(20_000))))
        cut = page(reader, f"/events/{event_id}")
        assert "Show all of it" in cut
        assert "1900" not in cut.partition("Body")[2].partition("Response")[0]
        complete = page(reader, f"/events/{event_id}", bodies="all")
        assert "19999" in complete
        assert "Show all of it" not in complete

    def test_the_least_event_has_a_page(self, sender: httpx.Client, reader: httpx.Client) -> None:
        """Nothing but type and status is needed anywhere."""
        answer = sender.post("/api/v1/ingest/events", json={"eventType": "cron", "status": "pending"})
        html = page(reader, f"/events/{answer.json()['data']['eventId']}")
        assert "… pending cron" in text_of(html)

    def test_the_servers_own_evidence_is_not_taken_for_the_senders(
        self, sender: httpx.Client, reader: httpx.Client
    ) -> None:
        """Who masked what is told apart: an event without evidence says so."""
        (event_id,) = send(sender, an_event(requestPayload={"password": "hunter22"}))
        shown = text_of(page(reader, f"/events/{event_id}"))
        assert "Masked 1 value on receipt" in shown
        assert "The sender told nothing about masking." in shown

    def test_an_unknown_event_has_a_page_of_its_own(self, reader: httpx.Client) -> None:
        """With the way back."""
        assert "There is no event with this id." in page(reader, f"/events/{uuid.uuid4()}", status=404)

    def test_unknown_addresses_have_one_too(self, server: RunningServer, stranger: httpx.Client) -> None:
        """As a page or as JSON, by where they stand."""
        assert "nothing at this address" in page(stranger, "/nothing", status=404)
        assert stranger.get("/api/nothing").json()["success"] is False


class TestCurl:
    """A captured request as a command."""

    def test_it_repeats_the_request(self) -> None:
        """Method, URL, headers and body, with masked values as placeholders."""
        event = {
            "requestUrl": "https://shop.example/a?token=[MASKED]&b=it's",
            "method": "POST",
            "requestHeaders": {
                "Content-Type": "application/json",
                "Authorization": "Bearer [MASKED]",
                "Host": "x",
                "x-many": ["1", "2"],
            },
            "requestPayload": {"password": "[MASKED]", "name": "O'Hara"},
        }
        command = curl_command(event)
        assert command is not None
        note, _, rest = command.partition("\n")
        assert note == "# Put real values where it says [MASKED]."
        arguments = shlex.split(rest.replace("\\\n", " "))
        assert arguments == [
            "curl",
            "--globoff",
            "--request",
            "POST",
            "--url",
            event["requestUrl"],
            "--header",
            "Content-Type: application/json",
            "--header",
            "Authorization: Bearer [MASKED]",
            "--header",
            "x-many: 1",
            "--header",
            "x-many: 2",
            "--data-raw",
            '{"password": "[MASKED]", "name": "O\'Hara"}',
        ]

    @given(st.text(), st.text(), st.text(), st.text(), JSON)
    def test_a_shell_sees_arguments_and_nothing_else(
        self, method: str, url: str, name: str, value: str, payload: Any
    ) -> None:
        """No text of an event ends its quotes, starts a command, or makes curl read a file."""
        event = {
            "method": method,
            "requestUrl": f"https://x/{url}",
            "requestHeaders": {name: value, "a": [value]},
            "requestPayload": payload,
        }
        command = curl_command(event)
        if command is None:
            return
        notes, found, rest = command.partition("curl --globoff")
        assert found
        assert all(line.startswith("# ") for line in notes.splitlines())
        arguments = shlex.split("curl" + rest.replace(" \\\n  --", " --"))
        options = arguments[1::2]
        assert set(options) <= {"--request", "--url", "--header", "--data-raw"} or "--head" in arguments
        assert not any(
            argument.startswith("@")
            for option, argument in zip(options, arguments[2::2], strict=False)
            if option == "--header"
        )
        assert not any(ord(character) < 32 and character not in "\n\t" for character in command)

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "javascript:alert(1)", "--output", "", None, "http://[bad"]
    )
    def test_only_the_web_is_offered(self, url: str | None) -> None:
        """Another scheme would read files or speak other protocols."""
        assert curl_command({"requestUrl": url}) is None

    @pytest.mark.parametrize(
        ("payload", "headers", "expected"),
        [
            (
                {"a": "1 2", "b": ["x", "y"], "c": "[MASKED]"},
                {"content-type": "application/x-www-form-urlencoded"},
                "a=1+2&b=x&b=y&c=[MASKED]",
            ),
            ("@/etc/passwd", {}, "@/etc/passwd"),
            ({"__truncated": True, "preview": "x"}, {}, None),
            ({"__omitted": True}, {}, None),
            ({"f": {"filename": "x"}}, {"Content-Type": "multipart/form-data; boundary=x"}, None),
            (None, {}, None),
        ],
    )
    def test_bodies_by_their_kind(self, payload: Any, headers: dict[str, str], expected: str | None) -> None:
        """Forms are encoded again; what was not captured whole is left out and said."""
        command = curl_command(
            {"requestUrl": "http://x/", "requestHeaders": headers, "requestPayload": payload}
        )
        assert command is not None
        arguments = shlex.split(command, comments=True)
        sent = arguments[arguments.index("--data-raw") + 1] if "--data-raw" in arguments else None
        assert sent == expected
        assert ("#" in command) == ((expected is None and payload is not None) or "[MASKED]" in str(payload))


@pytest.mark.parametrize(
    "event",
    [{}, {"breadcrumbs": None}, {"breadcrumbs": [None, 1, {}]}, {"breadcrumbs": [{"timestamp": 5}]}],
)
def test_a_time_line_of_rubbish_is_no_mistake(event: dict[str, Any]) -> None:
    """What other senders call a breadcrumb is shown as far as it can be."""
    assert all(moment.level == "info" and not moment.clock for moment in timeline(event))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (duration_text(0), "0 ms"),
        (duration_text(999), "999 ms"),
        (duration_text(1000), "1.00 s"),
        (duration_text(59_940), "59.9 s"),
        (duration_text(125_000), "2 min 5 s"),
        (size_text(999), "999 B"),
        (size_text(1000), "1.0 kB"),
        (size_text(1_200_000), "1.2 MB"),
    ],
)
def test_figures_read_well(text: str, expected: str) -> None:
    """Three digits or so, with a unit."""
    assert text == expected
