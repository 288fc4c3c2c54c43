"""The adapter contract on Flask: same bytes as bare, one event each, over four real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from wsgiref.validate import validator

import pytest
from tests.adapters.contract import SCENARIOS, Scenario
from tests.adapters.run import check, check_in_process
from tests.flask.application import build_app
from tests.receiver import Receiver
from tests.wsgi_server import serve, serve_gunicorn, serve_wsgiref

from replaystack_flask import setup_flask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replaystack import ReplayStackClient

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@pytest.fixture(scope="module")
def bare() -> Iterator[str]:
    """Serve the application without us."""
    with serve(build_app()) as base_url:
        yield base_url


@each_scenario
def test_nobody_notices(scenario: Scenario, bare: str, client: ReplayStackClient, receiver: Receiver) -> None:
    """On Werkzeug's server the answer is the same, and the developer sees what happened, exactly once."""
    app = build_app(client=client)
    setup_flask(app, client)
    with serve(app) as base_url:
        check(scenario, bare, base_url, receiver, client)


@each_scenario
def test_nobody_notices_between_validators(
    scenario: Scenario, client: ReplayStackClient, receiver: Receiver
) -> None:
    """On wsgiref's server: what PEP 3333 asks of a server and of an application holds on both sides of us."""
    app = build_app(client=client)
    app.wsgi_app = validator(app.wsgi_app)  # type: ignore[assignment,method-assign]  # Flask's way
    setup_flask(app, client)
    with serve_wsgiref(build_app()) as bare, serve_wsgiref(validator(app)) as base_url:
        check(scenario, bare, base_url, receiver, client)


class Worker(NamedTuple):
    """A gunicorn worker with the application bare, one with us, and where its events arrive."""

    bare: str
    watched: str
    receiver: Receiver


@pytest.fixture(scope="module", params=["sync", "gthread"])
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """Run gunicorn twice, bare and with us."""
    app = "tests.flask.application"
    with (
        Receiver(capabilities="bulk") as receiver,
        serve_gunicorn(f"{app}:bare()", request.param, {}) as bare,
        serve_gunicorn(
            f"{app}:instrumented()", request.param, {"REPLAYSTACK_ENDPOINT": receiver.origin}
        ) as watched,
    ):
        yield Worker(bare, watched, receiver)


@each_scenario
def test_nobody_notices_in_gunicorn(scenario: Scenario, worker: Worker) -> None:
    """In gunicorn's workers the same holds."""
    check_in_process(scenario, worker.bare, worker.watched, worker.receiver)
