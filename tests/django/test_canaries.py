"""Secrets in what Django itself says: its debug pages quote requests, locals and settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.adapters.planted import BODIES, post_secrets
from tests.wire_client import exchange

from replaystack.testing import assert_no_secret

if TYPE_CHECKING:
    from tests.django.site import Serving
    from tests.receiver import Receiver

    from replaystack import ReplayStackClient
    from replaystack.testing import Canaries

JSON = "application/json"


def test_no_planted_secret_reaches_the_receiver_with_debug(
    serving: Serving, client: ReplayStackClient, receiver: Receiver, replaystack_canaries: Canaries
) -> None:
    """With DEBUG too, whatever the body's type says, whatever view answers: 0 planted secrets on the wire."""
    with serving(DEBUG=True) as base_url:
        for path, content_type in BODIES:
            post_secrets(base_url, path, content_type, replaystack_canaries)
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
