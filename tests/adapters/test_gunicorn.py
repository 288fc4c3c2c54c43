"""What the adapters on WSGI must do in gunicorn's workers, which end by SIGTERM as a container does."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from tests.wire_client import exchange
from tests.wsgi_server import serve_gunicorn

if TYPE_CHECKING:
    from tests.receiver import Receiver

TARGETS = {
    "flask": "tests.flask.application:instrumented()",
    "django": "tests.django.site:instrumented()",
}


@pytest.fixture(
    params=[
        pytest.param(
            target,
            id=framework,
            marks=pytest.mark.skipif(find_spec(framework) is None, reason=f"no {framework} here"),
        )
        for framework, target in TARGETS.items()
    ]
)
def target(request: pytest.FixtureRequest) -> str:
    """Name the contract's application, with us, of one framework after the other."""
    named: str = request.param
    return named


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_a_container_stop_loses_nothing(worker: str, target: str, receiver: Receiver) -> None:
    """SIGTERM to gunicorn right after the answers: every request's event arrives."""
    environment = {"REPLAYSTACK_ENDPOINT": receiver.origin}
    with serve_gunicorn(target, worker, environment) as base_url:
        for number in range(10):
            exchange(base_url, "GET", f"/items/{number}")
    assert sorted(event["endpoint"] for event in receiver.taken()) == [f"/items/{n}" for n in range(10)]


def test_sync_mode_in_a_worker(target: str, receiver: Receiver) -> None:
    """async_send=False: answers as ever, and each event is out before the next request."""
    environment = {"REPLAYSTACK_ENDPOINT": receiver.origin, "TESTS_SYNC": "1"}
    with serve_gunicorn(target, "sync", environment) as base_url:
        for number, path in enumerate(["/ok", "/fail", "/nothing", "/stream", "/file"]):
            exchange(base_url, "GET", path)
            exchange(base_url, "GET", "/health")  # the worker is done with the one before
            assert len(receiver.taken()) == number + 1
