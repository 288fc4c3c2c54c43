"""Secrets planted everywhere in real requests: none reaches the wire, and the capture is still of use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.flask.application import build_app
from tests.wire_client import exchange
from tests.wsgi_server import serve

from replaystack.testing import assert_no_secret
from replaystack_flask import setup_flask

if TYPE_CHECKING:
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


@pytest.mark.parametrize(("path", "content_type"), BODIES)
def test_no_planted_secret_reaches_the_receiver(
    path: str,
    content_type: str,
    client: ReplayStackClient,
    receiver: Receiver,
    replaystack_canaries: Canaries,
) -> None:
    """Whatever the body's type says, whatever route answers: 0 planted secrets on the wire."""
    app = build_app(client=client)
    setup_flask(app, client)
    headers = replaystack_canaries.headers()
    if content_type:
        headers["Content-Type"] = content_type
    body = body_for(content_type, replaystack_canaries)
    with serve(app) as base_url:
        exchange(base_url, "POST", f"{path}?{replaystack_canaries.query()}", headers, body)
    assert client.flush()
    event = receiver.event()
    assert event["authMode"] == "bearer"
    assert "page=2" in event["requestUrl"]
    for request in receiver.posts():
        assert_no_secret(replaystack_canaries.planted, request.body, "the wire")


def test_an_exception_full_of_secrets(
    client: ReplayStackClient, receiver: Receiver, replaystack_canaries: Canaries
) -> None:
    """Message, cause, stack and breadcrumbs of an unhandled exception are masked too."""
    app = build_app(client=client)

    @app.get("/explode")
    def explode() -> str:
        client.add_breadcrumb(replaystack_canaries.log_message(), metadata=replaystack_canaries.json_body())
        error = replaystack_canaries.exception()
        raise error

    setup_flask(app, client)
    with serve(app) as base_url:
        assert exchange(base_url, "GET", "/explode").status == 500
    assert client.flush()
    event = receiver.event()
    assert event["errorName"] == "RuntimeError"
    assert len(event["metadata"]["replaystack"]["causes"]) == 1
    assert replaystack_canaries.marker in json.dumps(event)
    for request in receiver.posts():
        assert_no_secret(replaystack_canaries.planted, request.body, "the wire")
