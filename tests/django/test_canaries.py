"""Secrets planted everywhere in real requests: none reaches the wire, and the capture is still of use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.wire_client import exchange

from replaystack.testing import assert_no_secret

if TYPE_CHECKING:
    from tests.django.site import Serving
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient
    from replaystack.testing import Canaries

JSON = "application/json"
BODIES = [
    ("/echo", JSON),
    ("/echo", "application/vnd.shop+json"),
    ("/echo", "text/plain"),
    ("/echo", ""),
    ("/unparsed", "application/x-www-form-urlencoded"),
    ("/unparsed", "multipart/form-data; boundary=b"),
    ("/unparsed", "text/xml"),
    ("/upload", "application/octet-stream"),
    ("/partly", JSON),
    ("/twice", JSON),
    ("/no/such/path", JSON),
]


def body_for(content_type: str, canaries: Canaries) -> bytes:
    """Return a body of that type that is full of secrets."""
    if "urlencoded" in content_type:
        return canaries.form().encode()
    if "multipart" in content_type:
        secret = canaries.plant("multipart field")
        return f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{secret}\r\n--b--\r\n'.encode()
    if "xml" in content_type:
        return f"<login user='ada' password='{canaries.plant('XML attribute')}'/>".encode()
    return json.dumps(canaries.json_body()).encode()


@pytest.mark.parametrize("debug", [False, True])
def test_no_planted_secret_reaches_the_receiver(
    *,
    debug: bool,
    serving: Serving,
    client: ReplayStackClient,
    receiver: Receiver,
    replaystack_canaries: Canaries,
) -> None:
    """Whatever the body's type says, whatever view answers, with DEBUG too: 0 planted secrets on the wire."""
    with serving(DEBUG=debug) as base_url:
        for path, content_type in BODIES:
            headers = replaystack_canaries.headers()
            if content_type:
                headers["Content-Type"] = content_type
            body = body_for(content_type, replaystack_canaries)
            exchange(base_url, "POST", f"{path}?{replaystack_canaries.query()}", headers, body)
    assert client.flush()
    events = receiver.events(len(BODIES))
    assert len(events) == len(BODIES)
    for event in events:
        assert event["authMode"] == "bearer"
        assert "page=2" in event["requestUrl"]
    for request in receiver.posts():
        assert_no_secret(replaystack_canaries.planted, request.body, "the wire")


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("debug", [False, True])
def test_an_exception_full_of_secrets(
    *,
    debug: bool,
    accept: str,
    serving: Serving,
    client: ReplayStackClient,
    receiver: Receiver,
    replaystack_canaries: Canaries,
) -> None:
    """Message, cause and stack are masked; the debug page, HTML or text, with its locals does not leave."""
    headers = {**replaystack_canaries.headers(), "Accept": accept, "Content-Type": JSON}
    body = json.dumps({"password": replaystack_canaries.plant("JSON in a local variable")}).encode()
    with serving(DEBUG=debug, ROOT_URLCONF="tests.django.pages") as base_url:
        # The view keeps the body in a local variable, and its exception quotes it.
        answer = exchange(base_url, "POST", f"/quoted?{replaystack_canaries.query()}", headers, body)
    assert answer.status == 500
    assert (b"DEBUG = True" in answer.body) is debug
    assert client.flush()
    event = receiver.event()
    assert event["errorName"] == "ValueError"
    assert ("responsePayload" in event) is not debug
    for request in receiver.posts():
        assert_no_secret(replaystack_canaries.planted, request.body, "the wire")
