"""The canary plugin: it must fail where a secret leaves, or its silence says nothing."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from replaystack import ReplayStackClient
from replaystack.testing import (
    Canaries,
    SecretLeakedError,
    assert_no_secret,
    blind_spots,
    watch_transports,
)

if TYPE_CHECKING:
    from pathlib import Path


class Taker:
    """A user's transport that takes everything."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def post(self, url: str, json: Any, headers: Any, timeout: float) -> Any:
        self.events.append(json)

        return SimpleNamespace(status_code=201, headers={})


def capture_all(canaries: Canaries, **options: Any) -> list[Any]:
    """Capture every planted secret in every place that an event has."""
    taker = Taker()
    with ReplayStackClient(api_key="k", transport=taker, **options) as client:
        client.add_breadcrumb(canaries.log_message(), metadata=canaries.json_body())
        client.capture_exception(
            canaries.exception(),
            request_url=f"https://shop.example/orders?{canaries.query()}",
            request_headers=canaries.headers(),
            request_payload=canaries.json_body(),
            response_payload=canaries.form(),
            logs=[{"level": "info", "message": canaries.log_message(), "metadata": canaries.json_body()}],
            metadata=canaries.json_body(),
        )
    return taker.events


def test_no_planted_secret_leaves() -> None:
    """Header, cookie, query, body, form, exception, log, breadcrumb, metadata: nothing of it leaves."""
    canaries = Canaries()
    with watch_transports(canaries) as watch:
        events = capture_all(canaries)
    assert watch.documents == len(events) == 1
    assert len(canaries.planted) > 20
    assert canaries.marker in str(events)


@pytest.mark.parametrize(
    "options",
    [{"unmask_fields": ["clientSecret"]}, {"mask_values": False}],
    ids=["unmasked name", "no value rules"],
)
def test_a_secret_that_leaves_fails_the_block(options: dict[str, Any]) -> None:
    """With a rule switched off the same capture fails, and the failure does not quote the secret."""
    canaries = Canaries()
    with pytest.raises(SecretLeakedError) as caught, watch_transports(canaries):
        capture_all(canaries, **options)
    assert not [secret for secret in canaries.planted if secret.value in str(caught.value)]


def test_the_watch_ends_with_its_block() -> None:
    """Afterwards the transports are what they were."""
    from replaystack.delivery import HttpTransport, UserTransport

    before = (HttpTransport.post, UserTransport.post)
    with watch_transports(Canaries()):
        assert (HttpTransport.post, UserTransport.post) != before
    assert (HttpTransport.post, UserTransport.post) == before


def test_every_kind_of_planted_secret_can_be_found_again() -> None:
    """The search sees through every disguise that it claims, for each secret that `Canaries` makes."""
    canaries = Canaries()
    for plant in (canaries.headers, canaries.query, canaries.json_body, canaries.form, canaries.exception):
        plant()
    assert blind_spots(canaries.planted) == []
    for secret in canaries.planted:
        with pytest.raises(SecretLeakedError, match="there"):
            assert_no_secret([secret], f"before {secret.value} after", "there")
    assert_no_secret(canaries.planted, "nothing of that kind", "here")


PLUGIN_TEST = """
import pytest
from replaystack import ReplayStackClient

pytest_plugins = ["replaystack.testing.plugin"]

class Taker:
    def post(self, url, json, headers, timeout):
        return type("Response", (), {"status_code": 201, "headers": {}})

@pytest.mark.parametrize("unmask", [[], ["password"]])
def test_users(replaystack_canaries, unmask):
    with ReplayStackClient(api_key="k", transport=Taker(), unmask_fields=unmask) as client:
        client.capture_event(request_payload={"password": replaystack_canaries.plant("password")})

def test_internal_errors_surface():
    client = ReplayStackClient(api_key="k", transport=Taker())
    client.recorder.event = None
    with pytest.raises(TypeError):
        client.capture_event()
"""


def test_the_fixture_works_in_a_users_suite(tmp_path: Path) -> None:
    """Two lines in a user's test: it passes while nothing leaks and fails when something does."""
    (tmp_path / "test_users.py").write_text(PLUGIN_TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "3 passed, 1 error" in done.stdout, done.stdout
    assert "SecretLeakedError: planted secrets left the process: password" in done.stdout


def test_importing_the_helper_needs_no_pytest() -> None:
    """`replaystack.testing` is plain; only its plugin module imports pytest."""
    code = "import sys; sys.modules['pytest'] = None; import replaystack.testing"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
