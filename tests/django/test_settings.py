"""What the settings may say, what is wrong with them, and `manage.py check`."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks
from django.test import Client, RequestFactory
from tests.django.site import OURS, sited

from replaystack import ReplayStackClient
from replaystack_django import DjangoMiddlewareOptions, ReplayStackDjangoMiddleware, configuration

if TYPE_CHECKING:
    from pathlib import Path

    from tests.receiver import Receiver

WARNING = "replaystack: nothing is captured"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPLAYSTACK_API_KEY", raising=False)


def messages() -> dict[str, str]:
    """Return the messages of our checks, by their ids."""
    return {str(found.id): f"{found.msg} {found.hint}" for found in run_checks(tags=["replaystack"])}


WRONG: list[tuple[str, Any, Any]] = [
    ("replaystack.W001", None, None),
    ("replaystack.W002", "rs_live_key", None),
    ("replaystack.W003", ..., {"capture_body": True}),
    ("replaystack.W003", ..., {"ignored_paths": "/internal"}),
    ("replaystack.W003", ..., ["ignored_paths"]),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_settings_leave_the_site_alone(
    wrong: tuple[str, Any, Any],
    client: ReplayStackClient,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The site serves, nothing is captured, one warning is logged, and `manage.py check` says the same."""
    identifier, given, options = wrong
    given = client if given is ... else given
    with sited([OURS], given, options), caplog.at_level(logging.WARNING):
        http = Client()
        assert [http.get("/ok").status_code for _ in range(3)] == [200] * 3
        found = messages()
    (record,) = [record for record in caplog.records if record.name.startswith("replaystack")]
    assert record.getMessage().startswith(WARNING)
    assert record.levelname == "WARNING"
    assert list(found) == [identifier]
    assert found[identifier] in record.getMessage()
    assert "rs_live_key" not in record.getMessage()
    assert client.flush()
    assert receiver.taken() == []


def test_a_wrong_option_is_named() -> None:
    """Who mistypes an option is told which one it is, and what was probably meant."""
    with sited([OURS], ReplayStackClient(api_key="k", enabled=False), {"ignored_path": ["/x"]}):
        assert (
            "unknown option 'ignored_path', did you mean 'ignored_paths'?" in messages()["replaystack.W003"]
        )


@pytest.mark.parametrize(
    "options",
    [
        {"ignored_paths": ["/internal/*"], "capture_headers": False},
        DjangoMiddlewareOptions(ignored_paths=["/internal/*"], capture_headers=False),
    ],
)
def test_options_as_an_object_or_a_dict(options: Any, client: ReplayStackClient, receiver: Receiver) -> None:
    """Both spellings have the same effect."""
    with sited([OURS], client, options):
        http = Client()
        assert http.get("/ok").headers["x-trace-id"]
        assert "x-trace-id" not in http.get("/internal/x").headers
        assert messages() == {}
    assert client.flush()
    assert "requestHeaders" not in receiver.event()


def test_a_key_in_the_environment_is_enough(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without REPLAYSTACK_CLIENT the environment's key makes one client per process, not one per request."""
    monkeypatch.setenv("REPLAYSTACK_API_KEY", "rs_environment")
    monkeypatch.setenv("REPLAYSTACK_ENDPOINT", receiver.origin)
    with sited([OURS]):
        for _ in range(2):  # two chains
            http = Client()
            assert [http.get("/ok").status_code for _ in range(2)] == [200, 200]
        assert messages() == {}
    made = configuration._from_environment.get()
    try:
        assert made is configuration._from_environment.get()
        assert made.flush()
        assert len(receiver.taken()) == 4
        assert made.stats().captured == 4
    finally:
        made.close()
    assert WARNING not in caplog.text


def test_a_disabled_client_is_a_pure_pass_through(receiver: Receiver) -> None:
    """enabled=False: no header, no event, nothing to complain about."""
    with ReplayStackClient(api_key="k", endpoint=receiver.origin, enabled=False) as client:
        with sited([OURS], client):
            assert "x-trace-id" not in Client().get("/ok").headers
            assert messages() == {}
        assert client.stats().captured == 0
    assert receiver.requests() == []


def test_a_closed_client_is_as_none(receiver: Receiver) -> None:
    """Requests after the client's end are served."""
    client = ReplayStackClient(api_key="k", endpoint=receiver.origin)
    with sited([OURS], client):
        http = Client()
        client.close()
        assert http.get("/ok").status_code == 200
    assert receiver.taken() == []


def test_checks_of_the_chain(client: ReplayStackClient) -> None:
    """A client without the middleware, and the middleware twice, are worth a message; a subclass counts."""
    with sited([], client):
        assert list(messages()) == ["replaystack.W004"]
    with sited([OURS, OURS], client):
        assert list(messages()) == ["replaystack.W005"]
    with sited([f"{__name__}.OwnMiddleware", "no.such.Middleware"], client):
        assert messages() == {}
    with sited([]):
        assert messages() == {}


class OwnMiddleware(ReplayStackDjangoMiddleware):
    """A project's own, built on ours."""


@pytest.mark.parametrize("imported", ["settings", "INSTALLED_APPS"])
def test_manage_check_shows_the_messages(imported: str, tmp_path: Path) -> None:
    """`check` knows us once settings import the package or INSTALLED_APPS names it, and does not fail."""
    (tmp_path / "shop_settings.py").write_text(
        ("import replaystack_django\n" if imported == "settings" else "")
        + f"MIDDLEWARE = [{OURS!r}]\n"
        + f"INSTALLED_APPS = {['replaystack_django'] if imported != 'settings' else []}\n"
        + "SECRET_KEY, ROOT_URLCONF, USE_TZ, urlpatterns = 'x', 'shop_settings', True, []\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "django", "check", "--settings", "shop_settings"]
    done = subprocess.run(
        [*command, "--pythonpath", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "replaystack.W001" in done.stderr
    assert "REPLAYSTACK_API_KEY" in done.stderr


def test_outside_of_a_project(caplog: pytest.LogCaptureFixture) -> None:
    """The middleware around a bare function, as unit tests use it, answers without any client."""
    with sited([]):
        middleware = ReplayStackDjangoMiddleware(lambda request: "answer")
        assert middleware(RequestFactory().get("/")) == "answer"
    assert caplog.text.count(WARNING) == 1
