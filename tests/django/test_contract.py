"""The adapter contract on Django: same bytes as bare, one event each, over five real servers."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, NamedTuple
from wsgiref.validate import validator

import pytest
from tests.adapters.contract import SCENARIOS, Scenario
from tests.adapters.run import check, check_in_process
from tests.asgi_server import serve as serve_asgi
from tests.django.site import AFTER, BEFORE, OURS, STACK, asgi, wsgi
from tests.receiver import Receiver
from tests.wsgi_server import serve, serve_gunicorn, serve_wsgiref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack import ReplayStackClient

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
each_place = pytest.mark.parametrize(
    "stack",
    [STACK, [OURS, *BEFORE, *AFTER], [*BEFORE, *AFTER, OURS]],
    ids=["in the middle", "first", "last"],
)
# Django says so of each FileResponse that an ASGI server sends.
files_are_read_whole = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
# Up to 5.2, Django closes the request's body only where the answer does not break off.
bodies_are_forgotten = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    """Serve the site without us."""
    with serve(wsgi([*BEFORE, *AFTER])) as base_url:
        yield base_url


@pytest.fixture(scope="module")
def bare_asgi() -> Iterator[str]:
    """Serve it on uvicorn."""
    with serve_asgi(asgi([*BEFORE, *AFTER])) as base_url:
        yield base_url


@each_place
@each_scenario
def test_nobody_notices(
    scenario: Scenario, stack: list[str], bare: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """On Werkzeug's server, wherever we stand: the same answer, and what happened is seen, exactly once."""
    with serve(wsgi(stack, client)) as base_url:
        check(scenario, bare, base_url, receiver, client)


@files_are_read_whole
@bodies_are_forgotten
@each_place
@each_scenario
def test_nobody_notices_on_uvicorn(
    scenario: Scenario, stack: list[str], bare_asgi: str, client: ReplayStackClient, receiver: Receiver
) -> None:
    """In an async chain the same holds."""
    with serve_asgi(asgi(stack, client)) as base_url:
        check(scenario, bare_asgi, base_url, receiver, client)
    if scenario.path == "/midstream":
        gc.collect()  # so that the forgotten is found here, where that is expected


@each_scenario
def test_nobody_notices_around_a_validator(
    scenario: Scenario, client: ReplayStackClient, receiver: Receiver
) -> None:
    """On wsgiref's server: what PEP 3333 asks of an application still holds."""
    bare, watched = wsgi([*BEFORE, *AFTER]), wsgi(STACK, client)
    with serve_wsgiref(validator(bare)) as bare_url, serve_wsgiref(validator(watched)) as base_url:
        check(scenario, bare_url, base_url, receiver, client)


class Worker(NamedTuple):
    """A gunicorn worker with the site bare, one with us, and where its events arrive."""

    bare: str
    watched: str
    receiver: Receiver


@pytest.fixture(scope="module", params=["sync", "gthread"])
def worker(request: Any) -> Iterator[Worker]:
    """Run gunicorn twice, bare and with us."""
    site = "tests.django.site"
    with (
        Receiver(capabilities="bulk") as receiver,
        serve_gunicorn(f"{site}:bare()", request.param, {}) as bare,
        serve_gunicorn(
            f"{site}:instrumented()", request.param, {"REPLAYSTACK_ENDPOINT": receiver.origin}
        ) as watched,
    ):
        yield Worker(bare, watched, receiver)


@each_scenario
def test_nobody_notices_in_gunicorn(scenario: Scenario, worker: Worker) -> None:
    """In gunicorn's workers the same holds."""
    check_in_process(scenario, worker.bare, worker.watched, worker.receiver)
