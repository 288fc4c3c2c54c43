"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from tests.availability import missing
from tests.receiver import Receiver

from replaystack import ReplayStackClient
from replaystack.recorder import open_recorders, unregister

if TYPE_CHECKING:
    from collections.abc import Iterator

# Internal errors of the SDK fail a test instead of being swallowed; canaries for every folder.
pytest_plugins = ["replaystack.testing.plugin"]

# The machine is noisy: how long an example takes says nothing here. Under CI the same commit gets the
# same examples; new ones are for who can act on what they find (`make test`, tests.laws, tests.parity).
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "house")


@pytest.fixture(autouse=True)
def no_client_stays_open() -> Iterator[None]:
    """Let no client outlive its test: it would be the next one's default client."""
    yield
    for recorder in open_recorders():
        recorder.close(0)
        unregister(recorder)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver that takes batches."""
    with Receiver(capabilities="bulk") as running:
        yield running


@pytest.fixture
def client(receiver: Receiver) -> Iterator[ReplayStackClient]:
    """Open a client for one test."""
    with ReplayStackClient(api_key="rs_test", endpoint=receiver.origin) as running:
        yield running


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Return the headless browser's program, for tests marked `browser`."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return Path(found) if found is not None else missing("no Chromium on PATH")
