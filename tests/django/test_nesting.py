"""Django inside of something that records the same request: one event per request and client."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client, RequestFactory
from tests.django.site import STACK, sited, wsgi
from tests.wire_client import exchange
from tests.wsgi_server import serve

from replaystack import ReplayStackClient
from replaystack.http import MiddlewareOptions, WsgiMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.receiver import Receiver


@pytest.fixture
def other(receiver: Receiver) -> Iterator[ReplayStackClient]:
    """Open a second client towards the same receiver."""
    with ReplayStackClient(api_key="other", endpoint=receiver.origin, service_name="other") as running:
        yield running


def visit(handler: Any, inner: ReplayStackClient, *paths: str) -> None:
    """Make one request after the other on a real server."""
    with sited(STACK, inner), serve(handler) as base_url:
        for path in paths:
            exchange(base_url, "GET", path)


PATHS = ("/items/7", "/fail", "/handled", "/stream", "/no/such")


def test_one_event_of_one_client(client: ReplayStackClient, receiver: Receiver) -> None:
    """The outer adapter records; route, user and exceptions come from inside, where they are known."""
    inner = wsgi(STACK, client, {"get_user": lambda request: "ada"})
    visit(WsgiMiddleware(inner, client.recorder, MiddlewareOptions()), client, *PATHS)
    assert client.flush()
    events = receiver.taken()
    assert [event["endpoint"] for event in events] == list(PATHS)
    assert [event.get("errorName") for event in events] == [None, "ValueError", "HandledError", None, None]
    own = [event["metadata"]["replaystack"] for event in events]
    assert [part["user"] for part in own] == ["ada"] * len(PATHS)
    assert [part.get("route") for part in own] == [
        "/items/<int:item_id>",
        "/fail",
        "/handled",
        "/stream",
        None,
    ]


def test_two_clients_record_each_for_itself(
    client: ReplayStackClient, other: ReplayStackClient, receiver: Receiver
) -> None:
    """Of two clients each gets its event, with one trace id and one exception."""
    handler = wsgi(STACK, client)
    visit(WsgiMiddleware(handler, other.recorder, MiddlewareOptions()), client, "/fail", "/stream")
    assert client.flush()
    assert other.flush()
    events = receiver.taken()
    outer = [event for event in events if event.get("serviceName") == "other"]
    inner = [event for event in events if event not in outer]
    assert (
        [event["status"] for event in inner] == [event["status"] for event in outer] == ["failed", "success"]
    )
    assert [event["traceId"] for event in inner] == [event["traceId"] for event in outer]
    # Django answers an exception itself: from outside there is a 500, and nothing to be told of it.
    assert [event.get("errorName") for event in inner] == ["ValueError", None]


def test_a_request_inside_of_a_request(client: ReplayStackClient, receiver: Receiver) -> None:
    """A view that asks its own site, by Django's test client, is another request: another event."""
    handler = wsgi(STACK, client)

    def asking(environ: dict[str, Any], start_response: Any) -> Any:
        assert Client().get("/items/8").status_code == 200
        return handler(environ, start_response)

    visit(WsgiMiddleware(asking, client.recorder, MiddlewareOptions()), client, "/items/7")
    assert client.flush()
    assert sorted(event["endpoint"] for event in receiver.taken()) == ["/items/7", "/items/8"]


def test_a_request_that_django_can_pickle_it_still_can(client: ReplayStackClient) -> None:
    """Django 4.2 could pickle requests. Nothing of ours on them is in the way."""
    request = RequestFactory().get("/ok")
    try:
        pickle.dumps(request)
    except Exception:  # noqa: BLE001 - this version cannot
        pytest.skip("this version of Django cannot pickle a request")
    with sited(STACK, client):
        request = Client().get("/ok").wsgi_request
    del request.resolver_match
    assert pickle.loads(pickle.dumps(request)).path == "/ok"
