"""FastAPI with mounted Flask and Django in one process: one exchange per request and client."""

from __future__ import annotations

import gc
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.adapters.contract import SCENARIOS, Scenario
from tests.adapters.mixed import MOUNTS, mixed, mounted
from tests.adapters.run import check
from tests.asgi_server import serve
from tests.django.site import STACK, configure, sited
from tests.receiver import Receiver
from tests.wire_client import exchange

from replaystack import ReplayStackClient

if TYPE_CHECKING:
    from collections.abc import Iterator

configure()

PLACES = ["", *(f"/{name}" for name in MOUNTS)]


@pytest.fixture(params=list(MOUNTS), scope="module")
def framework(request: pytest.FixtureRequest) -> str:
    """Name one of the mounted frameworks after the other."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def bare(framework: str) -> Iterator[str]:
    """Serve it without us."""
    with serve(mounted(framework, None)) as base_url:
        yield base_url


# Django says so of each file that an ASGI server sends, and forgets bodies where an answer breaks off.
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_contract_holds_for_what_is_mounted(
    scenario: Scenario, framework: str, bare: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """The same bytes, and one event that knows what the inner framework knows: route, exception."""
    if (framework, scenario.path) == ("async-django", "/unread"):
        pytest.skip("on ASGI Django itself reads every body: from outside it is read")
    with serve(mounted(framework, client)) as base_url:
        check(scenario, bare, base_url, receiver, client)
    if scenario.path == "/midstream":
        gc.collect()  # so that the forgotten is found here, where that is expected


@pytest.mark.parametrize("place", PLACES)
def test_one_event_per_request(place: str, client: ReplayStackClient, receiver: Receiver) -> None:
    """Wherever it is answered; path and route carry the prefix, the exception is the framework's own."""
    with serve(mixed(client)) as base_url:
        exchange(base_url, "GET", f"{place}/items/7")
        exchange(base_url, "GET", f"{place}/fail")
        exchange(base_url, "GET", f"{place}/no/such/path")
    assert client.flush()
    item, failure, missing = receiver.events(3)
    assert len(receiver.taken()) == 3
    assert item["endpoint"] == f"{place}/items/7"
    assert item["metadata"]["replaystack"]["route"].startswith(f"{place}/items/")
    assert "7" not in item["metadata"]["replaystack"]["route"]
    assert (failure["status"], failure["statusCode"], failure["errorName"]) == ("failed", 500, "ValueError")
    assert (missing["status"], missing["statusCode"]) == ("warning", 404)


def test_requests_to_all_at_once_stay_apart(client: ReplayStackClient, receiver: Receiver) -> None:
    """Each has its own breadcrumbs, whichever framework answers on whichever thread."""
    paths = [f"{place}/crumb/{number}" for place in PLACES for number in range(6)]
    with sited(STACK, client), serve(mixed(client)) as base_url:
        threads = [threading.Thread(target=exchange, args=(base_url, "GET", path)) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert client.flush()
    events = receiver.events(len(paths))
    assert sorted(event["endpoint"] for event in events) == sorted(paths)
    for event in events:
        name = event["endpoint"].rpartition("/")[2]
        said = [crumb["message"] for crumb in event["breadcrumbs"]]
        assert said == ["HTTP request started", f"before {name}", f"after {name}", "HTTP request finished"]


def test_two_clients_have_one_event_each(client: ReplayStackClient, receiver: Receiver) -> None:
    """One for the whole, another for what is mounted: one trace id, each at its own receiver."""
    with (
        Receiver(capabilities="bulk") as other,
        ReplayStackClient(api_key="k2", endpoint=other.origin) as inner,
    ):
        with serve(mixed(client, inner)) as base_url:
            for place in PLACES:
                exchange(base_url, "GET", f"{place}/ok")
        assert client.flush()
        assert inner.flush()
        whole, parts = receiver.events(4), other.events(3)
    assert [event["endpoint"] for event in whole] == [f"{place}/ok" for place in PLACES]
    assert [event["endpoint"] for event in parts] == [f"{place}/ok" for place in PLACES[1:]]
    assert [event["traceId"] for event in whole[1:]] == [event["traceId"] for event in parts]


def test_the_same_path_asked_from_inside_is_another_request(
    client: ReplayStackClient, receiver: Receiver
) -> None:
    """An application that calls itself while it answers makes a request of its own."""
    import flask
    from a2wsgi import WSGIMiddleware
    from fastapi import FastAPI

    from replaystack_fastapi import setup_fastapi
    from replaystack_flask import setup_flask

    inner = flask.Flask(__name__)
    setup_flask(inner, client)

    @inner.get("/outer")
    def outer() -> Any:
        with serve(_other(client)) as base_url:
            return exchange(base_url, "GET", "/inner").status.__str__()

    app = FastAPI()
    app.mount("/flask", WSGIMiddleware(inner))  # type: ignore[arg-type]  # its types know one environ only
    setup_fastapi(app, client)
    with serve(app) as base_url:
        assert exchange(base_url, "GET", "/flask/outer").status == 200
    assert client.flush()
    assert sorted(event["endpoint"] for event in receiver.events(2)) == ["/flask/outer", "/inner"]


def _other(client: ReplayStackClient) -> Any:
    from fastapi import FastAPI

    from replaystack_fastapi import setup_fastapi

    app = FastAPI()

    @app.get("/inner")
    def inner() -> dict[str, bool]:
        return {"ok": True}

    setup_fastapi(app, client)
    return app


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_leaves(place: str, client: ReplayStackClient, receiver: Receiver) -> None:
    """What is planted in a request to any of them is in no event."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer CANARY-bearer"}
    body = json.dumps({"user": "ada", "password": "CANARY-password"}).encode()
    with serve(mixed(client)) as base_url:
        answer = exchange(base_url, "POST", f"{place}/echo?token=CANARY-query", headers, body)
    assert b"CANARY-password" in answer.body
    assert client.flush()
    event = receiver.event()
    assert event["requestPayload"] == event["responsePayload"] == {"user": "ada", "password": "[MASKED]"}
    assert b"CANARY" not in b"".join(request.body for request in receiver.requests())
