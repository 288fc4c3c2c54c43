"""Request bodies: whatever the site reads, in whatever order, it reads as bare; we see what passed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.adapters.upload import MEGABYTES, upload_peak
from tests.django.site import AFTER, BEFORE, OURS, STACK, sited, wsgi
from tests.django.stand import serve_site
from tests.wire_client import exchange
from tests.wsgi_server import serve as serve_wsgi

if TYPE_CHECKING:
    from tests.django.site import Serving
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient

PAGES = "tests.django.pages"
READS_FORMS = f"{PAGES}.ReadsForms"
FORM = b"name=ada&password=hunter2"
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nada\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    b"Content-Type: text/plain\r\n\r\nsome text\r\n--b--\r\n"
)
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART_TYPE = "multipart/form-data; boundary=b"
NAMED = {"name": "ada", "password": "[MASKED]"}


READINGS = [
    ("/posted", URLENCODED, FORM),
    ("/posted", MULTIPART_TYPE, MULTIPART),
    ("/posted", "text/plain", FORM),
    ("/posted", MULTIPART_TYPE, b"no multipart at all"),
    ("/posted-then-body", URLENCODED, FORM),
    ("/posted-then-body", MULTIPART_TYPE, MULTIPART),  # Django's own RawPostDataException
    ("/body-then-posted", URLENCODED, FORM),
    ("/body-then-posted", MULTIPART_TYPE, MULTIPART),
    ("/read-then-body", "text/plain", FORM),  # RawPostDataException again
    ("/lines", "text/plain", b"one\ntwo\nthree"),
    ("/unread", "text/plain", FORM),
]


@pytest.mark.parametrize("middleware", [STACK, [OURS, READS_FORMS], [READS_FORMS, OURS]])
def test_every_order_of_reading_works_as_bare(
    middleware: list[str], serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Reading by `body`, `POST`, `FILES`, `read` or lines, also before us: same answers, same errors."""
    answers = []
    for names in ([name for name in middleware if name != OURS], middleware):
        with serving(middleware=names, ROOT_URLCONF=PAGES) as base_url:
            answers.append(
                [
                    exchange(base_url, "POST", path, {"Content-Type": content_type}, body)
                    for path, content_type, body in READINGS
                ]
            )
    assert client.flush()
    events = receiver.events(len(READINGS))
    for reading, bare, watched, event in zip(READINGS, *answers, events, strict=True):
        assert watched.comparable() == bare.comparable(), reading
        assert event["statusCode"] == watched.status, reading
        name = "RawPostDataException" if watched.status == 500 else None
        assert event.get("errorName") == name, reading
    assert "hunter2" not in json.dumps(events)
    assert {answer.status for answer in answers[0]} >= {200, 500}


def test_forms_are_captured(serving: Serving, client: ReplayStackClient, receiver: Receiver) -> None:
    """What the site parsed as a form arrives as one, masked; files by name and type only."""
    with serving(ROOT_URLCONF=PAGES) as base_url:
        exchange(base_url, "POST", "/posted", {"Content-Type": URLENCODED}, FORM)
        exchange(base_url, "POST", "/posted", {"Content-Type": MULTIPART_TYPE}, MULTIPART)
    assert client.flush()
    form, multipart = receiver.events(2)
    assert form["requestPayload"] == NAMED
    text = json.dumps(multipart["requestPayload"])
    assert "ada" in text
    assert "a.txt" in text


@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART_TYPE])
def test_a_form_that_was_read_before_us(
    content_type: str, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """Django keeps a plain form's bytes, and we see them; a multipart form has passed: no claim about it."""
    body = FORM if content_type == URLENCODED else MULTIPART
    with serving(middleware=[READS_FORMS, OURS], ROOT_URLCONF=PAGES) as base_url:
        exchange(base_url, "POST", "/posted", {"Content-Type": content_type}, body)
    assert client.flush()
    event = receiver.event()
    if content_type == URLENCODED:
        assert event["requestPayload"] == NAMED
    else:
        assert "requestPayload" not in event
        assert "request" not in event["metadata"]["replaystack"].get("bodies", {})


@pytest.mark.parametrize("limit", [10, 1000])
def test_limits_of_the_site_hold(
    limit: int, serving: Serving, client: ReplayStackClient, receiver: Receiver
) -> None:
    """DATA_UPLOAD_MAX_MEMORY_SIZE refuses as bare: we have read nothing on the site's behalf."""
    request = "POST", "/posted", {"Content-Type": URLENCODED}, FORM
    answers = []
    for middleware in ([*BEFORE, *AFTER], STACK):
        with serving(
            middleware=middleware, ROOT_URLCONF=PAGES, DATA_UPLOAD_MAX_MEMORY_SIZE=limit
        ) as base_url:
            answers.append(exchange(base_url, *request))
    assert answers[0].comparable() == answers[1].comparable()
    assert client.flush()
    event = receiver.event()
    assert event["statusCode"] in ({400, 413} if limit == 10 else {200})
    assert "errorName" not in event
    assert ("requestPayload" in event) is (limit == 1000)


@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
def test_a_form_with_a_large_file_costs_bounded_memory(
    kind: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """64 MB pass as a file of a form: at most 2 x max_payload_bytes more than bare."""
    head = (
        b'--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nada\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="big"\r\n\r\n'
    )
    tail = b"\r\n--b--\r\n"
    peaks, answers = [], []
    for watching in (None, client):
        with serve_site(kind, watching) as base_url:
            exchange(base_url, "POST", "/upload", (), b"x")  # so that what is made once is made
            assert client.flush()
            peak, answer = upload_peak(base_url, "/form", head, tail, MULTIPART_TYPE)
        peaks.append(peak)
        answers.append(answer.comparable())
    assert answers[0] == answers[1]
    assert answer.status == 200
    assert peaks[1] - peaks[0] <= 2 * client.config.max_payload_bytes
    assert client.flush()
    measured: dict[str, Any] = receiver.events(2)[-1]["metadata"]["replaystack"]["bodies"]["request"]
    assert measured["totalBytes"] == MEGABYTES * 1024 * 1024 + len(head) + len(tail)
    assert measured["capturedBytes"] <= client.config.max_payload_bytes


class BrokenOff:
    """What a server gives to read when the caller is gone."""

    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError("gone")

    readline = read


@pytest.mark.parametrize("path", ["/unparsed", "/upload", "/form"])
def test_an_upload_that_breaks_off_is_no_failure_of_the_site(
    path: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """A caller that is gone in the middle of its body: a warning; Django's 500 reaches nobody."""
    handler = wsgi(STACK, client)

    def server(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"] = BrokenOff()
        return handler(environ, start_response)

    with sited(STACK, client), serve_wsgi(server) as base_url:
        assert exchange(base_url, "POST", path, {"Content-Type": MULTIPART_TYPE}, MULTIPART).status == 500
    assert client.flush()
    event = receiver.event()
    assert event["status"] == "warning"
    assert event["metadata"]["replaystack"]["bodies"]["disconnected"] is True
    assert not {"statusCode", "errorName", "responsePayload"} & set(event)
